"""Jobs beside the service that they follow, as several rules look at them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from checks.evidence.deployments import Deployments, Job, Service
from checks.evidence.running_images import parts_of
from checks.evidence.snapshot import Snapshot
from checks.judge.deployed.proofs import Outcome, Proof, proof_in
from checks.text.plural import form

MOST: Final = 30
"""How many jobs a finding names."""

_FORGOTTEN: Final = timedelta(days=30)


def ran(snapshot: Snapshot, jobs: Sequence[Job]) -> tuple[int, str]:
    """How many of these jobs ran within 30 days, so that what they run already wrote; and the same in words."""
    active = [job for job in jobs if job.last_run and snapshot.taken_at - job.last_run <= _FORGOTTEN]
    only = f"it {'ran' if active else 'did not run'} within 30 days"
    return len(active), form(len(jobs), only, f"{len(active) or 'none'} of them ran within 30 days")


def leader_of(snapshot: Snapshot, job: Job) -> Service | None:
    """The service that a job follows, if it was read."""
    name = snapshot.pipeline.follows(job.name)
    services = snapshot.deployments.services if snapshot.deployments else ()
    return next((each for each in services if each.name == name), None)


def difference(deployments: Deployments, job: Job, service: Service) -> str | None:
    """Why a job's next execution would not run what its service serves; None if it would, or if that is unknown."""
    serving = {revision.image.digest for _, revision in service.serving if revision and revision.image.digest}
    if not serving:
        return None
    if pinned := job.image.digest:
        same = any(deployments.same_image(pinned, digest) for digest in serving)
        return None if same else f"pins {pinned[:19]}"
    tag = deployments.tag(job.image)
    if tag is None:
        return None if job.image.repository == service.image.repository else f"runs {job.image.reference}"
    if tag.digest is None:
        return f"names {job.image.reference}, a tag that does not exist"
    return None if any(deployments.meets(tag, digest) for digest in serving) else f"runs {job.image.reference}"


def images_of(snapshot: Snapshot, jobs: Sequence[Job]) -> tuple[str, ...]:
    """Each of these jobs with the image that its next execution would run: a digest, where one is known."""
    found = snapshot.deployments or Deployments()
    return tuple(sorted(f"{job.name} {found.digest_of(job.image) or job.image.reference}" for job in jobs))


def lacking(snapshot: Snapshot, job: Job) -> Proof | None:
    """The first fix that the image of a job's next execution is proved not to hold; None if there is no such."""
    (part,) = parts_of(snapshot.deployments or Deployments(), job)
    proofs = [proof_in(part, probe.name) for probe in snapshot.pipeline.probes_of(job.name)]
    return next((proof for proof in proofs if proof and proof.result is Outcome.CONTRADICTED), None)
