"""Deploying a service does not touch the jobs that should run the same code: they keep old images until they run.

Severity: P2 for a job that has not run for 30 days, P1 for one that has: its old code already wrote. A job that is
pinned by tag resolves the tag anew at each execution, so it is compared by where the tag points now. Several jobs that
differ from the same service are one finding about that service.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from checks.deployments import Deployments, Job, Service
from checks.evidence import Level, Snapshot
from checks.finding import Fact, Finding, Severity, key

_FORGOTTEN: Final = timedelta(days=30)
_MOST: Final = 30


def job_image_differs(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per service that jobs should follow and do not."""
    deployments = snapshot.deployments
    if deployments is None:
        return
    follows = {job.name: job.follows for job in snapshot.pipeline.jobs}
    for service in deployments.services:
        differing = [
            (job, why)
            for job in deployments.jobs
            if follows.get(job.name) == service.name and (why := difference(deployments, job, service))
        ]
        if differing:
            yield _finding(snapshot, service, differing)


def difference(deployments: Deployments, job: Job, service: Service) -> str | None:
    """Why a job's next execution would not run what its service serves; None if it would, or if that is unknown."""
    serving = {revision.image.digest for _, revision in service.serving if revision and revision.image.digest}
    if not serving:
        return None
    if job.image.digest:
        return None if job.image.digest in serving else f"pins {job.image.digest[:19]}"
    tag = deployments.tag(job.image)
    if tag is None:
        return None if job.image.repository == service.image.repository else f"runs {job.image.reference}"
    if tag.digest is None:
        return f"names {job.image.reference}, a tag that does not exist"
    return None if any(tag.points_at(digest) for digest in serving) else f"runs {job.image.reference}"


def _finding(snapshot: Snapshot, service: Service, differing: list[tuple[Job, str]]) -> Finding:
    active = [job for job, _ in differing if job.last_run and snapshot.taken_at - job.last_run <= _FORGOTTEN]
    names = [job.name for job, _ in differing]
    ran = f"{len(active)} of them ran within 30 days" if active else "none of them ran within 30 days"
    facts = [Fact(subject=job.name, detail=f"{why}; {_last(job)}") for job, why in differing[:_MOST]]
    if len(differing) > _MOST:
        facts.append(Fact(subject=f"{len(differing) - _MOST} more", detail="alike"))
    return Finding(
        rule="job-image-differs",
        severity=Severity.P1 if active else Severity.P2,
        subject=names[0] if len(names) == 1 else service.name,
        summary=f"{len(names)} jobs would not run what {service.name} serves; {ran}",
        evidence=tuple(facts),
        level=Level.DIGEST,
        next_step=f"before their next execution, update these jobs to the digest that {service.name} serves",
        count=len(names),
        explains=tuple(
            key(rule, name) for name in (service.name, *names[:_MOST]) for rule in ("job-image-stale", "image-drift")
        ),
    )


def _last(job: Job) -> str:
    return f"last run {job.last_run:%Y-%m-%d}" if job.last_run else "never ran"
