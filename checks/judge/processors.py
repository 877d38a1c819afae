"""Who must beat, and what was seen of each: the expected processors joined with the census.

The expected set comes from the settings, never from the collection itself. Where the settings register nobody, every
processor that was seen is judged, and who is missing cannot be said.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from checks.evidence.snapshot import Census, Family, Heartbeat, Snapshot
from checks.judge.finding import key
from checks.settings.heartbeats import Processor

CHANNEL_MINIMUM: Final = 3
"""Fewer stale processors than this are those processors' own trouble."""


class Beat(StrEnum):
    """How a processor's newest heartbeat stands against its limits."""

    UP = "up"
    LATE = "late"
    DOWN = "down"
    UNREADABLE = "unreadable"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class ProcessorStanding:
    """One processor that has a document, and how its newest heartbeat stands.

    Attributes:
        name: the registered name, or the family as its ids have it.
        processor: its entry in the settings, or None.
        newest: the newest heartbeat that was read, former names counted; None where no timestamp could be read.
        age: how old its newest heartbeat is, at ``taken_at``; where ``at_least``, how old at least.
        beat: the judgement.
        at_least: not every heartbeat was read. One older than a limit still is; for others the beat is unseen.
    """

    name: str
    processor: Processor | None
    newest: Heartbeat | None
    age: timedelta | None
    beat: Beat
    at_least: bool = False

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
    found: list[ProcessorStanding] = []
    for processor in snapshot.pipeline.heartbeats.processors:
        own = [families.pop(name) for name in processor.names if name in families]
        if own and processor.must_beat:
            found.append(_standing(snapshot, processor.name, processor, own))
    found.extend(_standing(snapshot, name, None, [family]) for name, family in families.items())
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


def channel_down(snapshot: Snapshot) -> list[ProcessorStanding]:
    """The stale processors, if so many are stale together that the heartbeat channel itself is the likely cause.

    That is at least three, and at least half, of those that are judged: the registered ones, or all where nobody is.
    """
    somebody = bool(snapshot.pipeline.heartbeats.processors)
    judged = [
        each for each in standings(snapshot) if (each.processor or not somebody) and not is_quiet(snapshot, each.name)
    ]
    stale = [each for each in judged if each.stale]
    return stale if len(stale) >= max(CHANNEL_MINIMUM, len(judged) / 2) else []


def writers(census: Census) -> Iterator[Family]:
    """The families with malformed documents, most of them first."""
    return iter(sorted((f for f in census.families if f.malformed), key=lambda family: -family.malformed))


def lately(snapshot: Snapshot, family: Family) -> int:
    """Malformed documents that were created in the last hour: all where they were read, else at least so many."""
    if family.malformed_last_hour is not None:
        return family.malformed_last_hour
    sample = family.newest_malformed
    seen = sample is not None and snapshot.taken_at - sample.created_at <= timedelta(hours=1)
    return max(family.malformed_growth or 0, int(seen))


def _standing(snapshot: Snapshot, name: str, processor: Processor | None, families: list[Family]) -> ProcessorStanding:
    beats = [family.newest for family in families if family.newest and family.newest.last_heartbeat]
    newest = max(beats, key=lambda each: each.last_heartbeat or each.updated_at, default=None)
    read = newest.last_heartbeat if newest else None
    unread = max((family.older_than for family in families if family.older_than), default=None)
    if read is not None and (unread is None or read >= unread):
        age = snapshot.taken_at - read
        return ProcessorStanding(name, processor, newest, age, _beat(snapshot, processor, age))
    if unread is None:
        return ProcessorStanding(name, processor, None, None, Beat.UNREADABLE)
    age = max(timedelta(), snapshot.taken_at - unread)
    beat = _beat(snapshot, processor, age)
    return ProcessorStanding(name, processor, newest, age, Beat.UNSEEN if beat is Beat.UP else beat, at_least=True)


def _beat(snapshot: Snapshot, processor: Processor | None, age: timedelta) -> Beat:
    late_after, down_after = snapshot.pipeline.heartbeats.limits(processor)
    return Beat.DOWN if age > down_after else Beat.LATE if age > late_after else Beat.UP


def recovered(snapshot: Snapshot, source: str, since: datetime) -> bool:
    """Whether every expected processor that a service or job runs has beaten since a moment; False if none is known."""
    own = [each.name for each in snapshot.pipeline.heartbeats.processors_of(source) if each.must_beat]
    beats = {each.name: each.newest.last_heartbeat for each in standings(snapshot) if each.newest}
    return bool(own) and all((beat := beats.get(name)) is not None and beat > since for name in own)


def silent_keys(snapshot: Snapshot, source: str) -> tuple[str, ...]:
    """The keys of findings about silent processors that a service or job runs, and of the channel if they are in it."""
    own = {each.name for each in snapshot.pipeline.heartbeats.processors_of(source)}
    silent = {each.name for each in standings(snapshot) if each.stale and each.name in own}
    silent |= {each.name for each in missing(snapshot) if each.name in own}
    return keys_of_silence(snapshot, silent) if silent else ()


def keys_of_silence(snapshot: Snapshot, processors: Iterable[str]) -> tuple[str, ...]:
    """The keys of every finding that these processors' silence may have made."""
    names = sorted(processors)
    collection = snapshot.pipeline.heartbeats.collection
    return (
        *(key(rule, name) for name in names for rule in ("two-witnesses", "stale-heartbeats", "missing-heartbeats")),
        *(key(rule, collection) for rule in ("two-witnesses", "heartbeat-channel-down")),
    )


def is_quiet(snapshot: Snapshot, name: str) -> bool:
    """Whether the settings expect this processor to be quiet now."""
    return any(name in quiet.processors and quiet.holds_at(snapshot.taken_at) for quiet in snapshot.pipeline.quiet)
