"""The images that run: one for each own container of a traffic share of a service, or of a job."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from checks.evidence.containers import Container, Image
from checks.evidence.deployments import Deployments, Job, Revision, Service, Share
from checks.evidence.images import Inspected
from checks.evidence.own_containers import OwnContainers, followed, own_of_job, own_of_service
from checks.settings.pipeline import Pipeline
from checks.text.show import show

_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class RunningImage:
    """One image that runs.

    Attributes:
        name: of the share or job, and of the container where several are ours or may be.
        share, revision: of a service; ``revision`` is None where it could not be read, and both are None for a job.
        image: as Cloud Run has it; None where that could not be read.
        digest: what runs. A revision pins its own; a job's tag is resolved at each execution, so where it points now.
        commit: what its own label claims.
        inspected: what code probes found in that image; None where they did not look, or could not.
        own: which containers are ours, of the share or job that this image is one of; ``own.unclear`` where that cannot
            be told, and this image may be somebody else's. None where nothing was read.
    """

    name: str
    share: Share | None
    revision: Revision | None
    image: Image | None
    digest: str | None
    commit: str | None
    inspected: Inspected | None
    own: OwnContainers | None = None


def parts_of(pipeline: Pipeline, deployments: Deployments, one: Service | Job) -> list[RunningImage]:
    """Every part of a service or job of these deployments: each own container, and each that may be one."""
    if isinstance(one, Job):
        own = own_of_job(pipeline, one, followed(pipeline, one, deployments.services))
        return [_of_job(deployments, one, own, container) for container in own.containers]
    return [part for share, revision in one.serving for part in _serving(pipeline, deployments, one, share, revision)]


def by_share(parts: Sequence[RunningImage]) -> list[list[RunningImage]]:
    """The parts of each share of the traffic together; those of a job are one group."""
    return [list(group) for _, group in groupby(parts, key=lambda each: each.share)]


def _of_job(deployments: Deployments, job: Job, own: OwnContainers, container: Container) -> RunningImage:
    digest = deployments.digest_of(container.image)
    inspected = deployments.inspection(container.image.repository, digest)
    name = _named(job.name, own, container)
    return RunningImage(name, None, None, container.image, digest, job.commit, inspected, own)


def _serving(
    pipeline: Pipeline, deployments: Deployments, service: Service, share: Share, revision: Revision | None
) -> list[RunningImage]:
    name = f"{share.revision} ({share.percent} %)"
    if revision is None:
        return [RunningImage(name, share, None, None, None, None, None)]
    own = own_of_service(pipeline, service, revision.every)
    return [
        RunningImage(
            _named(name, own, each),
            share,
            revision,
            each.image,
            each.image.digest,
            revision.commit,
            deployments.inspection(each.image.repository, each.image.digest),
            own,
        )
        for each in own.containers
    ]


def _named(name: str, own: OwnContainers, container: Container) -> str:
    if len(own.containers) == 1:
        return name
    return f"{name}, container {show(container.name or container.image.reference, limit=_LONGEST)}"
