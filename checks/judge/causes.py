"""Where several findings share a cause, one root finding carries the others."""

from collections.abc import Iterable

from checks.judge.finding import Finding, Severity


def with_causes(findings: Iterable[Finding]) -> list[Finding]:
    """Order findings worst first, each root followed by those that it is the cause of.

    A finding that another explains bears that one's key as its ``cause``, followed up to the root. A root is at least
    as severe as the worst that it carries. What could not be seen explains nothing.
    """
    ordered = sorted(findings, key=lambda finding: finding.severity.rank)
    by_key = {finding.key: finding for finding in ordered}
    causes: dict[str, str] = {}
    for finding in ordered:
        if finding.severity is not Severity.UNKNOWN:
            for explained in finding.explains:
                if explained in by_key and explained not in causes and _root(finding.key, causes) != explained:
                    causes[explained] = finding.key
    carried: dict[str, list[Finding]] = {}
    for finding in ordered:
        if finding.key in causes:
            root = _root(finding.key, causes)
            carried.setdefault(root, []).append(finding.model_copy(update={"cause": root}))
    roots = [_raised(finding, carried.get(finding.key, [])) for finding in ordered if finding.key not in causes]
    roots.sort(key=lambda finding: finding.severity.rank)
    return [each for root in roots for each in (root, *carried.get(root.key, []))]


def _root(key: str, causes: dict[str, str]) -> str:
    while key in causes:
        key = causes[key]
    return key


def _raised(root: Finding, carried: Iterable[Finding]) -> Finding:
    worst = min((root.severity, *(each.severity for each in carried)), key=lambda severity: severity.rank)
    return root if worst is root.severity else root.model_copy(update={"severity": worst})
