"""Which documents of a collection a cleanup touches, and which it leaves alone: decided by their ids, and pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from checks.text.plural import form
from heartbeat.document_id import Kind, parse
from validate_daily.repairs.plans.plan import Untouched

HOUR: Final = 3_600_000_000_000
"""In nanoseconds."""

NOT_FIXED: Final[Mapping[str, int]] = MappingProxyType({})

_REGISTERED: Final = "registered"
_LEFT: Final = {
    Kind.CANONICAL: (("canonical id", "canonical ids"), "one document per processor is right"),
    _REGISTERED: (
        ("registered id that looks otherwise", "registered ids that look otherwise"),
        "the settings name them, so they are canonical",
    ),
    Kind.NEITHER: (
        ("malformed id that does not parse as run-scoped", "malformed ids that do not parse as run-scoped"),
        "look at them by hand: a cleanup never guesses",
    ),
}


class CreatedDocument(Protocol):
    """A document by its id, with its create time in nanoseconds since 1970."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def created(self) -> int:
        """Its create time."""
        ...


@dataclass(frozen=True, slots=True)
class CleanupSelection:
    """A listing, sorted.

    Attributes:
        subjects: the ids that a cleanup touches.
        families: how many of them each processor has.
        untouched: the others, by kind.
        growing: who created malformed documents in the hour before the listing, and how many.
    """

    subjects: frozenset[str]
    families: Counter[str]
    untouched: tuple[Untouched, ...]
    growing: Counter[str]


def malformed_since(
    documents: Iterable[CreatedDocument], registered: Collection[str], since: int
) -> list[tuple[str, str]]:
    """The malformed documents that were created at a moment or later: each one's id, and its processor.

    Args:
        documents: all of a collection.
        registered: ids that are canonical because the settings name them.
        since: the moment, in nanoseconds since 1970.
    """
    new = (parse(each.id) for each in documents if each.created >= since and each.id not in registered)
    return [(each.text, each.family) for each in new if each.kind is not Kind.CANONICAL]


def select(
    documents: Iterable[CreatedDocument], registered: Collection[str], now: int, fixed: Mapping[str, int] = NOT_FIXED
) -> CleanupSelection:
    """Sort documents by their ids.

    Args:
        documents: all of a collection.
        registered: ids that are canonical because the settings name them.
        now: the moment of the listing, in nanoseconds since 1970.
        fixed: since when the fix of a processor serves, in nanoseconds since 1970: what it created before is no growth.
    """
    subjects = set[str]()
    families, left, growing = Counter[str](), Counter[str](), Counter[str]()
    for each in documents:
        read = parse(each.id)
        if each.id in registered:
            left[Kind.CANONICAL if read.kind is Kind.CANONICAL else _REGISTERED] += 1
            continue
        if read.kind is Kind.RUN_SCOPED:
            subjects.add(each.id)
            families[read.family] += 1
        else:
            left[read.kind] += 1
        if read.kind is not Kind.CANONICAL and each.created >= max(now - HOUR, fixed.get(read.family, 0)):
            growing[read.family] += 1
    untouched = (
        Untouched(what=form(left[kind], *what), count=left[kind], why=why)
        for kind, (what, why) in _LEFT.items()
        if left[kind]
    )
    return CleanupSelection(frozenset(subjects), families, tuple(untouched), growing)
