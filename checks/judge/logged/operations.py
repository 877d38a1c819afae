"""Long operations, as the logs tell of them: which should have ended and have not, and which a restart ended."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from checks.evidence.logs import Logs, Operation

_OVERLAP: Final = timedelta(seconds=5)
"""Operations of one name that start no further apart run side by side: none is the other's retry."""


def is_stuck(operation: Operation, logs: Logs, limit: timedelta) -> bool:
    """Whether an operation of these logs, which were searched to their end, should have ended and has not."""
    over = logs.until - operation.started > limit
    return over and not operation.ended and not _was_repeated(logs.operations, operation)


def same_operation(one: Operation, other: Operation) -> bool:
    """Whether both are runs of the same operation of the same service or job."""
    return (one.name, one.source) == (other.name, other.source)


def _was_repeated(operations: Iterable[Operation], stuck: Operation) -> bool:
    """Whether a restart ended it: it gave no sign since a later run of it began, and that came to its end.

    A later attempt at the same task is a restart by itself.
    """
    later = (
        each
        for each in operations
        if same_operation(each, stuck) and each.started > stuck.started + _OVERLAP and stuck.last_sign <= each.started
    )
    return any((each.ended and _may_repeat(each, stuck)) or _next_attempt(each, stuck) for each in later)


def _may_repeat(later: Operation, stuck: Operation) -> bool:
    """Another task does another part of the work."""
    return later.task is None or stuck.task is None or later.task == stuck.task


def _next_attempt(later: Operation, stuck: Operation) -> bool:
    if later.attempt is None or stuck.attempt is None or later.task is None:
        return False
    return (later.revision, later.task) == (stuck.revision, stuck.task) and later.attempt > stuck.attempt
