"""What the newest document of a processor says of its run: that it goes on, and whether it does; or that it failed.

Only ``running`` promises another beat, and only where the promise is shown: by a beat long after the run's start, by
the interval that the document names, or by the settings. Many writers say ``running`` once, at the start, and mean
nothing more by it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from checks.evidence.snapshot import Heartbeat, Snapshot
from checks.judge.clocks import FURTHEST
from checks.judge.finding import Fact
from checks.judge.processors import ProcessorStanding
from checks.settings.heartbeat_fields import plain
from checks.settings.heartbeats import Heartbeats

EVERY_MINUTE: Final = timedelta(minutes=1)
"""What a run promises that does not say how often it beats."""

_AFTER_START: Final = timedelta(seconds=90)
"""A beat later than this after the run's start was a beat on the way, and not the one that told of the start."""


@dataclass(frozen=True, slots=True)
class SilentRun:
    """A run that promised beats, and is silent for longer than its limit.

    Attributes:
        standing: its processor.
        newest: the document that says so.
        silent: how long ago its last beat was, by Firestore's clock where the writer's is proved wrong.
        dead: beyond ``dead_after``; else beyond ``stale_after`` only.
        limit: the limit that was exceeded.
        every: how often it promised to beat.
        promised: who says so.
    """

    standing: ProcessorStanding
    newest: Heartbeat
    silent: timedelta
    dead: bool
    limit: timedelta
    every: timedelta
    promised: Literal["the settings", "the document", "a beat after its start"]


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A run that ended as failed: its processor, the document that says so, and the word that it uses."""

    standing: ProcessorStanding
    newest: Heartbeat
    word: str


def silent_runs(snapshot: Snapshot, standings: Iterable[ProcessorStanding]) -> list[SilentRun]:
    """The runs that promised another beat, and did not keep it for longer than their limit."""
    heartbeats = snapshot.pipeline.heartbeats
    found: list[SilentRun] = []
    for standing in standings:
        newest = _speaker(standing, heartbeats.status.running)
        promise = _promise(heartbeats, standing, newest) if newest else None
        if newest is None or promise is None:
            continue
        every, promised = promise
        stale_after, dead_after = heartbeats.run_limits(standing.processor, every)
        silent = snapshot.taken_at - (standing.beat_at or newest.updated_at)
        dead = silent > dead_after
        if silent > stale_after:
            limit = dead_after if dead else stale_after
            found.append(SilentRun(standing, newest, silent, dead, limit, every, promised))
    return found


def failed_runs(snapshot: Snapshot, standings: Iterable[ProcessorStanding]) -> list[FailedRun]:
    """The processors whose last run ended as failed."""
    words = snapshot.pipeline.heartbeats.status.failed
    speakers = ((standing, _speaker(standing, words)) for standing in standings)
    return [FailedRun(standing, newest, plain(newest.status or "")) for standing, newest in speakers if newest]


def told_at(standing: ProcessorStanding, newest: Heartbeat) -> str:
    """When a document said so: by its own time, or by Firestore's where its own cannot be trusted."""
    if newest.last_heartbeat and standing.newest is newest and standing.offset is None:
        return f"{newest.last_heartbeat:%Y-%m-%d %H:%M:%S} UTC"
    return f"{newest.updated_at:%Y-%m-%d %H:%M:%S} UTC, when Firestore stored it"


def run_facts(newest: Heartbeat) -> Iterator[Fact]:
    """Which run a document is about, and how far that was, as far as it says."""
    if newest.run_id:
        yield Fact(subject=newest.run_id, detail="is its run id")
    if newest.data_date:
        yield Fact(subject=newest.data_date, detail="is the day whose data it works on")
    if newest.progress is not None:
        total = "" if newest.total is None else f", of {newest.total:,}"
        yield Fact(subject=str(newest.progress), detail=f"is how far it was{total}")


def _speaker(standing: ProcessorStanding, words: Iterable[str]) -> Heartbeat | None:
    """The newest document of a processor, if its status is one of these words. An unread one might be newer."""
    newest = None if standing.at_least else standing.newest or standing.untimely
    return newest if newest and newest.status and plain(newest.status) in words else None


def _promise(
    heartbeats: Heartbeats, standing: ProcessorStanding, newest: Heartbeat
) -> tuple[timedelta, Literal["the settings", "the document", "a beat after its start"]] | None:
    """How often the run promised to beat, and who says so; None where nobody does."""
    told = heartbeats.beats(standing.processor)
    if told == "off":
        return None
    if told is not None:
        return told, "the settings"
    if newest.beats_every is not None:
        return newest.beats_every, "the document"
    # Our own library names the interval wherever it promises one; its earlier versions beat when they were told to.
    if newest.names_its_build or newest.started_at is None or newest.last_heartbeat is None:
        return None
    if abs(newest.last_heartbeat - newest.updated_at) > FURTHEST and standing.newest is None:
        return None
    shown = newest.last_heartbeat - newest.started_at > _AFTER_START
    return (EVERY_MINUTE, "a beat after its start") if shown else None
