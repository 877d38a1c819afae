"""The images that run: one per traffic share of a service, one for a job."""

from dataclasses import dataclass

from checks.evidence.deployments import Deployments, Image, Job, Revision, Service, Share
from checks.evidence.images import Inspected


@dataclass(frozen=True, slots=True)
class RunningImage:
    """One image that runs.

    Attributes:
        share, revision: of a service; ``revision`` is None where it could not be read, and both are None for a job.
        image: as Cloud Run has it; None where that could not be read.
        digest: what runs. A revision pins its own; a job's tag is resolved at each execution, so where it points now.
        commit: what its own label claims.
        inspected: what code probes found in that image; None where they did not look, or could not.
    """

    name: str
    share: Share | None
    revision: Revision | None
    image: Image | None
    digest: str | None
    commit: str | None
    inspected: Inspected | None


def parts_of(deployments: Deployments, one: Service | Job) -> list[RunningImage]:
    """Every part of a service or job of these deployments."""
    if isinstance(one, Job):
        digest = deployments.digest_of(one.image)
        inspected = deployments.inspection(one.image.repository, digest)
        return [RunningImage(one.name, None, None, one.image, digest, one.commit, inspected)]
    return [_serving(deployments, share, revision) for share, revision in one.serving]


def _serving(deployments: Deployments, share: Share, revision: Revision | None) -> RunningImage:
    name = f"{share.revision} ({share.percent} %)"
    if revision is None:
        return RunningImage(name, share, None, None, None, None, None)
    image = revision.image
    inspected = deployments.inspection(image.repository, image.digest)
    return RunningImage(name, share, revision, image, image.digest, revision.commit, inspected)
