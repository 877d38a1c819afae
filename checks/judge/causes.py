"""Where several findings share a cause, one root finding carries the others.

A root carries and never hides: every finding keeps its own severity. Roots are ordered by the worst that they carry,
and so is the verdict.
"""

from collections.abc import Iterable, Sequence

from checks.evidence.base import Evidence, Untrusted
from checks.evidence.command import Command
from checks.judge.finding import Finding, Severity, worst_of


class RootFinding(Evidence):
    """A finding that no other explains, told in short.

    Attributes:
        rule, subject, fingerprint, command: of the finding.
        severity: the worst of the finding and all that it carries.
    """

    rule: str
    subject: Untrusted
    severity: Severity
    fingerprint: str
    command: Command | None = None


def with_causes(findings: Iterable[Finding]) -> list[Finding]:
    """Order findings worst first, each root followed by those that it is the cause of.

    A finding that another explains bears that one's key as its ``cause``, followed up to the root. What could not be
    seen explains nothing.
    """
    ordered = sorted(findings, key=lambda finding: finding.severity.rank)
    by_key = {finding.key: finding for finding in ordered}
    causes: dict[str, str] = {}
    for finding in ordered:
        if finding.severity is not Severity.UNKNOWN:
            for explained in finding.explains:
                if explained in by_key and explained not in causes and _root(finding.key, causes) != explained:
                    causes[explained] = finding.key
    groups: dict[str, list[Finding]] = {}
    for finding in ordered:
        if finding.key not in causes:
            groups.setdefault(finding.key, []).append(_caused(finding, None))
    for finding in ordered:
        if finding.key in causes:
            root = _root(finding.key, causes)
            groups[root].append(_caused(finding, root))
    return [each for group in sorted(groups.values(), key=_rank) for each in group]


def grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    """The findings of ``with_causes``: each root with all that it carries."""
    groups: list[list[Finding]] = []
    for finding in findings:
        if finding.cause is None:
            groups.append([finding])
        else:
            groups[-1].append(finding)
    return groups


def roots_of(findings: Iterable[Finding]) -> tuple[RootFinding, ...]:
    """The roots of findings in the order of ``with_causes``."""
    return tuple(
        RootFinding(
            rule=group[0].rule,
            subject=group[0].subject,
            severity=worst_of(group) or group[0].severity,
            fingerprint=group[0].fingerprint,
            command=group[0].command,
        )
        for group in grouped(findings)
    )


def _root(key: str, causes: dict[str, str]) -> str:
    while key in causes:
        key = causes[key]
    return key


def _rank(group: Sequence[Finding]) -> tuple[int, int]:
    return min(each.severity.rank for each in group), group[0].severity.rank


def _caused(finding: Finding, root: str | None) -> Finding:
    return finding if finding.cause == root else finding.model_copy(update={"cause": root})
