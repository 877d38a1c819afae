"""What rules say of a service that does not serve what was deployed; they share the proof."""

from collections.abc import Iterable

from checks.evidence.deployments import Deployments, Service
from checks.evidence.pushed_images import pushed_of
from checks.evidence.snapshot import Level
from checks.judge.finding import Fact, Finding, Severity
from checks.settings.pipeline import Pipeline


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


def is_meant(pipeline: Pipeline, deployments: Deployments, service: Service) -> bool:
    """Whether every share of the traffic runs what the settings' tag points at; False also where that is not known."""
    if pipeline.tag_of(service.name) is None:
        return False
    pushed = pushed_of(pipeline, deployments, service)
    return bool(pushed) and all(
        each.tag is not None
        and bool(each.serving)
        and all(image and image.digest and deployments.meets(each.tag, image.digest) for *_, image in each.serving)
        for each in pushed
    )


def serving_of(service: Service) -> str:
    """The revisions that serve, by their names."""
    return ", ".join(share.revision for share in service.shares) or "nothing"
