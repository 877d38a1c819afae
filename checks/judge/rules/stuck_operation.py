"""An operation that told of its START and of no END within its limit hangs, or was killed: Cloud Run kills at 30 min.

In short: a START in the logs without END, beyond its limit: P1

Severity: P1: what it should have produced is missing. The limit is a setting. An operation that began before the window
proves itself by its signs of life. Where a later run of the same name came to its END, and the earlier one gave no sign
since that began, a restart ended it, and nothing is said. A search of the logs that was cut short could have missed the
END, so then only the newer part of the window counts, if it was searched to its end.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from checks.evidence.logs import Logs, Operation
from checks.evidence.snapshot import Level
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity, bounded
from checks.judge.logged.operations import is_stuck, same_operation
from checks.judge.rule import Rule
from checks.text.duration import format_duration
from checks.text.plural import counted

_MOST: Final = 5
_OFTEN: Final = 3
"""A name that was started so often, and never ended, is told as a whole."""

_ROUGHLY: Final = 600
"""Seconds: a START that lies before the window is known by minutes that its signs round."""


def stuck_operation(context: Context) -> Iterator[Finding]:
    """One finding per name and service or job, about all of its runs that never ended."""
    logs, limit = context.snapshot.logs, context.snapshot.pipeline.sources.operation_limit
    if logs is None or not (logs.complete or logs.operations_since):
        return
    groups: dict[tuple[str, str], list[Operation]] = {}
    for operation in logs.operations:
        if is_stuck(operation, logs, limit):
            groups.setdefault((operation.name, operation.source), []).append(operation)
    for stuck in groups.values():
        runs = [each for each in logs.operations if same_operation(each, stuck[0])]
        never = len(runs) >= _OFTEN and not any(each.ended for each in runs)
        yield _finding(logs, runs if never else stuck, len(runs), "never ends" if never else None)


def _finding(logs: Logs, stuck: Sequence[Operation], runs: int, always: str | None) -> Finding:
    newest_first = sorted(stuck, key=lambda each: each.started, reverse=True)
    newest = newest_first[0]
    age = _ago(logs.until, newest.started)
    if len(stuck) == 1:
        silence = _ago(logs.until, newest.last_sign)
        summary = f"an operation started {age} ago and never ended; its last sign is {silence} old"
    else:
        summary = f"{len(stuck):,} of {counted(runs, 'run')} of an operation never ended; the newest started {age} ago"
    return Finding(
        rule="stuck-operation",
        severity=Severity.P1,
        subject=newest.source,
        fault=(newest.name, *((always,) if always else (f"{_which(each)} {each.revision}" for each in newest_first))),
        summary=summary,
        evidence=_facts(newest_first, logs.until),
        level=Level.RUNTIME,
        next_step=f"read the logs of {newest.source} from its START on; Cloud Run ends what exceeds its timeout",
        count=len(stuck),
    )


def _facts(newest_first: Sequence[Operation], until: datetime) -> tuple[Fact, ...]:
    first = newest_first[0]
    started = Fact(subject=first.name, detail=f"started {first.started:%Y-%m-%d %H:%M:%S} UTC")
    ran = Fact(subject=first.revision or first.source, detail="is where it ran")
    others = [
        Fact(
            subject=each.revision or each.source,
            detail=f"started it {each.started:%Y-%m-%d %H:%M:%S} UTC; last sign {_ago(until, each.last_sign)} ago",
        )
        for each in newest_first[1:]
    ]
    return (started, ran, *bounded(others, _MOST, "started earlier"))


def _ago(until: datetime, moment: datetime) -> str:
    return format_duration(max(until - moment, timedelta()))


def _which(operation: Operation) -> str:
    """Which run of the operation it is, the same whether its START is still within the window or not."""
    return operation.operation_id or str(round(operation.started.timestamp() / _ROUGHLY))


RULE = Rule(
    stuck_operation,
    needs=("logging",),
    fault="the operation's name, each START, and the revision or execution that runs it; the name alone where it was "
    "started three times or more and never ended",
    counts="runs that never ended",
    events=True,
)
