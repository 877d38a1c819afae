"""Expected quiet and accepted debt: what the settings take out of the exit code, and never out of sight."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from pydantic import AwareDatetime

from checks.evidence.base import Evidence
from checks.evidence.snapshot import Snapshot
from checks.judge.finding import Fact, Finding, Severity
from checks.settings.excuses import Accepted
from checks.text.plural import counted

LONGEST: Final = timedelta(days=90)
"""Nobody accepts a finding for longer than this: it would be forgotten."""


class Excused(Evidence):
    """A finding that the settings expect or accept, with the reason, by whom, and until when.

    ``line_to_add`` is what its ``[[accepted]]`` entry lacks: with that line it excuses this fault and no other.
    """

    finding: Finding
    reason: str
    by: str | None = None
    until: AwareDatetime
    line_to_add: str | None = None


@dataclass(slots=True)
class ExcusedFindings:
    """Findings told apart: what counts, what is expected to be quiet, what is accepted."""

    open: list[Finding] = field(default_factory=list[Finding])
    quiet: list[Excused] = field(default_factory=list[Excused])
    accepted: list[Excused] = field(default_factory=list[Excused])


def tell_apart(snapshot: Snapshot, findings: Iterable[Finding], quiet: Collection[str]) -> ExcusedFindings:
    """Take out what is excused now. What an accepted finding carries is accepted with it, unless it is worse.

    Args:
        snapshot: what was seen, and what the settings excuse.
        findings: those of all rules, as ``with_causes`` orders them: a root before what it carries.
        quiet: the rules whose findings a quiet window excuses.
    """
    told = ExcusedFindings()
    left: list[Finding] = []
    for finding in findings:
        windows = snapshot.pipeline.quiet_windows(finding.subject, snapshot.taken_at) if finding.rule in quiet else ()
        if windows:
            last = max(windows, key=lambda each: each.until)
            told.quiet.append(Excused(finding=finding, reason=last.reason, until=last.until))
        else:
            left.append(finding)
    judged = {id(finding): _judged(snapshot, finding, left) for finding in left}
    open_roots = {each.key for each in left if each.cause is None and judged[id(each)].entry is None}
    roots = {each.key: judged[id(each)].entry for each in left if each.cause is None and each.key not in open_roots}
    for finding in left:
        verdict, root = judged[id(finding)], roots.get(finding.cause or "")
        if verdict.entry is None and root is not None:
            verdict = _carried(root, finding)
        if verdict.entry is None:
            told.open.append(_returned(finding, verdict.facts))
        else:
            told.accepted.append(_accepted(finding, verdict.entry))
    return told


@dataclass(frozen=True, slots=True)
class _Judged:
    """The entry that accepts a finding; else what to say of those that are about it and do not."""

    entry: Accepted | None = None
    facts: tuple[Fact, ...] = ()


def _judged(snapshot: Snapshot, finding: Finding, beside: Sequence[Finding]) -> _Judged:
    """Any entry that holds accepts; where none does, the one that would have held longest says why not."""
    about = [entry for entry in snapshot.pipeline.accepted if _about(entry, finding)]
    if not about:
        return _Judged()
    refused: list[tuple[Accepted, str]] = []
    for entry in sorted(about, key=lambda each: each.until, reverse=True):
        why = next(_refusals(snapshot, entry, finding, beside), None)
        if why is None:
            return _Judged(entry)
        refused.append((entry, why))
    return _Judged(facts=(_fact(*refused[0]),))


def _carried(root: Accepted, finding: Finding) -> _Judged:
    """An accepted cause excuses its consequences, unless one is worse than what was accepted."""
    why = next(_severity_refusals(root, finding), None)
    return _Judged(root) if why is None else _Judged(facts=(_fact(root, why),))


def _about(entry: Accepted, finding: Finding) -> bool:
    return (entry.rule, entry.subject) == (finding.rule, finding.subject)


def _refusals(snapshot: Snapshot, entry: Accepted, finding: Finding, beside: Sequence[Finding]) -> Iterator[str]:
    """Why an entry does not excuse this finding now; nothing if it does."""
    if entry.until <= snapshot.taken_at:
        yield "that has passed"
    if entry.until - snapshot.taken_at > LONGEST:
        yield f"nothing is accepted for longer than {LONGEST.days} days"
    yield from _severity_refusals(entry, finding)
    if entry.count is not None and finding.count is not None and finding.count > entry.count:
        yield f"it has grown from {entry.count:,} to {finding.count:,}"
    if entry.fingerprint is not None:
        if entry.fingerprint != finding.fingerprint:
            yield f"this is another fault: its {_line(finding)}"
        return
    alike = [each for each in beside if each.key == finding.key and not _accepted_by_name(snapshot, each)]
    faults = {each.fingerprint for each in (finding, *alike)}
    if len(faults) > 1:
        yield (
            f"{counted(len(faults), 'fault')} of this rule and subject are open, and the entry does not say which: "
            f"for this one, add {_line(finding)}"
        )


def _accepted_by_name(snapshot: Snapshot, finding: Finding) -> bool:
    """Whether an entry with the finding's own fingerprint accepts it."""
    own = (each for each in snapshot.pipeline.accepted if each.fingerprint is not None and _about(each, finding))
    return any(not any(_refusals(snapshot, entry, finding, ())) for entry in own)


def _severity_refusals(entry: Accepted, finding: Finding) -> Iterator[str]:
    if finding.severity in {Severity.P0, Severity.UNKNOWN}:
        yield f"{finding.severity} cannot be accepted"
    if finding.severity.rank < Severity(entry.severity).rank:
        yield f"it has become {finding.severity}"


def _line(finding: Finding) -> str:
    return f'fingerprint = "{finding.fingerprint}"'


def _fact(entry: Accepted, why: str) -> Fact:
    return Fact(subject=entry.by, detail=f"accepted it until {entry.until:%Y-%m-%d}, but {why}")


def _returned(finding: Finding, facts: tuple[Fact, ...]) -> Finding:
    return finding.model_copy(update={"evidence": (*finding.evidence, *facts)}) if facts else finding


def _accepted(finding: Finding, entry: Accepted) -> Excused:
    own = entry.fingerprint is None and _about(entry, finding)
    return Excused(
        finding=finding,
        reason=entry.reason,
        by=entry.by,
        until=entry.until,
        line_to_add=_line(finding) if own else None,
    )
