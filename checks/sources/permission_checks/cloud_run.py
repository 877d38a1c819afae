"""Tries what a check needs of Cloud Run in each place: to list services and jobs, and to get one revision."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from checks.evidence.deployments import Image
from checks.evidence.permission_checks import Permission, PermissionCheck, PermissionResult
from checks.evidence.snapshot import NotChecked, Target
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget, patient
from checks.sources.cloud_run.client import ROLE, SOURCE, Message, Page, RunClient, connect
from checks.sources.cloud_run.messages import short
from checks.sources.image_references import parse_image
from checks.sources.permission_checks.attempts import PermissionChecker
from checks.text.show import show

_API: Final = "run.googleapis.com"
_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Examined:
    """The probes of Cloud Run, what there was nothing to try on, and the images that were named on the way."""

    probes: tuple[PermissionCheck, ...]
    not_checked: tuple[NotChecked, ...]
    images: tuple[Image, ...]


async def probe_cloud_run(pipeline: Pipeline, target: Target, examiner: PermissionChecker) -> Examined:
    """Every place at the same time.

    Raises:
        SourceError: the way there could not be opened.
    """
    async with patient(examiner.budget(), connect(target, examiner.login)) as client:
        found = await asyncio.gather(*(_Place(client, examiner, *place).probe() for place in pipeline.places))
    return Examined(
        tuple(probe for each in found for probe in each.probes),
        tuple(reason for each in found for reason in each.not_checked),
        tuple(image for each in found for image in each.images),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    client: RunClient
    examiner: PermissionChecker
    project: str
    region: str

    async def probe(self) -> Examined:
        """List services and jobs at the same time, then get a revision of a service that was listed."""
        parent = f"projects/{self.project}/locations/{self.region}"
        services, jobs = await asyncio.gather(
            self.examiner.attempt(
                self._want("list the services", "run.services.list"),
                lambda budget: self.client.services(parent, "", budget.deadline()),
            ),
            self.examiner.attempt(
                self._want("list the jobs", "run.jobs.list"),
                lambda budget: self.client.jobs(parent, "", budget.deadline()),
            ),
        )
        revision, nothing = await self._revision(services.answer)
        probes = (services.probe, *((revision,) if revision else ()), jobs.probe)
        images = (*_images(services.answer, _of_service), *_images(jobs.answer, _of_job))
        return Examined(probes, (nothing,) if nothing else (), images)

    async def _revision(self, services: Page | None) -> tuple[PermissionCheck | None, NotChecked | None]:
        want = self._want("get a revision", "run.revisions.get")
        if services is None:
            reason = "not tried: it takes a service, and none could be listed"
            return PermissionCheck.of(
                want, PermissionResult.UNKNOWN, reason, "mend the listing of services first"
            ), None
        name = next(filter(None, map(_newest_revision, services.items)), None)
        if name is None:
            return None, NotChecked(what=want.what, reason="no service there has a revision")
        want = self._want(f"get the revision {show(short(name), limit=_NAME)}", "run.revisions.get")
        return (await self.examiner.attempt(want, lambda budget: self._get(name, budget))).probe, None

    async def _get(self, name: str, budget: Budget) -> Message:
        return await self.client.revision(name, budget.deadline())

    def _want(self, what: str, permission: str) -> Permission:
        return Permission(
            source=SOURCE,
            what=f"{what} of {self.project}/{self.region}",
            permission=permission,
            role=ROLE,
            api=_API,
            project=self.project,
            elsewhere=f"gcloud run regions list --project {self.project}, and name one of them as region",
        )


def _newest_revision(service: Message) -> str:
    return service.latest_ready_revision or service.latest_created_revision


def _of_service(service: Message) -> Message:
    return service.template.containers


def _of_job(job: Message) -> Message:
    return job.template.template.containers


def _images(page: Page | None, containers: Callable[[Message], Message]) -> Iterator[Image]:
    for message in page.items if page else ():
        for container in containers(message):
            try:
                yield parse_image(container.image)
            except ValueError:
                continue
