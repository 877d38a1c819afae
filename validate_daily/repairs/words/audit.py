"""The words for a line of the audit."""

from checks.text.show import show
from validate_daily.repairs.stores.audit_file import AuditLine


def audit_line(line: AuditLine) -> str:
    """What was done, where and to what; what became of it, and who agreed to it."""
    event = line.event
    outcome = "" if event.outcome is None else f": {show(str(event.outcome.get('summary')), limit=300)}"
    who = f"{show(event.principal.name, limit=100)} ({event.identity})"
    what = " ".join(filter(None, (event.repair, show(event.subject, limit=100), event.plan, event.moment)))
    practice = " (practice)" if event.target and event.target.practice else ""
    where = f" in {show(event.project, limit=100)}{practice}" if event.project else ""
    how = f", {event.approval.how}" if event.approval else ""
    return f"{line.number:>5} {event.at:%Y-%m-%d %H:%M:%S UTC} {what}{where}{outcome}; by {who}{how}"
