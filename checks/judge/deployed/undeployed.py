"""What rules say of a service that does not serve what was deployed; they share the proof."""

from checks.evidence.deployments import Service
from checks.evidence.snapshot import Level
from checks.judge.finding import Fact, Finding, Severity


def not_deployed(
    rule: str, service: Service, severity: Severity, summary: str, facts: tuple[Fact, ...], step: str
) -> Finding:
    """A finding about a service, proved by digests."""
    return Finding(
        rule=rule,
        severity=severity,
        subject=service.name,
        summary=summary,
        evidence=facts,
        level=Level.DIGEST,
        next_step=step,
    )
