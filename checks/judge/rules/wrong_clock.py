"""A heartbeat that Firestore stored just now and that says hours ago has a writer with a wrong clock or time zone.

In short: Firestore stored it lately, and the writer's clock is a quarter of an hour to 14 hours off: P2

Severity: P2: the processor beats, and its heartbeats cannot be judged by their own time. Only a document that would be
late or down otherwise is judged, or one whose time is ahead of the moment at which it was stored. An offset of more
than 14 hours is that of no time zone, and stays late or down. Documents that were stored together (a restore, a script)
or for the first time say nothing about a clock, unless the offset is that of the pipeline's own time zone.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from checks.evidence.snapshot import Snapshot
from checks.judge.clocks import explanation
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity, affected, bounded
from checks.judge.processors import CHANNEL_MINIMUM, Beat, ProcessorStanding
from checks.judge.rule import HEARTBEATS, Rule
from checks.text.duration import format_duration
from checks.text.plural import counted

_RULE: Final = "wrong-clock"
_MOST: Final = 10
_MINUTE: Final = timedelta(minutes=1)
_NONE: Final = timedelta()


def wrong_clock(context: Context) -> Iterator[Finding]:
    """One finding per processor, or one for all of them where there are many; those in a quiet window alone."""
    pipeline, now = context.snapshot.pipeline, context.snapshot.taken_at
    off = [each for each in context.standings if each.beat is Beat.MISTIMED]
    loud = [each for each in off if not pipeline.quiet_windows(each.name, now)]
    together = len(loud) >= CHANNEL_MINIMUM
    if together:
        yield _together(context.snapshot, loud)
    for each in off:
        if not together or each not in loud:
            yield _alone(context.snapshot, each)


def _alone(snapshot: Snapshot, standing: ProcessorStanding) -> Finding:
    service = standing.processor and standing.processor.service
    return Finding(
        rule=_RULE,
        severity=Severity.P2,
        subject=standing.name,
        affects=(standing.name,),
        summary=f"Firestore stored its heartbeat {_stored(snapshot, standing)} ago, but its own time is "
        f"{_off(standing)}: a wrong clock or time zone{_looks(snapshot, [standing])}",
        evidence=(_fact(snapshot, standing),),
        next_step=_step([service] if service else []),
    )


def _together(snapshot: Snapshot, off: list[ProcessorStanding]) -> Finding:
    services = sorted({each.processor.service for each in off if each.processor and each.processor.service})
    offsets = sorted({_off(each) for each in off})
    said = offsets[0] if len(offsets) == 1 else f"{offsets[0]}, {offsets[1]}" + (" …" if len(offsets) > 2 else "")  # noqa: PLR2004
    return Finding(
        rule=_RULE,
        severity=Severity.P2,
        subject=snapshot.pipeline.heartbeats.collection,
        fault=tuple(sorted(each.name for each in off)),
        count=len(off),
        affects=affected(each.name for each in off),
        summary=f"{counted(len(off), 'processor beats', 'processors beat')} with a wrong clock or time zone: Firestore "
        f"stored their heartbeats lately, but their own times are {said}{_looks(snapshot, off)}",
        evidence=bounded([_fact(snapshot, each) for each in off], _MOST, "stored lately with a wrong time as well"),
        next_step=_step(services),
    )


def _off(standing: ProcessorStanding) -> str:
    offset = standing.offset or _NONE
    # To the minute: the time that a write takes is no part of it.
    minutes = timedelta(minutes=round(abs(offset) / _MINUTE))
    return f"{format_duration(minutes)} {'ahead' if offset > _NONE else 'behind'}"


def _stored(snapshot: Snapshot, standing: ProcessorStanding) -> str:
    stored = standing.newest.updated_at if standing.newest else snapshot.taken_at
    return format_duration(max(_NONE, snapshot.taken_at - stored))


def _looks(snapshot: Snapshot, off: Iterable[ProcessorStanding]) -> str:
    timezone = snapshot.pipeline.pipeline.timezone
    found = {explanation(each.offset, timezone, each.newest.updated_at) for each in off if each.newest and each.offset}
    said = found.pop() if len(found) == 1 else None
    return f"; it {said}" if said else ""


def _fact(snapshot: Snapshot, standing: ProcessorStanding) -> Fact:
    newest = standing.newest
    if newest is None:
        return Fact(subject=standing.name, detail=_off(standing))
    field = snapshot.pipeline.heartbeats.fields.shown_time
    at, stored = newest.last_heartbeat, newest.updated_at
    return Fact(
        subject=newest.doc,
        detail=f"{field} {at:%Y-%m-%d %H:%M:%S} UTC, stored {stored:%Y-%m-%d %H:%M:%S} UTC: {_off(standing)}",
    )


def _step(services: list[str]) -> str:
    who = ", ".join(services) if services else "what writes these heartbeats"
    return f"make {who} write timezone-aware UTC, as in datetime.now(timezone.utc), and check the clock it runs by"


RULE = Rule(
    wrong_clock,
    needs=("firestore",),
    phase=HEARTBEATS,
    quiet=True,
    fault="where several processors are named together, their names",
    counts="processors",
)
