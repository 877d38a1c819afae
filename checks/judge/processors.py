"""Who must beat, and what was seen of each: the expected processors joined with the census.

The expected set comes from the settings, never from the collection itself. Where the settings register nobody, every
processor that was seen is judged, and who is missing cannot be said.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from checks.evidence.snapshot import Family, Heartbeat, Snapshot
from checks.judge.clocks import clock_offset, stored_together
from checks.settings.heartbeats import Processor

CHANNEL_MINIMUM: Final = 3
"""Fewer stale processors than this are those processors' own trouble."""

RUNNER: Final = "the service or job that runs it"
"""What runs a processor of which the settings name no service."""


class Beat(StrEnum):
    """How a processor's newest heartbeat stands against its limits."""

    UP = "up"
    LATE = "late"
    DOWN = "down"
    MISTIMED = "written, by a wrong clock"
    UNREADABLE = "unreadable"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class ProcessorStanding:
    """One processor that has a document, and how its newest heartbeat stands.

    Attributes:
        name: the registered name, or the family as its ids have it.
        processor: its entry in the settings, or None.
        newest: the newest heartbeat that was read, former names counted; None where no timestamp could be read.
        age: how old its newest heartbeat is, at ``taken_at``; where ``at_least``, how old at least; without ``newest``,
            how long ago Firestore stored any of its documents.
        beat: the judgement.
        offset: how far its writer's clock is ahead, below zero for behind, where its document proves that.
        untimely: without ``newest``: the document that Firestore stored last, where it is known. It bears no time that
            can be judged, and still says how its run stands.
        at_least: not every heartbeat was read. One older than a limit still is; for others the beat is unseen.
    """

    name: str
    processor: Processor | None
    newest: Heartbeat | None
    age: timedelta | None
    beat: Beat
    at_least: bool = False
    offset: timedelta | None = None
    untimely: Heartbeat | None = None

    @property
    def beat_at(self) -> datetime | None:
        """When it last beat by Firestore's clock; None where no timestamp could be read."""
        if self.newest is None:
            return None
        return self.newest.updated_at if self.offset is not None else self.newest.beat_at

    @property
    def runner(self) -> str:
        """Who runs it, in words for a next step."""
        return (self.processor and self.processor.service) or RUNNER

    @property
    def stale(self) -> bool:
        """Late or down."""
        return self.beat in {Beat.LATE, Beat.DOWN}


def standings(snapshot: Snapshot) -> list[ProcessorStanding]:
    """Every processor that has a document and is not excused by the settings; the registered ones first.

    Empty where the collection was not listed completely: more evidence could make any of them fresh.
    """
    census = snapshot.census
    if census is None or not census.listed:
        return []
    families = {family.processor: family for family in census.families}
    together = stored_together(census)
    found: list[ProcessorStanding] = []
    for processor in snapshot.pipeline.heartbeats.processors:
        own = [families.pop(name) for name in processor.names if name in families]
        if own and processor.must_beat:
            found.append(_standing(snapshot, processor.name, processor, own, together))
    found.extend(_standing(snapshot, name, None, [family], together) for name, family in families.items())
    return found


def missing(snapshot: Snapshot) -> list[Processor]:
    """The expected processors that have no document under any of their names."""
    census = snapshot.census
    if census is None or not (census.listed or census.empty):
        return []
    seen = {family.processor for family in census.families}
    return [
        processor
        for processor in snapshot.pipeline.heartbeats.processors
        if processor.must_beat and seen.isdisjoint(processor.names)
    ]


