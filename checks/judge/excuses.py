"""Expected quiet and accepted debt: what the settings take out of the exit code, and never out of sight."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from pydantic import AwareDatetime

from checks.evidence.base import Evidence
from checks.evidence.snapshot import Snapshot
from checks.judge.finding import Fact, Finding, Severity
from checks.settings.excuses import Accepted

LONGEST: Final = timedelta(days=90)
"""Nobody accepts a finding for longer than this: it would be forgotten."""


class Excused(Evidence):
    """A finding that the settings expect or accept, with the reason, by whom, and until when."""

    finding: Finding
    reason: str
    by: str | None = None
    until: AwareDatetime


@dataclass(slots=True)
class ExcusedFindings:
    """Findings told apart: what counts, what is expected to be quiet, what is accepted."""

    open: list[Finding] = field(default_factory=list[Finding])
    quiet: list[Excused] = field(default_factory=list[Excused])
    accepted: list[Excused] = field(default_factory=list[Excused])


def tell_apart(snapshot: Snapshot, findings: Iterable[Finding], quiet: Collection[str]) -> ExcusedFindings:
    """Take out what is excused now. A finding that an accepted one carries is accepted with it.

    Args:
        snapshot: what was seen, and what the settings excuse.
        findings: those of all rules.
        quiet: the rules whose findings a quiet window excuses.
    """
    told = ExcusedFindings()
    excused: dict[str, Accepted] = {}
    for finding in findings:
        windows = snapshot.pipeline.quiet_windows(finding.subject, snapshot.taken_at) if finding.rule in quiet else ()
        if windows:
            last = max(windows, key=lambda each: each.until)
            told.quiet.append(Excused(finding=finding, reason=last.reason, until=last.until))
            continue
        entry = excused.get(finding.cause or "") or _entry(snapshot, finding)
        if entry is None:
            told.open.append(finding)
        elif (refusal := _refusal(snapshot, entry, finding)) is not None:
            fact = Fact(subject=entry.by, detail=f"accepted it until {entry.until:%Y-%m-%d}, but {refusal}")
            told.open.append(finding.model_copy(update={"evidence": (*finding.evidence, fact)}))
        else:
            excused[finding.key] = entry
            told.accepted.append(Excused(finding=finding, reason=entry.reason, by=entry.by, until=entry.until))
    return told


def _entry(snapshot: Snapshot, finding: Finding) -> Accepted | None:
    entries = (e for e in snapshot.pipeline.accepted if (e.rule, e.subject) == (finding.rule, finding.subject))
    return max(entries, key=lambda entry: entry.until, default=None)


def _refusal(snapshot: Snapshot, entry: Accepted, finding: Finding) -> str | None:
    """Why an entry does not excuse this finding now, or None if it does."""
    if entry.until <= snapshot.taken_at:
        return "that has passed"
    if entry.until - snapshot.taken_at > LONGEST:
        return f"nothing is accepted for longer than {LONGEST.days} days"
    if finding.severity in {Severity.P0, Severity.UNKNOWN}:
        return f"{finding.severity} cannot be accepted"
    if finding.severity.rank < Severity(entry.severity).rank:
        return f"it has become {finding.severity}"
    if entry.count is not None and finding.count is not None and finding.count > entry.count:
        return f"it has grown from {entry.count:,} to {finding.count:,}"
    return None
