"""What rules say of a service that does not serve what was deployed; they share the proof and what it explains."""

from checks.deployments import Service
from checks.evidence import Level
from checks.finding import Fact, Finding, Severity, key


def not_deployed(
    rule: str, service: Service, severity: Severity, summary: str, facts: tuple[Fact, ...], step: str
) -> Finding:
    """A finding about a service, proved by digests. A commit label that is ahead of what serves follows from it."""
    return Finding(
        rule=rule,
        severity=severity,
        subject=service.name,
        summary=summary,
        evidence=facts,
        level=Level.DIGEST,
        next_step=step,
        explains=(key("commit-label-contradicted", service.name),),
    )