def channel_down(
    snapshot: Snapshot, standings: Iterable[ProcessorStanding], died: AbstractSet[str] = frozenset()
) -> list[ProcessorStanding]:
    """The silent processors, if so many are silent together that the heartbeat channel itself is the likely cause.

    That is at least three, and at least half, of those that are judged: the registered ones, or all where nobody is.
    Silent are those that are stale, and those whose run ``died``.
    """
    pipeline, somebody = snapshot.pipeline, bool(snapshot.pipeline.heartbeats.processors)
    judged = [
        each
        for each in standings
        if (each.processor or not somebody) and not pipeline.quiet_windows(each.name, snapshot.taken_at)
    ]
    stale = [each for each in judged if each.stale or each.name in died]
    return stale if len(stale) >= max(CHANNEL_MINIMUM, len(judged) / 2) else []


def _standing(
    snapshot: Snapshot,
    name: str,
    processor: Processor | None,
    families: list[Family],
    together: AbstractSet[datetime],
) -> ProcessorStanding:
    beats = [family.newest for family in families if family.newest and family.newest.last_heartbeat]
    newest = max(beats, key=lambda each: (each.beat_at or each.updated_at, each.updated_at, each.doc), default=None)
    read = newest.last_heartbeat if newest else None
    unread = max((family.older_than for family in families if family.older_than), default=None)
    if newest is not None and read is not None and (unread is None or read >= unread):
        return _standing_of(snapshot, name, processor, newest, together=newest.updated_at in together)
    if unread is None:
        return _unreadable(snapshot, name, processor, families)
    age = max(timedelta(), snapshot.taken_at - unread)
    beat = _beat(snapshot, processor, age)
    return ProcessorStanding(name, processor, newest, age, Beat.UNSEEN if beat is Beat.UP else beat, at_least=True)


def _standing_of(
    snapshot: Snapshot, name: str, processor: Processor | None, newest: Heartbeat, *, together: bool
) -> ProcessorStanding:
    age = snapshot.taken_at - (newest.beat_at or newest.updated_at)
    beat = _beat(snapshot, processor, age)
    offset = clock_offset(
        newest,
        timezone=snapshot.pipeline.pipeline.timezone,
        taken_at=snapshot.taken_at,
        limits=snapshot.pipeline.heartbeats.limits(processor),
        together=together,
    )
    if offset is None or (offset < timedelta() and beat is Beat.UP):
        return ProcessorStanding(name, processor, newest, age, beat, offset=offset)
    stale_anyway = offset > timedelta() and beat is not Beat.UP
    return ProcessorStanding(name, processor, newest, age, beat if stale_anyway else Beat.MISTIMED, offset=offset)


def _unreadable(
    snapshot: Snapshot, name: str, processor: Processor | None, families: list[Family]
) -> ProcessorStanding:
    """No heartbeat of it can be judged. What nobody stored for as long as a limit says is late or down all the same."""
    written = [family.written for family in families]
    known = [each for each in written if each is not None]
    if len(known) < len(written):
        return ProcessorStanding(name, processor, None, None, Beat.UNREADABLE)
    last = max(known)
    samples = [each for family in families for each in (family.future_sample, family.unparsable_sample) if each]
    untimely = next((each for each in samples if each.updated_at == last), None)
    age = snapshot.taken_at - last
    beat = _beat(snapshot, processor, age)
    if beat is Beat.UP:
        return ProcessorStanding(name, processor, None, None, Beat.UNREADABLE, untimely=untimely)
    return ProcessorStanding(name, processor, None, age, beat, untimely=untimely)


def _beat(snapshot: Snapshot, processor: Processor | None, age: timedelta) -> Beat:
    late_after, down_after = snapshot.pipeline.heartbeats.limits(processor)
    return Beat.DOWN if age > down_after else Beat.LATE if age > late_after else Beat.UP


def recovered(snapshot: Snapshot, standings: Iterable[ProcessorStanding], source: str, since: datetime) -> bool:
    """Whether every expected processor that a service or job runs has beaten since a moment; False if none is known."""
    own = [each.name for each in snapshot.pipeline.heartbeats.processors_of(source) if each.must_beat]
    beats = {each.name: each.beat_at for each in standings}
    return bool(own) and all((beat := beats.get(name)) is not None and beat > since for name in own)
