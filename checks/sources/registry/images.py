"""Reads where the tags of the deployed images point, and what the code probes find in the images."""

from collections.abc import Iterable, Iterator

from checks.evidence.deployments import Deployments, Image
from checks.settings.pipeline import Pipeline
from checks.sources.registry.tags import read_tags
from checks.sources.source import ReadRequest, SourceAnswer


async def read(request: ReadRequest) -> SourceAnswer:
    """The deployments with the tags of their images and, where the settings name code probes, what is in them."""
    found = request.evidence
    if not isinstance(found, Deployments):
        return SourceAnswer()
    tags, gaps = await read_tags(_images(request.pipeline, found), request.target, request.budget, login=request.login)
    found = found.model_copy(update={"tags": tags})
    if unlike := list(_unlike(request.pipeline, found)):
        more, unread = await read_tags(unlike, request.target, request.budget, login=request.login)
        found, gaps = found.model_copy(update={"tags": (*tags, *more)}), (*gaps, *unread)
    if not request.pipeline.code_probes:
        return SourceAnswer(found, gaps)
    from checks.sources.registry.inspection import inspect_images  # noqa: PLC0415 - what unpacks images loads when used

    inspected, unseen = await inspect_images(
        request.pipeline, found, request.target, request.budget, login=request.login, whole=request.whole_images
    )
    return SourceAnswer(found.model_copy(update={"inspected": inspected}), (*gaps, *unseen))


def _images(pipeline: Pipeline, deployments: Deployments) -> Iterator[Image]:
    wanted = (service.image.tagged(pipeline.tag_of(service.name)) for service in deployments.services)
    yield from (image for image in (*wanted, *(job.image for job in deployments.jobs)) if image.by_tag)


def _unlike(pipeline: Pipeline, deployments: Deployments) -> Iterator[Image]:
    """Digests that are compared and are not equal: one may be an index, and the other what runs of it."""
    for service in deployments.services:
        tag = deployments.tag(service.image.tagged(pipeline.tag_of(service.name)))
        serving = [revision.image for _, revision in service.serving if revision]
        if tag and tag.digest:
            yield from by_digest(each for each in serving if each.digest and not deployments.meets(tag, each.digest))
        for job in deployments.jobs:
            runs = deployments.digest_of(job.image) if pipeline.follows(job.name) == service.name else None
            unlike = [
                each for each in serving if runs and each.digest and not deployments.same_image(each.digest, runs)
            ]
            yield from by_digest([*unlike, *([job.image] if unlike else [])])


def by_digest(images: Iterable[Image]) -> Iterator[Image]:
    """The same images as they are asked for by their digests; those without one are left out."""
    for each in images:
        if each.digest:
            yield Image(reference=each.reference, repository=each.repository, tag=each.digest)
