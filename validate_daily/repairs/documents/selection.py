"""Which documents of a collection a cleanup touches, and which it leaves alone: decided by their ids, and pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from checks.sources.firestore.attribution import Attribution, Nature, attribute, resolve
from checks.text.plural import form
from heartbeat.document_id import Kind, parse
from validate_daily.repairs.plans.plan import Untouched

HOUR: Final = 3_600_000_000_000
"""In nanoseconds."""

_DAY: Final = 24 * HOUR

NOT_FIXED: Final[Mapping[str, int]] = MappingProxyType({})

_REGISTERED: Final = "registered"
_LEFT: Final = {
    Nature.CANONICAL: (("canonical id", "canonical ids"), "one document per processor is right"),
    _REGISTERED: (
        ("registered id that looks otherwise", "registered ids that look otherwise"),
        "the settings name them, so they are canonical",
    ),
    Nature.NEITHER: (
        ("malformed id that does not parse as run-scoped", "malformed ids that do not parse as run-scoped"),
        "look at them by hand: a cleanup never guesses",
    ),
    Nature.UNMARKED: (
        (
            "document too many of its writer, with no mark of a run",
            "documents too many of a writer, with no mark of a run",
        ),
        "fix what writes them, then remove them by hand: their ids do not prove that they are not canonical",
    ),
}


class CreatedDocument(Protocol):
    """A document by its id, with its create and update time in nanoseconds since 1970, and what it calls its writer."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def created(self) -> int:
        """Its create time."""
        ...

    @property
    def updated(self) -> int:
        """Its update time."""
        ...

    @property
    def name(self) -> str | None:
        """What it calls its writer, if anything."""
        ...


@dataclass(frozen=True, slots=True)
class CleanupSelection:
    """A listing, sorted.

    Attributes:
        subjects: the ids that a cleanup touches.
        families: how many of them each processor has.
        untouched: the others, by kind.
        growing: who created malformed documents in the hour before the listing, and how many.
        by_hand: who wrote malformed documents that a cleanup leaves alone, and how many.
    """

    subjects: frozenset[str]
    families: Counter[str]
    untouched: tuple[Untouched, ...]
    growing: Counter[str]
    by_hand: Counter[str]


def malformed_since(
    documents: Sequence[CreatedDocument], registered: Collection[str], since: int
) -> list[tuple[str, str]]:
    """The malformed documents that were created at a moment or later: each one's id, and its processor.

    Args:
        documents: all of a collection.
        registered: ids that are canonical because the settings name them.
        since: the moment, in nanoseconds since 1970.
    """
    told = _attributions(documents, registered, max((each.updated for each in documents), default=0))
    return [
        (one.doc, one.writer)
        for each, one in zip(documents, told, strict=True)
        if each.created >= since and one.malformed
    ]


def select(
    documents: Sequence[CreatedDocument], registered: Collection[str], now: int, fixed: Mapping[str, int] = NOT_FIXED
) -> CleanupSelection:
    """Sort documents by their ids.

    Args:
        documents: all of a collection.
        registered: ids that are canonical because the settings name them.
        now: the moment of the listing, in nanoseconds since 1970.
        fixed: since when the fix of a processor serves, in nanoseconds since 1970: what it created before is no growth.
    """
    subjects = set[str]()
    families, left = Counter[str](), Counter[str]()
    growing, by_hand = Counter[str](), Counter[str]()
    for each, told in zip(documents, _attributions(documents, registered, now), strict=True):
        if told.nature is Nature.RUN_SCOPED:
            subjects.add(each.id)
            families[told.writer] += 1
        elif each.id in registered and parse(each.id).kind is not Kind.CANONICAL:
            left[_REGISTERED] += 1
        else:
            left[told.nature] += 1
            by_hand[told.writer] += told.malformed
        if told.malformed and each.created >= max(now - HOUR, fixed.get(told.writer, 0)):
            growing[told.writer] += 1
    untouched = (
        Untouched(what=form(left[kind], *what), count=left[kind], why=why)
        for kind, (what, why) in _LEFT.items()
        if left[kind]
    )
    return CleanupSelection(frozenset(subjects), families, tuple(untouched), growing, +by_hand)


def _attributions(documents: Sequence[CreatedDocument], registered: Collection[str], now: int) -> list[Attribution]:
    """Whose each document is, as a check tells it."""
    known, day_ago = frozenset(registered), now - _DAY
    return resolve(
        attribute(each.id, each.name, known, live=each.updated >= day_ago, new=each.created >= day_ago)
        for each in documents
    )
