"""Reads what the logs tell about runs, trouble and operations: three searches at the same time, newest lines first.

They are three so that a flood of one kind cuts off no other. Texts are strangers': redacted, bounded, never obeyed.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from checks.evidence.logs import Logs
from checks.evidence.snapshot import Gap, Target
from checks.settings.pipeline import Pipeline
from checks.sources.addresses import log_projects
from checks.sources.budget import Budget, gaps, patient
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.logging.filter import FilterPart, log_filter
from checks.sources.logging.lines import LogLine
from checks.sources.logging.operations import fold_operations
from checks.sources.logging.queries import (
    fold_bursts,
    fold_runs,
    operations_question,
    runs_question,
    trouble_question,
)
from checks.sources.logging.quota import RateLimit, shared_limit
from checks.sources.logging.search import FoundLines, LogSearch, connect
from checks.sources.progress import Progress
from checks.sources.source import ReadRequest, SourceAnswer
from checks.sources.times import Micros, micros
from checks.text.plural import counted

SOURCE: Final = "logging"
_QUESTIONS: Final[dict[str, Callable[[str], FilterPart]]] = {
    "runs": runs_question,
    "trouble": lambda _marker: trouble_question(),
    "operations": lambda _marker: operations_question(),
}


async def read_logs(
    pipeline: Pipeline,
    target: Target,
    until: datetime,
    budget: Budget,
    progress: Progress,
    *,
    login: Login | None = None,
    limit: RateLimit | None = None,
    asked: Sequence[str] = tuple(_QUESTIONS),
) -> tuple[Logs | None, tuple[Gap, ...]]:
    """What the logs of all the pipeline's projects tell within its window.

    Args:
        pipeline: whose logs, and what marks a run in them.
        target: where Cloud Logging is.
        until: the end of the window.
        budget: what all calls together may take.
        progress: told that a search began.
        login: whose credentials; the application's default ones unless given.
        limit: the quota of reads; the one that the process shares unless given.
        asked: which of the questions "runs", "trouble" and "operations".

    Returns:
        The logs, None where no search got an answer; and a gap for each search that did not come to its end.
    """
    progress("searching logs", 0, None)
    projects = log_projects(pipeline)
    since, marker = until - min(pipeline.sources.window, _LONGEST), pipeline.sources.run_marker
    try:
        texts = _filters(since, until, marker, asked)
        async with patient(budget, connect(target, login or Login())) as api:
            search = LogSearch(api, projects, budget, limit or shared_limit(target.address, projects[0]))
            found = await asyncio.gather(*(search.find(text) for text in texts))
    except SourceError as error:
        return None, (error.gap(SOURCE),)
    failures = [
        (f"lines of {what}", _after_lines(each, each.failure))
        for what, each in zip(asked, found, strict=True)
        if each.failure
    ]
    missing = gaps(SOURCE, failures)
    if not any(each.pages for each in found):
        return None, missing
    return _logs(since, until, marker, dict(zip(asked, found, strict=True)), complete=not missing), missing


async def read(request: ReadRequest) -> SourceAnswer:
    """The logs, as a check asks for them."""
    found = await read_logs(
        request.pipeline, request.target, request.until, request.budget, request.progress, login=request.login
    )
    return SourceAnswer(*found)


def _filters(since: datetime, until: datetime, marker: str, asked: Iterable[str]) -> list[str]:
    try:
        return [log_filter(since, until, _QUESTIONS[name](marker)) for name in asked]
    except ValueError as error:
        raise SourceError(f"run_marker: {error}", "change run_marker under [sources]") from error


def _logs(since: datetime, until: datetime, marker: str, found: Mapping[str, FoundLines], *, complete: bool) -> Logs:
    window = micros(since), micros(until)
    runs, trouble, operations = (
        [line for line in found[name].lines if _within(line, window)] if name in found else [] for name in _QUESTIONS
    )
    return Logs(
        since=since,
        until=until,
        runs=fold_runs(marker)(runs),
        bursts=fold_bursts(trouble),
        operations=fold_operations(operations, window[0]),
        complete=complete,
    )


def _within(line: LogLine, window: tuple[Micros, Micros]) -> bool:
    return window[0] <= line.at <= window[1]


def _after_lines(found: FoundLines, failure: SourceError) -> SourceError:
    if not found.lines:
        return failure
    return SourceError(f"{failure}, after {counted(len(found.lines), 'line')}", failure.next_step)


_LONGEST: Final = timedelta(days=3_650)
"""The longest window; Cloud Logging keeps nothing for longer."""
