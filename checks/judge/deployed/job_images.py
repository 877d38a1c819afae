"""Jobs beside the service that they follow, as several rules look at them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from checks.evidence.containers import Image
from checks.evidence.deployments import Deployments, Job, Service
from checks.evidence.own_containers import followed, own_of_job, repositories_of
from checks.evidence.running_images import parts_of
from checks.evidence.snapshot import Snapshot
from checks.judge.deployed.proofs import Outcome, Proof, proofs_in
from checks.settings.pipeline import Pipeline
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
    return followed(snapshot.pipeline, job, snapshot.deployments.services if snapshot.deployments else ())


def served_digests(pipeline: Pipeline, deployments: Deployments, service: Service) -> set[str]:
    """The digests of what a service serves, as far as they could be read."""
    return {part.digest for part in parts_of(pipeline, deployments, service) if part.digest}


def difference(pipeline: Pipeline, deployments: Deployments, job: Job, service: Service) -> str | None:
    """Why a job's next execution would not run what its service serves; None if it would, or if that is unknown.

    Where it cannot be told which of its containers is the program, only what holds for each of them is said.
    """
    serving = served_digests(pipeline, deployments, service)
    if not serving:
        return None
    own, homes = own_of_job(pipeline, job, service), repositories_of(pipeline, service)
    told = [_differs(deployments, each.image, serving, homes) for each in own.containers]
    return next(filter(None, told), None) if own.unclear is None or all(told) else None


def _differs(deployments: Deployments, image: Image, serving: set[str], homes: set[str]) -> str | None:
    if pinned := image.digest:
        return None if any(deployments.same_image(pinned, digest) for digest in serving) else f"pins {pinned[:19]}"
    tag = deployments.tag(image)
    if tag is None:
        return None if image.repository in homes else f"runs {image.reference}"
    if tag.digest is None:
        return f"names {image.reference}, a tag that does not exist"
    return None if any(deployments.meets(tag, digest) for digest in serving) else f"runs {image.reference}"


def images_of(snapshot: Snapshot, jobs: Sequence[Job]) -> tuple[str, ...]:
    """Each of these jobs with the images that its next execution would run: digests, where they are known."""
    found = snapshot.deployments or Deployments()
    parts = ((job, part) for job in jobs for part in parts_of(snapshot.pipeline, found, job))
    return tuple(sorted(f"{job.name} {part.digest or (part.image and part.image.reference)}" for job, part in parts))


def lacking(snapshot: Snapshot, job: Job) -> Proof | None:
    """The first fix that the image of a job's next execution is proved not to hold; None if there is no such."""
    parts = parts_of(snapshot.pipeline, snapshot.deployments or Deployments(), job)
    proofs = [proof for probe in snapshot.pipeline.probes_of(job.name) for _, proof in proofs_in(parts, probe.name)]
    return next((proof for proof in proofs if proof and proof.result is Outcome.CONTRADICTED), None)
