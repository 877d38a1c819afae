"""A job whose next execution would run code without a fix: nobody sees it until it has written again.

In short: jobs whose next execution would run files without a fix: P1 if one ran within 30 days, else P2

Severity: P2 for a job that has not run for 30 days, P1 for one that has: its old code already wrote. The bytes of the
image decide; whether it is the same image as a service's, job-image-differs tells. Jobs that follow the same service
are one finding.
"""

from collections.abc import Iterator

from checks.evidence.deployments import Job, Service
from checks.evidence.snapshot import Level, Snapshot
from checks.judge.context import Context
from checks.judge.deployed.job_images import MOST, images_of, lacking, ran
from checks.judge.deployed.proofs import Proof
from checks.judge.finding import Fact, Finding, Severity, bounded
from checks.judge.rule import Rule
from checks.judge.rules import image_drift
from checks.text.plural import counted, form


def job_image_stale(context: Context) -> Iterator[Finding]:
    """One finding for the jobs of each service, and one for each job that follows none."""
    deployments = context.snapshot.deployments
    if deployments is None:
        return
    stale: dict[str, list[tuple[Job, Proof]]] = {}
    for job in deployments.jobs:
        if proof := lacking(context.snapshot, job):
            stale.setdefault(context.snapshot.pipeline.follows(job.name) or job.name, []).append((job, proof))
    for leader, jobs in stale.items():
        yield _finding(context.snapshot, leader, jobs)


def _finding(snapshot: Snapshot, leader: str, stale: list[tuple[Job, Proof]]) -> Finding:
    active, told = ran(snapshot, [job for job, _ in stale])
    facts = [Fact(subject=proof.reason, detail=f"in {job.image.reference}, job {job.name}") for job, proof in stale]
    names = [job.name for job, _ in stale]
    probes = ", ".join(dict.fromkeys(proof.probe for _, proof in stale))
    these = form(len(stale), "its next execution, update this job", "their next execution, update these jobs")
    return Finding(
        rule="job-image-stale",
        severity=Severity.P1 if active else Severity.P2,
        subject=names[0] if len(names) == 1 else leader,
        region=stale[0][0].region,
        fault=(
            *dict.fromkeys(sorted(proof.probe for _, proof in stale)),
            *images_of(snapshot, [job for job, _ in stale]),
        ),
        summary=f"{counted(len(stale), 'job')} would run code without {probes}; {told}",
        evidence=bounded(facts, MOST),
        level=Level.BYTES,
        next_step=f"before {these} to the digest that {form(len(stale), 'its', 'their')} service serves",
        count=len(stale),
        explains=tuple(image_drift.RULE.key(name) for name in (leader, *names[:MOST])),
    )


def _concerns(context: Context, one: Service | Job) -> bool:
    return isinstance(one, Job) and lacking(context.snapshot, one) is not None


RULE = Rule(
    job_image_stale,
    needs=("cloud-run", "registry"),
    wants="code probes",
    fault="the code probes that fail, the jobs, and the images that they would run",
    counts="jobs",
    concerns=_concerns,
)
