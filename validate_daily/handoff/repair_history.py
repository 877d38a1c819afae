"""What the audit tells of repairs, for a handoff: each with what became of it, or that nobody knows."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from checks.evidence.snapshot import Target
from checks.settings.file import Settings
from validate_daily.handoff.text import RepairHistory, RepairRecord
from validate_daily.repairs.plans.audit_event import AuditError, Event
from validate_daily.repairs.stores.audit_file import FileAudit, audit_path

_MOST: Final = 50


def repairs_since(settings: Settings, since: datetime, targets: Iterable[Target]) -> RepairHistory:
    """The pipeline's repairs that began or ended since a time, oldest first; the last fifty of them.

    An audit that cannot be read, or is kept in Cloud Logging, is said to be unread: it is never an empty one.

    Args:
        settings: where the audit is.
        since: with a zone.
        targets: what the look at the pipeline spoke to: what was done in another cloud is not told.
    """
    where = tuple(targets)
    log = settings.audit.cloud_logging
    if log is not None:
        unread = f"the audit is the log {log} of Cloud Logging, and was not read: read it there"
        return RepairHistory(since=since, unread=unread)
    found: OrderedDict[str, Event] = OrderedDict()
    try:
        for line in FileAudit(audit_path(settings)).lines():
            event = line.event
            if event.moment != "fact" and event.at >= since and event.is_of(settings.pipeline, where):
                found[event.plan or f"line {line.number}"] = event
    except AuditError as error:
        return RepairHistory(since=since, made=_records(found), unread=str(error))
    return RepairHistory(since=since, made=_records(found))


def _records(found: OrderedDict[str, Event]) -> tuple[RepairRecord, ...]:
    return tuple(map(_record, list(found.values())[-_MOST:]))


def _record(event: Event) -> RepairRecord:
    """The last line of a plan: one "before" without another line after it has no outcome."""
    outcome = None if event.outcome is None else str(event.outcome.get("summary"))[:300]
    if event.moment == "interrupted":
        outcome = f"interrupted: {outcome or 'nobody knows how far it came'}"
    return RepairRecord(
        at=event.at,
        repair=event.repair,
        subject=event.subject,
        outcome=outcome,
        by=f"{event.principal.name} ({event.identity})",
        plan=event.plan,
    )
