"""Reads where the tags of the deployed images point, and what the code probes find in the images."""

from collections.abc import Iterable, Iterator

from checks.evidence.containers import Image
from checks.evidence.deployments import Deployments, Job, Service
from checks.evidence.own_containers import followed
from checks.evidence.pushed_images import pushed_of
from checks.evidence.running_images import parts_of
from checks.settings.pipeline import Pipeline
from checks.sources.registry.addresses import is_foreign
from checks.sources.registry.tags import read_tags
from checks.sources.source import ReadRequest, SourceAnswer


async def read(request: ReadRequest) -> SourceAnswer:
    """The deployments with the tags of their images and, where the settings name code probes, what is in them."""
    found = request.evidence
    if not isinstance(found, Deployments):
        return SourceAnswer()
    wanted = list(dict.fromkeys(_images(request.pipeline, found)))
    foreign = {image.repository for image in wanted if is_foreign(request.target, image.repository)}
    asked = [image for image in wanted if image.repository not in foreign]
    tags, gaps = await read_tags(asked, request.target, request.budget, login=request.login)
    found = found.model_copy(update={"tags": tags, "foreign": tuple(sorted(foreign))})
    done = {*foreign, *map(_key, asked)}
    unlike = [each for each in _unlike(request.pipeline, found) if done.isdisjoint({each.repository, _key(each)})]
    if unlike:
        more, unread = await read_tags(unlike, request.target, request.budget, login=request.login)
        found, gaps = found.model_copy(update={"tags": (*tags, *more)}), (*gaps, *unread)
    if not request.pipeline.code_probes:
        return SourceAnswer(found, gaps)
    from checks.sources.registry.inspection import inspect_images  # noqa: PLC0415 - what unpacks images loads when used

    inspected, unseen = await inspect_images(
        request.pipeline, found, request.target, request.budget, login=request.login, whole=request.whole_images
    )
    return SourceAnswer(found.model_copy(update={"inspected": inspected}), (*gaps, *unseen))


def _key(image: Image) -> tuple[str, str | None]:
    return image.repository, image.tag


def _images(pipeline: Pipeline, deployments: Deployments) -> Iterator[Image]:
    """The tags that should run, and every digest that runs or would: each may be gone."""
    wanted = (each.image for service in deployments.services for each in pushed_of(pipeline, deployments, service))
    ones = (*deployments.services, *deployments.jobs)
    runs = [part.image for one in ones for part in parts_of(pipeline, deployments, one) if part.image]
    yield from (image for image in (*wanted, *runs) if image.by_tag)
    yield from by_digest(runs)


def _unlike(pipeline: Pipeline, deployments: Deployments) -> Iterator[Image]:
    """Digests that are compared and are not equal: one may be an index, and the other what runs of it."""
    for service in deployments.services:
        for pushed in pushed_of(pipeline, deployments, service):
            tag, serving = pushed.tag, [image for _, _, image in pushed.serving if image and image.digest]
            if tag and tag.digest:
                yield from by_digest(each for each in serving if not deployments.meets(tag, each.digest or ""))
    for job in deployments.jobs:
        if leader := followed(pipeline, job, deployments.services):
            yield from unlike_job(pipeline, deployments, job, leader)


def unlike_job(pipeline: Pipeline, deployments: Deployments, job: Job, leader: Service) -> Iterator[Image]:
    """The digests of a job and its service that are not equal, and may yet be of one image."""
    serving = [part.image for part in parts_of(pipeline, deployments, leader) if part.image and part.image.digest]
    for part in parts_of(pipeline, deployments, job):
        if part.digest is None or part.image is None:
            continue
        if not any(deployments.same_image(each.digest or "", part.digest) for each in serving):
            yield from by_digest([*serving, part.image])


def by_digest(images: Iterable[Image]) -> Iterator[Image]:
    """The same images as they are asked for by their digests; those without one are left out."""
    for each in images:
        if each.digest:
            yield Image(reference=each.reference, repository=each.repository, tag=each.digest)
