"""Long operations that did not end: the answer of ``find_stuck_operations``."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from pydantic import AwareDatetime

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.logs import Logs, Operation
from checks.evidence.snapshot import Gap
from checks.judge.finding import Severity
from checks.judge.logged.operations import is_stuck
from checks.judge.verdict import Verdict
from mcp_server.answers.answer import Searched, ToolAnswer, notes

MOST: Final = 10
"""Operations of one kind that one answer names, those that began last."""


class OperationRow(Evidence):
    """One operation that told of its START and of no END. ``last_sign`` is its newest line."""

    operation: Untrusted
    source: Untrusted
    revision: Untrusted | None
    started: AwareDatetime
    minutes: Count
    last_sign: AwareDatetime


class OperationsAnswer(ToolAnswer):
    """The operations that told of their START within the window.

    Attributes:
        verdict: P1 if one is stuck, unknown if that could not be seen, else healthy.
        limit_minutes: how long an operation may run; beyond it, it is stuck.
        stuck, running: without END, beyond and within the limit; ``omitted`` counts those left out of both.
        ended: how many came to their END; null where nothing could be read.
    """

    verdict: Verdict
    limit_minutes: Count
    stuck: tuple[OperationRow, ...] = ()
    running: tuple[OperationRow, ...] = ()
    omitted: Count = 0
    ended: Count | None = None


def operations_answer(
    logs: Logs | None, gaps: Sequence[Gap], searched: Searched, limit: timedelta, *, practice: bool
) -> OperationsAnswer:
    """What the logs tell of operations.

    Args:
        logs: None where Cloud Logging gave no answer.
        gaps: what could not be read.
        searched: where was looked.
        limit: how long an operation may run.
        practice: whether that was a sandbox.
    """
    minutes = int(limit.total_seconds() // 60)
    if logs is None or not logs.complete:
        return OperationsAnswer(
            practice=practice,
            searched=searched,
            complete=False,
            gaps=tuple(gaps),
            note="The search did not end, and an END may have been missed: nothing is said of any operation.",
            verdict=Verdict.UNKNOWN,
            limit_minutes=minutes,
        )
    stuck = [each for each in logs.operations if is_stuck(each, logs, limit)]
    running = [each for each in logs.operations if not each.ended and logs.until - each.started <= limit]
    return OperationsAnswer(
        practice=practice,
        searched=searched,
        complete=True,
        gaps=tuple(gaps),
        note=notes(_empty(logs)),
        verdict=Verdict(Severity.P1) if stuck else Verdict.HEALTHY,
        limit_minutes=minutes,
        stuck=_rows(stuck, logs),
        running=_rows(running, logs),
        omitted=max(0, len(stuck) - MOST) + max(0, len(running) - MOST),
        ended=sum(each.ended for each in logs.operations),
    )


def _empty(logs: Logs) -> str | None:
    if logs.operations:
        return None
    return "No line in this window tells of a START. Only operations that use the HeartbeatLogger can be seen."


def _rows(operations: Iterable[Operation], logs: Logs) -> tuple[OperationRow, ...]:
    first = sorted(operations, key=lambda each: each.started, reverse=True)[:MOST]
    return tuple(
        OperationRow(
            operation=each.name,
            source=each.source,
            revision=each.revision,
            started=each.started,
            minutes=max(0, int((logs.until - each.started).total_seconds() // 60)),
            last_sign=each.last_sign,
        )
        for each in first
    )
