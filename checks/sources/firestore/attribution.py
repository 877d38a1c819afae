"""Whose a heartbeat document is, and whether its id is malformed: told in one way wherever documents are read.

An id of the grammar (``heartbeat.document_id``) tells both by itself. Some tell neither: made up by Firestore, or a
processor's name and a run's name with no mark of a run between them. Then the document's own ``processor_name`` says
who writes it. One such document proves nothing, since a processor may be called so, or spelt in two ways; two documents
of the same writer are one too many, whatever their ids look like.
"""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from heartbeat.document_id import Kind, parse, shared_prefix, unmarked_writer

_BEFORE_AND_AFTER: Final = frozenset("_-.: /#")
"""What stands between a processor's name and whatever else an id holds."""


class Nature(StrEnum):
    """What a document is, by its id and by what it calls its writer."""

    CANONICAL = "canonical"
    RUN_SCOPED = "run-scoped"
    NEITHER = "neither"
    UNMARKED = "unmarked"
    """Malformed where its writer has another document, else canonical."""


class Attribution(NamedTuple):
    """A document's id, its writer, and what it is."""

    doc: str
    writer: str
    nature: Nature

    @property
    def malformed(self) -> bool:
        """Whether its id is not that of its writer's one document."""
        return self.nature is not Nature.CANONICAL

    @property
    def alone(self) -> "Attribution":
        """The same where its writer has no other document: an unmarked id is then a processor's name."""
        return Attribution(self.doc, self.doc, Nature.CANONICAL) if self.nature is Nature.UNMARKED else self


def by_id(doc: str, registered: AbstractSet[str]) -> Attribution | None:
    """Whose a document is, where its id alone tells; None where it takes what the document calls its writer."""
    if doc in registered:
        return Attribution(doc, doc, Nature.CANONICAL)
    read = parse(doc)
    if read.family == doc and shared_prefix(doc) is None:
        return None
    return Attribution(doc, read.family, Nature.RUN_SCOPED if read.kind is Kind.RUN_SCOPED else Nature.NEITHER)


def attribute(doc: str, name: str | None, registered: AbstractSet[str], *, live: bool, new: bool) -> Attribution:
    """Whose a document is, as far as it tells alone.

    Args:
        doc: its id.
        name: what it calls its writer, if anything.
        registered: ids that are canonical however they look.
        live: it was written within the last day: an id that merely differs from its writer's name may be an older one.
        new: it was created within the last day: what has long been there is no document of a run.
    """
    if (told := by_id(doc, registered)) is not None:
        return told
    read = parse(doc)
    said = None if name is None or name == doc else _writer(name, name in registered)
    stem = unmarked_writer(doc)
    if read.kind is Kind.NEITHER:
        return Attribution(doc, said or stem or doc, Nature.NEITHER)
    if stem is not None and (said or stem):
        return Attribution(doc, said or stem, Nature.UNMARKED)
    if said and live and (said in registered or (new and _holds(doc, said))):
        return Attribution(doc, said, Nature.UNMARKED)
    return Attribution(doc, doc, Nature.CANONICAL)


def resolve(attributions: Iterable[Attribution]) -> list[Attribution]:
    """Attributions of all documents of a collection, each decided."""
    told = list(attributions)
    counts = Counter(each.writer for each in told)
    return [each.alone if counts[each.writer] == 1 else each for each in told]


@lru_cache(maxsize=4_096)
def _writer(name: str, registered: bool) -> str | None:  # noqa: FBT001 - a cache takes no keywords apart
    """The processor that a document calls its writer; None where that is no name of a processor."""
    if registered:
        return name
    read = parse(name)
    if read.kind is Kind.CANONICAL:
        return unmarked_writer(name) or name
    return read.family if read.kind is Kind.RUN_SCOPED else None


def _holds(doc: str, name: str) -> bool:
    """Whether an id is a name with something before or after it."""
    before, found, after = doc.partition(name)
    apart = (not before or before[-1] in _BEFORE_AND_AFTER) and (not after or after[0] in _BEFORE_AND_AFTER)
    return bool(found) and apart
