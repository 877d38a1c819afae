"""Answers a person's question about the logs, a page at a time: a filter of typed parts, lines that are redacted."""

from collections.abc import Iterator
from typing import Final

from google.logging.type.log_severity_pb2 import LogSeverity

from checks.evidence.logs import FoundLine, LogPage
from checks.evidence.snapshot import Gap, Target
from checks.sources.budget import Budget, patient
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.logging.filter import AllOf, AnyOf, Compare, FilterPart, anywhere, log_filter
from checks.sources.logging.lines import LogLine
from checks.sources.logging.queries import CLOUD_RUN, TEXTS
from checks.sources.logging.question import LogQuestion
from checks.sources.logging.quota import shared_limit
from checks.sources.logging.search import LogSearch, connect
from checks.sources.times import moment
from checks.text.redact import excerpt

SOURCE: Final = "logging"
_EXECUTION: Final = 'labels."run.googleapis.com/execution_name"'


async def read_page(
    projects: tuple[str, ...],
    target: Target,
    question: LogQuestion,
    limit: int,
    token: str,
    budget: Budget,
    *,
    login: Login,
) -> tuple[LogPage | None, tuple[Gap, ...]]:
    """The lines of one page; None where there is no answer, and a gap where the search did not come to its end."""
    try:
        text = _filter(question)
        async with patient(budget, connect(target, login)) as api:
            search = LogSearch(api, projects, budget, shared_limit(target.address, projects[0]))
            found = await search.find(text, token, limit)
    except SourceError as error:
        return None, (error.gap(SOURCE),)
    gaps = (_mended(found.failure).gap(SOURCE),) if found.failure else ()
    if not found.pages:
        return None, gaps
    page = LogPage(
        lines=tuple(_found_line(line) for line in found.lines),
        complete=not found.failure and not found.token,
        next_page_token=found.token or None,
    )
    return page, gaps


def _mended(failure: SourceError) -> SourceError:
    """A refused question is the asker's to mend; the filter itself is always well formed."""
    if not str(failure).startswith("INVALID_ARGUMENT"):
        return failure
    return SourceError(str(failure), "mend the regular expression (RE2), or begin the search anew")


def _filter(question: LogQuestion) -> str:
    try:
        return log_filter(question.since, question.until, AllOf(tuple(_parts(question))))
    except ValueError as error:
        raise SourceError(f"cannot be searched for: {error}", "ask in other words") from error


def _parts(question: LogQuestion) -> Iterator[FilterPart]:
    yield CLOUD_RUN
    if question.service:
        yield Compare("resource.labels.service_name", "=", question.service)
    if question.job:
        yield Compare("resource.labels.job_name", "=", question.job)
    if question.revision:
        revision = Compare("resource.labels.revision_name", "=", question.revision)
        yield AnyOf((revision, Compare(_EXECUTION, "=", question.revision)))
    if question.severity != "DEFAULT":
        yield Compare("severity", ">=", question.severity)
    if question.text:
        yield anywhere(question.text, *TEXTS)
    if question.regex:
        yield anywhere(question.regex, *TEXTS, operator="=~")


def _found_line(line: LogLine) -> FoundLine:
    return FoundLine(
        at=moment(line.at),
        source=line.source,
        revision=line.revision,
        severity=_severity(line.severity),
        text=excerpt(line.text),
    )


def _severity(number: int) -> str:
    known = LogSeverity.DESCRIPTOR.values_by_number
    return str(known[number].name) if number in known else str(number)
