"""Tries what a check needs of Cloud Run in each place: to list services and jobs, and to get one revision."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from checks.evidence.deployments import Image
from checks.evidence.permission_checks import Permission, PermissionCheck, PermissionResult
from checks.evidence.snapshot import NotChecked
from checks.sources.budget import Budget, patient
from checks.sources.cloud_run.client import ROLE, SOURCE, Message, Page, RunClient, connect
from checks.sources.cloud_run.messages import short
from checks.sources.image_references import parse_image
from checks.sources.permission_checks.attempts import PermissionChecker
from checks.sources.source import PermissionRequest, Permissions
from checks.text.show import show

_API: Final = "run.googleapis.com"
_NAME: Final = 200


async def check(request: PermissionRequest) -> Permissions:
    """Every place at the same time.

    Raises:
        SourceError: the way there could not be opened.
    """
    checker = request.checker
    async with patient(checker.budget(), connect(request.target, checker.login)) as client:
        found = await asyncio.gather(*(_Place(client, checker, *place).check() for place in request.pipeline.places))
    return Permissions(
        checks=tuple(check for each in found for check in each.checks),
        not_checked=tuple(reason for each in found for reason in each.not_checked),
        images=tuple(image for each in found for image in each.images),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    client: RunClient
    checker: PermissionChecker
    project: str
    region: str

    async def check(self) -> Permissions:
        """List services and jobs at the same time, then get a revision of a service that was listed."""
        parent = f"projects/{self.project}/locations/{self.region}"
        services, jobs = await asyncio.gather(
            self.checker.attempt(
                self._want("list the services", "run.services.list"),
                lambda budget: self.client.services(parent, "", budget.deadline()),
            ),
            self.checker.attempt(
                self._want("list the jobs", "run.jobs.list"),
                lambda budget: self.client.jobs(parent, "", budget.deadline()),
            ),
        )
        revision, nothing = await self._revision(services.answer)
        return Permissions(
            checks=(services.check, *((revision,) if revision else ()), jobs.check),
            not_checked=(nothing,) if nothing else (),
            images=(*_images(services.answer, _of_service), *_images(jobs.answer, _of_job)),
        )

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
        return (await self.checker.attempt(want, lambda budget: self._get(name, budget))).check, None

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
