"""Deploying a service does not touch the jobs that should run the same code: they keep old images until they run.

In short: jobs that would not run what their service serves: P1 if one ran within 30 days, else P2

Severity: P2 for a job that has not run for 30 days, P1 for one that has: its old code already wrote. A job that is
pinned by tag resolves the tag anew at each execution, so it is compared by where the tag points now. Several jobs that
differ from the same service are one finding about that service.
"""

from collections.abc import Iterator

from checks.evidence.deployments import Job, Service
from checks.evidence.snapshot import Level, Snapshot
from checks.judge.context import Context
from checks.judge.deployed.job_images import MOST, difference, images_of, leader_of, ran
from checks.judge.finding import Fact, Finding, Severity, bounded
from checks.judge.rule import Rule
from checks.judge.rules import image_drift, job_image_stale
from checks.text.plural import counted, form


def job_image_differs(context: Context) -> Iterator[Finding]:
    """One finding per service that jobs should follow and do not."""
    deployments = context.snapshot.deployments
    if deployments is None:
        return
    pipeline = context.snapshot.pipeline
    for service in deployments.services:
        following = (job for job in deployments.jobs if leader_of(context.snapshot, job) is service)
        differing = [(job, why) for job in following if (why := difference(pipeline, deployments, job, service))]
        if differing:
            yield _finding(context.snapshot, service, differing)


def _finding(snapshot: Snapshot, service: Service, differing: list[tuple[Job, str]]) -> Finding:
    active, told = ran(snapshot, [job for job, _ in differing])
    names = [job.name for job, _ in differing]
    facts = [Fact(subject=job.name, detail=f"{why}; {_last(job)}") for job, why in differing]
    these = form(len(names), "its next execution, update this job", "their next execution, update these jobs")
    return Finding(
        rule="job-image-differs",
        severity=Severity.P1 if active else Severity.P2,
        subject=names[0] if len(names) == 1 else service.name,
        region=service.region,
        fault=images_of(snapshot, [job for job, _ in differing]),
        summary=f"{counted(len(names), 'job')} would not run what {service.name} serves; {told}",
        evidence=bounded(facts, MOST),
        level=Level.DIGEST,
        next_step=f"before {these} to the digest that {service.name} serves",
        count=len(names),
        explains=tuple(
            rule.key(name)
            for name in (service.name, *names[:MOST])
            for rule in (job_image_stale.RULE, image_drift.RULE)
        ),
    )


def _last(job: Job) -> str:
    return f"last run {job.last_run:%Y-%m-%d}" if job.last_run else "never ran"


def _concerns(context: Context, one: Service | Job) -> bool:
    found = context.snapshot.deployments
    leader = leader_of(context.snapshot, one) if isinstance(one, Job) else None
    if found is None or not isinstance(one, Job) or leader is None:
        return False
    return difference(context.snapshot.pipeline, found, one, leader) is not None


RULE = Rule(
    job_image_differs,
    needs=("cloud-run", "registry"),
    fault="the jobs that differ, and the images that they would run",
    counts="jobs",
    concerns=_concerns,
)
