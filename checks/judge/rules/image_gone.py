"""An image that its registry does not have any more: whoever still needs it cannot start, or cannot go back to it.

In short: a job's image is gone from its registry: P1 if one ran within 30 days, else P2; what a service serves: P2

Severity: a job pulls its image at each execution, so the next one cannot start: P1 where it ran within 30 days, else
P2. P2 for a service: Cloud Run keeps a copy of what a revision serves, but a redeploy, a rollback and every proof by
bytes need the registry. Only what the registry answered counts: what it refused to tell is a gap. That the tag of a
service is gone, serving-digest-not-tag tells. Jobs that follow the same service are one finding.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from checks.evidence.containers import Image
from checks.evidence.deployments import Deployments, Job, Service
from checks.evidence.running_images import by_share, parts_of
from checks.evidence.snapshot import Level, Snapshot
from checks.judge.context import Context
from checks.judge.deployed.job_images import MOST, ran
from checks.judge.finding import Fact, Finding, Severity, bounded
from checks.judge.rule import Rule
from checks.judge.rules import job_image_differs
from checks.text.plural import counted, form

_RULE: Final = "image-gone"
_SHOWN: Final = 3


def image_gone(context: Context) -> Iterator[Finding]:
    """One finding per service, one for the jobs of each service, and one for each job that follows none."""
    snapshot, found = context.snapshot, context.snapshot.deployments
    if found is None:
        return
    needed = {image: names for image, names in _needed(snapshot, found).items() if found.lacks(image)}
    for service in found.services:
        if gone := _gone(snapshot, found, service):
            yield _of_service(service, gone, needed)
    jobs: dict[str, list[tuple[Job, list[Image]]]] = {}
    for job in found.jobs:
        if gone := _gone(snapshot, found, job):
            jobs.setdefault(snapshot.pipeline.follows(job.name) or job.name, []).append((job, gone))
    for leader, lacking in jobs.items():
        yield _of_jobs(snapshot, leader, lacking, needed)


def _gone(snapshot: Snapshot, found: Deployments, one: Service | Job) -> list[Image]:
    """Its images that are gone; where it cannot be told which container is ours, only if all are."""
    gone: list[Image] = []
    for group in by_share(parts_of(snapshot.pipeline, found, one)):
        lacking = [part.image for part in group if part.image and found.lacks(part.image)]
        unclear = any(part.own and part.own.unclear for part in group)
        gone += lacking if len(lacking) == len(group) or not unclear else []
    return list(dict.fromkeys(gone))


def _needed(snapshot: Snapshot, found: Deployments) -> dict[Image, list[str]]:
    """Who runs, or would run, each image."""
    needed: dict[Image, list[str]] = {}
    for one in (*found.services, *found.jobs):
        for part in parts_of(snapshot.pipeline, found, one):
            if part.image:
                needed.setdefault(part.image, []).append(part.name)
    return needed


def _of_service(service: Service, gone: list[Image], needed: dict[Image, list[str]]) -> Finding:
    facts = [Fact(subject=each.reference, detail=f"is needed by {_who(needed[each])}") for each in gone]
    return Finding(
        rule=_RULE,
        severity=Severity.P2,
        subject=service.name,
        region=service.region,
        fault=tuple(sorted(each.reference for each in gone)),
        summary=f"{service.name} serves an image that its registry does not have any more",
        evidence=bounded(facts, MOST),
        level=Level.DIGEST,
        next_step="it runs on from Cloud Run's copy, and cannot be redeployed or rolled back to: push it again, or "
        f"deploy {service.name} from one that exists, and let the registry's cleanup policy keep what serves",
    )


def _of_jobs(
    snapshot: Snapshot, leader: str, lacking: list[tuple[Job, list[Image]]], needed: dict[Image, list[str]]
) -> Finding:
    active, told = ran(snapshot, [job for job, _ in lacking])
    names = [job.name for job, _ in lacking]
    images = dict.fromkeys(image for _, gone in lacking for image in gone)
    facts = [Fact(subject=each.reference, detail=f"is needed by {_who(needed[each])}") for each in images]
    cannot = form(len(names), "its next execution cannot start", "their next executions cannot start")
    these = form(len(names), "this job", "these jobs")
    return Finding(
        rule=_RULE,
        severity=Severity.P1 if active else Severity.P2,
        subject=names[0] if len(names) == 1 else leader,
        region=lacking[0][0].region,
        fault=tuple(sorted(f"{job.name} {image.reference}" for job, gone in lacking for image in gone)),
        summary=f"the image of {counted(len(names), 'job')} is gone from its registry: {cannot}; {told}",
        evidence=bounded(facts, MOST),
        level=Level.DIGEST,
        next_step=f"push the image again, or update {these} to one that exists, before the next execution",
        count=len(names),
        affects=tuple(names[:MOST]),
        explains=tuple(job_image_differs.RULE.key(name) for name in dict.fromkeys((leader, *names[:MOST]))),
    )


def _who(names: Iterable[str]) -> str:
    told = list(dict.fromkeys(names))
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return ", ".join(told[:_SHOWN]) + more


def _concerns(context: Context, one: Service | Job) -> bool:
    found = context.snapshot.deployments
    return found is not None and isinstance(one, Job) and bool(_gone(context.snapshot, found, one))


RULE = Rule(
    image_gone,
    needs=("cloud-run", "registry"),
    fault="the images that are gone, and the jobs that need them",
    counts="jobs",
    concerns=_concerns,
)
