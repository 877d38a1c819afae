"""Reads what the logs tell about runs, trouble and operations: three searches at the same time, newest lines first.

They are three so that a flood of one kind cuts off no other. Texts are strangers': redacted, bounded, never obeyed.
A fourth search looks for run lines in other logs, only where a registered processor has none in those that are named.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote

from checks.evidence.logs import Elsewhere, Logs
from checks.evidence.snapshot import Gap, Target
from checks.settings.pipeline import Pipeline
from checks.sources.addresses import log_projects
from checks.sources.budget import Budget, gaps, patient
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.logging.bursts import fold_bursts
from checks.sources.logging.filter import FilterPart, log_filter
from checks.sources.logging.lines import LogLine
from checks.sources.logging.operations import fold_operations
from checks.sources.logging.queries import (
    LOGS,
    in_other_logs,
    operations_question,
    runs_question,
    trouble_question,
    within_logs,
)
from checks.sources.logging.quota import RateLimit, shared_limit
from checks.sources.logging.runs import fold_runs, run_of
from checks.sources.logging.search import PAGE, FoundLines, LogSearch, connect
from checks.sources.logging.window import find_within
from checks.sources.progress import Progress
from checks.sources.source import ReadRequest, SourceAnswer
from checks.sources.times import micros
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
    window = _Window(until - min(pipeline.sources.window, _LONGEST), until)
    logs = (*LOGS, *pipeline.sources.logs)
    try:
        parts = [within_logs(part, projects, logs) for part in _parts(pipeline, window, asked)]
        async with patient(budget, connect(target, login or Login())) as api:
            search = LogSearch(api, projects, budget, limit or shared_limit(target.address, projects[0]))
            found = await asyncio.gather(*(find_within(search, window.since, window.end, part) for part in parts))
            answers = dict(zip(asked, found, strict=True))
            others = await _other_logs(search, pipeline, window, answers)
    except SourceError as error:
        return None, (error.gap(SOURCE),)
    failures = [
        (f"lines of {what}", _after_lines(each, each.failure)) for what, each in answers.items() if each.failure
    ]
    if others and others.failure:
        failures.append(("lines of runs in other logs", others.failure))
    missing = gaps(SOURCE, failures)
    if not any(each.pages for each in found):
        return None, missing
    return _logs(pipeline, window, answers, others, complete=not missing), missing


async def read(request: ReadRequest) -> SourceAnswer:
    """The logs, as a check asks for them."""
    found = await read_logs(
        request.pipeline, request.target, request.until, request.budget, request.progress, login=request.login
    )
    return SourceAnswer(*found)


@dataclass(frozen=True, slots=True)
class _Window:
    """What is searched. Clocks of writers may be ahead, so the search ends a little later than the window."""

    since: datetime
    until: datetime

    @property
    def end(self) -> datetime:
        """Where the search ends."""
        return self.until + _AHEAD

    def holding(self, lines: Iterable[LogLine]) -> list[LogLine]:
        """The lines that were written within what is searched."""
        first, last = micros(self.since), micros(self.end)
        return [line for line in lines if first <= line.at <= last]


def _parts(pipeline: Pipeline, window: _Window, asked: Iterable[str]) -> list[FilterPart]:
    try:
        parts = [_QUESTIONS[name](pipeline.sources.run_marker) for name in asked]
        for part in parts:
            log_filter(window.since, window.end, part)
    except ValueError as error:
        raise SourceError(f"run_marker: {error}", "change run_marker under [sources]") from error
    return parts


async def _other_logs(
    search: LogSearch, pipeline: Pipeline, window: _Window, found: Mapping[str, FoundLines]
) -> FoundLines | None:
    """One page of run lines in other logs, where a registered processor has none; else nothing is asked."""
    runs = found.get("runs")
    if runs is None or runs.failure or not pipeline.heartbeats.processors:
        return None
    told = {each.processor for each in fold_runs(runs.lines, pipeline.sources.run_marker)}
    if all(not told.isdisjoint(each.names) for each in pipeline.heartbeats.processors if each.must_beat):
        return None
    part = in_other_logs(runs_question(pipeline.sources.run_marker), search.projects, (*LOGS, *pipeline.sources.logs))
    return await search.find(log_filter(window.since, window.end, part), limit=PAGE)


def _logs(
    pipeline: Pipeline,
    window: _Window,
    found: Mapping[str, FoundLines],
    others: FoundLines | None,
    *,
    complete: bool,
) -> Logs:
    runs, trouble, operations = (window.holding(found[name].lines) if name in found else [] for name in _QUESTIONS)
    marker, heartbeats = pipeline.sources.run_marker, pipeline.heartbeats
    since = found["operations"].searched_since if "operations" in found else None
    elsewhere = {
        (name, line.log): Elsewhere(processor=name, source=line.source, log=unquote(line.log))
        for line in window.holding(others.lines if others else ())
        if (name := run_of(line, marker))
    }
    return Logs(
        since=window.since,
        until=window.until,
        runs=fold_runs(runs, marker),
        bursts=fold_bursts(trouble, heartbeats.registered, heartbeats.collection),
        operations=fold_operations(operations, micros(since or window.since)),
        complete=complete,
        operations_since=None if complete else since,
        elsewhere=tuple(elsewhere[key] for key in sorted(elsewhere)),
    )


def _after_lines(found: FoundLines, failure: SourceError) -> SourceError:
    if not found.lines:
        return failure
    return SourceError(f"{failure}, after {counted(len(found.lines), 'line')}", failure.next_step)


_LONGEST: Final = timedelta(days=3_650)
"""The longest window; Cloud Logging keeps nothing for longer."""

_AHEAD: Final = timedelta(minutes=15)
"""How far clocks of those who write may be ahead."""
