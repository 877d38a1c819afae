"""What a revision said: the lines that tell why it did not start, or what it does now that it serves."""

from datetime import timedelta
from typing import Final

from checks.ask.questions import search_logs
from checks.evidence.deployments import Revision
from checks.evidence.logs import LogPage
from checks.settings.errors import UsageError
from checks.sources.logging.question import LogQuestion
from validate_daily.repairs.cloud_run.session import RunSession

_LINES: Final = 10
_SECONDS: Final = 20.0
_WINDOW: Final = timedelta(minutes=30)
_EARLIER: Final = timedelta(minutes=1)


async def last_lines(session: RunSession, revision: Revision) -> tuple[str, ...]:
    """The newest lines of a revision, oldest first; one that says why where there are none."""
    page, why = await lines_of(session, revision, severity="DEFAULT")
    if page is None:
        return (f"its log lines could not be read: {why}",)
    if not page.lines:
        return ("no log line of it was found yet",)
    return tuple(f"{each.at:%H:%M:%S} {each.severity} {each.text}" for each in reversed(page.lines))


async def lines_of(session: RunSession, revision: Revision, *, severity: str) -> tuple[LogPage | None, str]:
    """A page of a revision's lines since it was made; None and the reason where the logs do not answer."""
    question = LogQuestion(
        since=revision.created_at - _EARLIER,
        until=max(session.clock(), revision.created_at) + _WINDOW,
        service=revision.service,
        revision=revision.name,
        severity=severity,
    )
    try:
        page, gaps = await search_logs(
            session.settings.pipeline,
            question,
            limit=_LINES,
            session=session.reader,
            timeout=min(_SECONDS, max(1.0, session.budget.remaining())),
            environment=session.environment,
        )
    except UsageError as error:
        return None, str(error)
    return page, "; ".join(gap.reason for gap in gaps)
