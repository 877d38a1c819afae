"""The images that a service should run: what each own container of its template names, beside what serves of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from checks.evidence.containers import Container, Image
from checks.evidence.deployments import Deployments, Revision, Service, Share, Tag
from checks.evidence.own_containers import counterparts, image_wanted, own_of_service
from checks.settings.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class PushedImage:
    """What one container should run.

    Attributes:
        container: of the template.
        image: what it should run: by the settings' tag, else as the template names it.
        tag: where its tag points; None where a digest decides, or that was not read.
        serving: every share of the traffic with the same container's image there, None where that could not be read.
        newest: the same container's images in the newest revision.
    """

    container: Container
    image: Image
    tag: Tag | None
    serving: tuple[tuple[Share, Revision | None, Image | None], ...]
    newest: tuple[Image, ...]


def pushed_of(pipeline: Pipeline, deployments: Deployments, service: Service) -> list[PushedImage]:
    """What each own container of a service should run, and each that may be one."""
    own = own_of_service(pipeline, service, service.every)
    newest = service.revision(service.created)
    found: list[PushedImage] = []
    for container in own.containers:
        image = image_wanted(pipeline, service, container, own)
        found.append(
            PushedImage(
                container=container,
                image=image,
                tag=deployments.tag(image) if image.by_tag else None,
                serving=tuple(_serving(service, container)),
                newest=tuple(each.image for each in counterparts(container, newest.every)) if newest else (),
            )
        )
    return found


def _serving(service: Service, container: Container) -> Iterator[tuple[Share, Revision | None, Image | None]]:
    for share, revision in service.serving:
        if revision is None:
            yield share, None, None
            continue
        for each in counterparts(container, revision.every):
            yield share, revision, each.image
