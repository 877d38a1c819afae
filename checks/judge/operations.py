"""Long operations, as the logs tell of them: which should have ended and have not."""

from collections.abc import Iterable
from datetime import timedelta

from checks.evidence.logs import Logs, Operation


def is_stuck(operation: Operation, logs: Logs, limit: timedelta) -> bool:
    """Whether an operation of these logs, which were searched to their end, should have ended and has not."""
    over = logs.until - operation.started > limit
    return over and not operation.ended and not _done_since(logs.operations, operation)


def _done_since(operations: Iterable[Operation], stuck: Operation) -> bool:
    return any(
        later.ended and (later.name, later.source) == (stuck.name, stuck.source) and later.started > stuck.started
        for later in operations
    )
