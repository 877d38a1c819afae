"""Labels, bytes and effects of one image that cannot all be right: whoever believes the wrong one repairs in vain.

In short: labels, bytes and effects of an image that cannot all be right: P2

Severity: P2: a contradiction harms by being believed. What it means for the pipeline is told by the rules about the
bytes (fix-not-deployed) and about heartbeats.
"""

from collections.abc import Iterator
from typing import Final

from checks.evidence.deployments import Deployments, Job, Service
from checks.evidence.running_images import parts_of
from checks.evidence.snapshot import Level
from checks.judge.context import Context
from checks.judge.deployed.levels import Ladder
from checks.judge.deployed.proofs import Outcome
from checks.judge.finding import Fact, Finding, Severity, bounded
from checks.judge.rule import Rule

_MOST: Final = 10
_NAMED: Final = 3


def image_drift(context: Context) -> Iterator[Finding]:
    """One finding for each service, with the jobs that follow it; one for each other job."""
    told: dict[str, list[tuple[Service | Job, Ladder]]] = {}
    for one, each in context.deployed:
        if each.contradictions:
            told.setdefault(context.snapshot.pipeline.follows(one.name) or one.name, []).append((one, each))
    pipeline, found = context.snapshot.pipeline, context.snapshot.deployments or Deployments()
    for subject, drifting in told.items():
        images = {f"{one.name} {part.digest}" for one, _ in drifting for part in parts_of(pipeline, found, one)}
        yield _finding(subject, drifting[0][0].region, sorted(images), [each for _, each in drifting])


def _finding(subject: str, region: str, images: list[str], drifting: list[Ladder]) -> Finding:
    facts = [Fact(subject=told, detail="cannot both be right") for each in drifting for told in each.contradictions]
    levels = {each.level for each in drifting if each.verdict is Outcome.CONTRADICTED}
    return Finding(
        rule="image-drift",
        severity=Severity.P2,
        subject=subject,
        region=region,
        fault=tuple(images),
        summary=f"labels, bytes and effects of {', '.join(each.name for each in drifting[:_NAMED])}"
        f"{f' and {len(drifting) - _NAMED} more' if len(drifting) > _NAMED else ''} cannot all be right",
        evidence=bounded(facts, _MOST),
        level=next((level for level in reversed(Level) if level in levels), Level.LABEL),
        next_step=f"believe the bytes: look at validate-daily probe {drifting[0].name}, and build anew without a cache",
        count=len(drifting),
    )


def _concerns(context: Context, one: Service | Job) -> bool:
    return bool(context.ladder_of(one).contradictions)


RULE = Rule(
    image_drift,
    needs=("cloud-run", "registry"),
    fault="the services and jobs that drift, and the image digests that they run",
    counts="services and jobs",
    concerns=_concerns,
)
