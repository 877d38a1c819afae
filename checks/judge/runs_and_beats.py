"""Heartbeats and runs side by side: what each of the two witnesses says of every expected processor."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from checks.evidence.logs import Logs
from checks.evidence.snapshot import Snapshot
from checks.judge.processors import Beat, ProcessorStanding
from checks.settings.heartbeats import Processor
from checks.text.duration import format_duration


@dataclass(frozen=True, slots=True)
class Witnesses:
    """What is known of one processor.

    Attributes:
        name: the processor.
        service: what runs it, as the settings say.
        beat: how its newest heartbeat stands; None where it has no document.
        runs: whether it ran: for a stale heartbeat, later than that by more than ``late_after``, so that the two did
            not fall silent together; else at all, in the window. None where that cannot be said, as where nobody
            knows how old the heartbeat is, only how old at least.
        told: both in words.
    """

    name: str
    service: str | None
    beat: Beat | None
    runs: bool | None
    told: str


def witnesses(
    snapshot: Snapshot, standings: Iterable[ProcessorStanding], missing: Iterable[Processor]
) -> list[Witnesses]:
    """Every judged processor, where both witnesses could be heard at all; else nothing."""
    logs, census = snapshot.logs, snapshot.census
    if logs is None or census is None or not census.listed:
        return []
    somebody = bool(snapshot.pipeline.heartbeats.processors)
    seen = [each for each in standings if each.processor or not somebody]
    if not logs.runs and (not logs.complete or any(each.beat in {Beat.UP, Beat.MISTIMED} for each in seen)):
        return []
    told = [_judge(snapshot, logs, each.name, each) for each in seen]
    return told + [_judge(snapshot, logs, each.name, None) for each in missing]


def _judge(snapshot: Snapshot, logs: Logs, name: str, standing: ProcessorStanding | None) -> Witnesses:
    processor = next((each for each in snapshot.pipeline.heartbeats.processors if each.name == name), None)
    names = processor.names if processor else (name,)
    last = max((run.at for run in logs.runs if run.processor in names), default=None)
    late_after, down_after = snapshot.pipeline.heartbeats.limits(processor)
    beat = snapshot.taken_at - standing.age if standing and standing.age is not None else None
    if standing and standing.stale and beat:
        runs = last is not None and last - beat > late_after
        absence = logs.complete and not standing.at_least  # "older than" is no moment that a run ended with
    else:
        runs = last is not None
        absence = logs.complete and logs.until - logs.since >= down_after
    elsewhere = not runs and any(each.processor in names for each in logs.elsewhere)
    return Witnesses(
        name=name,
        service=processor.service if processor else None,
        beat=standing.beat if standing else None,
        runs=runs if runs or (absence and not elsewhere) else None,
        told=f"{_heartbeat(standing)}; {_run(last, logs)}",
    )


def _heartbeat(standing: ProcessorStanding | None) -> str:
    if standing is None:
        return "no heartbeat document"
    if standing.age is None:
        return "no readable heartbeat"
    if standing.newest is None and not standing.at_least:
        return f"no readable heartbeat, and none stored for {format_duration(standing.age)}"
    return f"heartbeat {'more than ' if standing.at_least else ''}{format_duration(standing.age)} old"


def _run(last: datetime | None, logs: Logs) -> str:
    if last is None:
        return f"no run since {logs.since:%Y-%m-%d %H:%M} UTC"
    if last > logs.until:
        return f"last run {format_duration(last - logs.until)} ahead of the clock"
    return f"last run {format_duration(logs.until - last)} ago"
