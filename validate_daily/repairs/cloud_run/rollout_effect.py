"""What a redeploy brought, as far as it shows at once: its files, what it logs, and what its processors write."""

from typing import Final

from checks.ask.questions import recent_malformed
from checks.evidence.deployments import Revision
from checks.settings.errors import UsageError
from checks.text.plural import counted, form
from checks.text.show import show
from validate_daily.repairs.cloud_run.images.image_code import code_of
from validate_daily.repairs.cloud_run.revision_logs import lines_of
from validate_daily.repairs.cloud_run.session import RunSession

_SECONDS: Final = 20.0
_SHOWN: Final = 3


async def effect_of(session: RunSession, revision: Revision) -> tuple[str, ...]:
    """What was seen of a revision at work, in sentences; what could not be seen is one of them, and no failure."""
    code = await code_of(session, revision.service, [revision.image])
    return (code.summary, *await _errors(session, revision), await _heartbeats(session, revision))


async def _errors(session: RunSession, revision: Revision) -> list[str]:
    page, why = await lines_of(session, revision, severity="ERROR")
    if page is None:
        return [f"unknown: its log lines could not be read: {why}"]
    if not page.lines:
        found = "no line of severity ERROR was found" if page.complete else "unknown: the log search was cut short"
        return [f"{found} of {revision.name} yet"]
    lines = [f"{each.at:%H:%M:%S} {each.severity} {show(each.text, limit=200)}" for each in page.lines[:_SHOWN]]
    found, were = counted(len(page.lines), "line"), form(len(page.lines), "was", "were")
    return [f"{found} of severity ERROR or worse {were} found of {revision.name}", *lines]


async def _heartbeats(session: RunSession, revision: Revision) -> str:
    now = max(session.clock(), revision.created_at)
    try:
        found, gaps = await recent_malformed(
            session.settings.pipeline,
            window=now - revision.created_at + (now - revision.created_at) / 10,
            session=session.reader,
            timeout=min(_SECONDS, max(1.0, session.budget.remaining())),
            environment=session.environment,
        )
    except UsageError as error:
        return f"unknown: its heartbeats could not be read: {error}"
    if found is None or gaps:
        return f"unknown: its heartbeats could not be read: {gaps[0].reason if gaps else 'no answer'}"
    own = [each for each in found.processors if each.service == revision.service and revision.name in each.revisions]
    if own:
        return f"it writes malformed heartbeats: {', '.join(show(each.processor, limit=100) for each in own[:_SHOWN])}"
    return f"{counted(found.scanned, 'heartbeat')} since it was made; no malformed one says that this revision wrote it"
