"""An operation that told of its START and of no END within its limit hangs, or was killed: Cloud Run kills at 30 min.

In short: a START in the logs without END, beyond its limit: P1

Severity: P1: what it should have produced is missing. The limit is a setting. A search of the logs that was cut short
could have missed the END, so then nothing is said; nor is it where a later one of the same name came to its END.
"""

from collections.abc import Iterator

from checks.evidence.snapshot import Level
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.operations import is_stuck
from checks.judge.rule import Rule
from checks.text.duration import format_duration


def stuck_operation(context: Context) -> Iterator[Finding]:
    """One finding per operation."""
    logs, limit = context.snapshot.logs, context.snapshot.pipeline.sources.operation_limit
    if logs is None or not logs.complete:
        return
    for operation in logs.operations:
        if not is_stuck(operation, logs, limit):
            continue
        age = logs.until - operation.started
        silence = format_duration(logs.until - operation.last_sign)
        yield Finding(
            rule="stuck-operation",
            severity=Severity.P1,
            subject=operation.source,
            fault=(operation.name, operation.started.isoformat(), operation.revision or ""),
            summary=f"an operation started {format_duration(age)} ago and never ended; its last sign is {silence} old",
            evidence=(
                Fact(subject=operation.name, detail=f"started {operation.started:%Y-%m-%d %H:%M:%S} UTC"),
                Fact(subject=operation.revision or operation.source, detail="is where it ran"),
            ),
            level=Level.RUNTIME,
            count=1,
            next_step=f"read the logs of {operation.source} from its START on; Cloud Run ends what exceeds its timeout",
        )


RULE = Rule(
    stuck_operation,
    needs=("logging",),
    fault="the operation's name, its START, and the revision or execution that runs it",
    counts="operations",
    events=True,
)
