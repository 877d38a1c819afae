"""A service or job that the settings name and Cloud Run does not have: deleted, renamed, or looked for elsewhere.

In short: a service (P1) or job (P2) that the settings name and Cloud Run does not have

Severity: P1 for a service, P2 for a job. Looked for in its own project and region. A listing
that is not complete proves no absence.
"""

from collections.abc import Iterator

from checks.evidence.snapshot import Level, Snapshot
from checks.judge.context import Context
from checks.judge.finding import Finding, Severity
from checks.judge.rule import Rule
from checks.settings.deployments import JobSettings, ServiceSettings


def missing_deployments(context: Context) -> Iterator[Finding]:
    """One finding per service or job."""
    deployments = context.snapshot.deployments
    if deployments is None or not deployments.complete:
        return
    pipeline = context.snapshot.pipeline
    services = {(each.name, each.project, each.region) for each in deployments.services}
    jobs = {(each.name, each.project, each.region) for each in deployments.jobs}
    for service in pipeline.services:
        if (service.name, *pipeline.place(service)) not in services:
            yield _finding(context.snapshot, service, Severity.P1, "service")
    for job in pipeline.jobs:
        if (job.name, *pipeline.place(job)) not in jobs:
            yield _finding(context.snapshot, job, Severity.P2, "job")


def _finding(snapshot: Snapshot, wanted: ServiceSettings | JobSettings, severity: Severity, kind: str) -> Finding:
    pipeline = snapshot.pipeline
    project, region = pipeline.place(wanted)
    alone = sum(each.name == wanted.name for each in (*pipeline.services, *pipeline.jobs)) == 1
    return Finding(
        rule="missing-deployments",
        severity=severity,
        subject=wanted.name if alone else f"{wanted.name}@{region}",
        region=region,
        fault=(kind, project),
        summary=f"no such {kind} in {project}, {region}",
        level=Level.RUNTIME,
        next_step=f"check project and region of {wanted.name} in the settings; if it is gone, take it out of them",
    )


RULE = Rule(missing_deployments, needs=("cloud-run",), fault="service or job, and the project")
