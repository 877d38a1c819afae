"""What rules say of a service that does not serve what was deployed; they share the proof."""

from collections.abc import Iterable

from checks.evidence.deployments import Service
from checks.evidence.snapshot import Level
from checks.judge.finding import Fact, Finding, Severity


def not_deployed(
    rule: str,
    service: Service,
    severity: Severity,
    summary: str,
    facts: tuple[Fact, ...],
    step: str,
    *,
    fault: Iterable[str],
    percent: int | None = None,
) -> Finding:
    """A finding about a service, proved by digests; ``percent`` of its traffic is concerned."""
    return Finding(
        rule=rule,
        severity=severity,
        subject=service.name,
        region=service.region,
        fault=tuple(fault),
        count=percent,
        summary=summary,
        evidence=facts,
        level=Level.DIGEST,
        next_step=step,
    )
