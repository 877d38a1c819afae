"""Reads where the tags of the deployed images point, and what the code probes find in the images."""

from collections.abc import Iterator

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
    if not request.pipeline.code_probes:
        return SourceAnswer(found, gaps)
    from checks.sources.registry.inspection import inspect_images  # noqa: PLC0415 - what unpacks images loads when used

    inspected, unseen = await inspect_images(
        request.pipeline, found, request.target, request.budget, login=request.login, whole=request.whole_images
    )
    return SourceAnswer(found.model_copy(update={"inspected": inspected}), (*gaps, *unseen))


def _images(pipeline: Pipeline, deployments: Deployments) -> Iterator[Image]:
    yield from (service.image.tagged(pipeline.tag_of(service.name)) for service in deployments.services)
    yield from (job.image for job in deployments.jobs)
