"""Counts heartbeat documents as they stream by, so that memory grows with processors and not with documents."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from checks.evidence import Family, Heartbeat
from heartbeat.document_id import DocumentId, Kind, parse

Micros = int
"""A moment, in microseconds since 1970 UTC: Firestore's own precision, and cheap to compare."""

HOUR: Final[Micros] = 3_600_000_000
DAY: Final[Micros] = 24 * HOUR
CLOCK_SKEW: Final[Micros] = 60_000_000
"""A heartbeat this far ahead of Firestore's clock is the writer's clock running ahead, not a future heartbeat."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True, frozen=True)
class Document:
    """What one listed document showed. ``beat`` is None where ``unparsable`` says why."""

    doc: str
    beat: Micros | None
    unparsable: str | None
    created: Micros
    updated: Micros
    revision: str | None = None
    commit: str | None = None


@dataclass(slots=True)
class _FamilyTally:
    canonical: int = 0
    malformed: int = 0
    run_scoped: int = 0
    last_hour: int = 0
    last_day: int = 0
    malformed_last_hour: int = 0
    malformed_last_day: int = 0
    newest: Document | None = None
    newest_malformed: Document | None = None
    future: int = 0
    future_sample: Document | None = None
    unparsable: int = 0
    unparsable_sample: Document | None = None


@dataclass(slots=True)
class Tally:
    """A running count. ``now`` is the census's read time; ``registered`` ids are canonical however they look."""

    now: Micros
    registered: AbstractSet[str]
    seen: int = 0
    _families: dict[str, _FamilyTally] = field(default_factory=dict[str, _FamilyTally])

    def add(self, document: Document) -> None:
        """Count one document."""
        self.seen += 1
        read = DocumentId(document.doc, Kind.CANONICAL, document.doc) if document.doc in self.registered else None
        read = read or parse(document.doc)
        family = self._families.get(read.family)
        if family is None:
            family = self._families[read.family] = _FamilyTally()
        malformed = read.kind is not Kind.CANONICAL
        family.canonical += not malformed
        family.malformed += malformed
        family.run_scoped += read.kind is Kind.RUN_SCOPED
        self._add_growth(family, document, malformed=malformed)
        self._add_beat(family, document)

    def families(self) -> tuple[Family, ...]:
        """All processors seen so far, most documents first."""
        families = (_evidence(name, tally) for name, tally in self._families.items())
        return tuple(sorted(families, key=lambda family: (-family.total, family.processor)))

    def _add_growth(self, family: _FamilyTally, document: Document, *, malformed: bool) -> None:
        age = self.now - document.created
        family.last_hour += age <= HOUR
        family.last_day += age <= DAY
        if malformed:
            family.malformed_last_hour += age <= HOUR
            family.malformed_last_day += age <= DAY
            if family.newest_malformed is None or document.created > family.newest_malformed.created:
                family.newest_malformed = document

    def _add_beat(self, family: _FamilyTally, document: Document) -> None:
        if document.beat is None:
            family.unparsable += 1
            family.unparsable_sample = family.unparsable_sample or document
        elif document.beat > self.now + CLOCK_SKEW:
            family.future += 1
            if family.future_sample is None or document.beat > (family.future_sample.beat or 0):
                family.future_sample = document
        elif family.newest is None or document.beat > (family.newest.beat or 0):
            family.newest = document


def moment(micros: Micros) -> datetime:
    """The same moment as a timezone-aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=micros)


def micros(when: datetime) -> Micros:
    """The opposite: microseconds since 1970."""
    return (when - _EPOCH) // timedelta(microseconds=1)


def _evidence(name: str, tally: _FamilyTally) -> Family:
    return Family(
        processor=name,
        canonical=tally.canonical,
        malformed=tally.malformed,
        run_scoped=tally.run_scoped,
        created_last_hour=tally.last_hour,
        created_last_day=tally.last_day,
        malformed_last_hour=tally.malformed_last_hour,
        malformed_last_day=tally.malformed_last_day,
        newest=_heartbeat(tally.newest),
        newest_malformed=_heartbeat(tally.newest_malformed),
        future=tally.future,
        future_sample=_heartbeat(tally.future_sample),
        unparsable=tally.unparsable,
        unparsable_sample=_heartbeat(tally.unparsable_sample),
    )


def _heartbeat(document: Document | None) -> Heartbeat | None:
    return heartbeat_of(document) if document else None


def heartbeat_of(document: Document) -> Heartbeat:
    """A listed document as evidence."""
    return Heartbeat(
        doc=document.doc,
        last_heartbeat=None if document.beat is None else moment(document.beat),
        unparsable=document.unparsable,
        created_at=moment(document.created),
        updated_at=moment(document.updated),
        revision=document.revision,
        commit=document.commit,
    )
