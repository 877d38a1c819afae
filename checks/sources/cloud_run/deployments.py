"""Lists the services and jobs of every place at the same time, and reads the revisions that serve or should.

A template says what somebody typed, a revision what runs: so each serving, newest and newest ready revision is asked
for by name. What fails is a gap that names it; the rest is kept.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from checks.evidence.deployments import Deployments, Job, Revision, Service
from checks.evidence.own_containers import (
    followed,
    job_with_program,
    own_of_job,
    own_of_service,
    settings_of,
    wholes_of,
    with_programs,
)
from checks.evidence.own_deployments import claims, sorted_out
from checks.evidence.snapshot import Gap, Target
from checks.settings.deployments import JobSettings, ServiceSettings
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget, gaps, patient
from checks.sources.cloud_run.client import NO_CLOUD_RUN, SOURCE, connect
from checks.sources.cloud_run.listing import LONGEST_NAME, RunListing, RunPlace, unreadable
from checks.sources.cloud_run.messages import read_revision, read_service
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.progress import Progress, quiet
from checks.sources.source import ReadRequest, SourceAnswer
from checks.text.show import show


async def read_deployments(
    pipeline: Pipeline, target: Target, budget: Budget, progress: Progress, *, login: Login | None = None
) -> tuple[Deployments | None, tuple[Gap, ...]]:
    """Everything that is deployed in the pipeline's places, without tags; None where nothing could be listed."""
    if not pipeline.places:
        return None, (_NO_PLACE,)
    try:
        async with patient(budget, connect(target, login or Login())) as client:
            listing = RunListing(client, pipeline.sources, budget, claims=partial(claims, pipeline))
            return await RunReader(listing, progress, pipeline).read(pipeline.places)
    except SourceError as error:
        return None, (error.gap(SOURCE),)


async def read(request: ReadRequest) -> SourceAnswer:
    """The deployments, as a check asks for them."""
    found = await read_deployments(
        request.pipeline, request.target, request.budget, request.progress, login=request.login
    )
    return SourceAnswer(*found)


async def read_deployed(
    place: RunPlace, name: str, pipeline: Pipeline, target: Target, budget: Budget, login: Login
) -> tuple[Service | None, tuple[Gap, ...]]:
    """One service of a project and region, with the revisions that serve or should; None where it cannot be read."""
    try:
        async with (
            patient(budget, login.opening(f"cloud-run {target.address}", lambda: connect(target, login))) as client,
        ):
            listing = RunListing(client, pipeline.sources, budget)
            return await RunReader(listing, quiet, pipeline).read_one(place, name)
    except SourceError as error:
        return None, (error.gap(SOURCE),)


_Place = tuple[str, str, str]
"""A project, a region and the name of a service there."""


@dataclass(slots=True)
class RunReader:
    """One read of Cloud Run; make a new reader for the next.

    Attributes:
        listing: makes the calls, and notes what fails.
        progress: told how far it is.
        pipeline: whose settings say which containers are its own.
    """

    listing: RunListing
    progress: Progress
    pipeline: Pipeline
    _unread: list[tuple[_Place, tuple[str, SourceError]]] = field(
        default_factory=list[tuple[_Place, tuple[str, SourceError]]]
    )

    async def read(self, places: tuple[RunPlace, ...]) -> tuple[Deployments | None, tuple[Gap, ...]]:
        """List, then ask for revisions. Never raises for what the server does."""
        self.progress("listing services and jobs", 0, None)
        services, jobs = await self.listing.places(places, quiet)
        self.progress("reading revisions", 0, None)
        whole = tuple(await asyncio.gather(*(self._with_revisions(service) for service in services)))
        seen = tuple(job_with_program(self.pipeline, job, followed(self.pipeline, job, whole)) for job in jobs)
        found = sorted_out(self.pipeline, Deployments(services=whole, jobs=seen))
        own = {(each.project, each.region, each.name) for each in found.services}
        unread = [failure for whose, failure in self._unread if whose in own]
        missing = gaps(SOURCE, [*self.listing.failures, *unread])
        if not self.listing.answered:
            return None, missing
        told = found.model_copy(update={"complete": not missing, "unread_others": self.listing.unread_others})
        return told, (*missing, *self._misnamed(found.services, found.jobs))

    async def read_one(self, place: RunPlace, name: str) -> tuple[Service | None, tuple[Gap, ...]]:
        """One service by its name. Never raises for what the server does."""
        full, client, budget = _full_name(place, name), self.listing.client, self.listing.budget
        service = None
        with self._noting(f"service {show(name, limit=LONGEST_NAME)}"):
            message = await self.listing.ask(lambda: client.service(full, budget.deadline()))
            service = await self._with_revisions(read_service(message, place, self.listing.sources))
        misnamed = self._misnamed((service,) if service else (), ())
        unread = [failure for _, failure in self._unread]
        return service, (*gaps(SOURCE, [*self.listing.failures, *unread]), *misnamed)

    def _misnamed(self, services: tuple[Service, ...], jobs: tuple[Job, ...]) -> tuple[Gap, ...]:
        """A gap for each service and job that has no container of the name that the settings give."""
        own = self.pipeline
        named = [each for each in services if _names_container(settings_of(own.services, own, each))]
        told = [own_of_service(own, each, whole) for each in named for whole in wholes_of(each)]
        following = [each for each in jobs if _names_container(settings_of(own.jobs, own, each))]
        told += [own_of_job(own, each, followed(own, each, services)) for each in following]
        reasons = dict.fromkeys((each.unclear, each.next_step) for each in told if each.unclear)
        return tuple(Gap(source=SOURCE, reason=reason, next_step=step) for reason, step in reasons)

    async def _with_revisions(self, service: Service) -> Service:
        names = (*(share.revision for share in service.shares), service.created, service.ready)
        found = await asyncio.gather(*(self._revision(service, name) for name in dict.fromkeys(filter(None, names))))
        whole = service.model_copy(update={"revisions": tuple(revision for revision in found if revision)})
        return with_programs(self.pipeline, whole)

    async def _revision(self, service: Service, name: str) -> Revision | None:
        full = f"{_full_name((service.project, service.region), service.name)}/revisions/{name}"
        client, budget = self.listing.client, self.listing.budget
        what = f"revision {show(name, limit=LONGEST_NAME)} of {show(service.name, limit=LONGEST_NAME)}"
        with self._noting(what, (service.project, service.region, service.name)):
            message = await self.listing.ask(lambda: client.revision(full, budget.deadline()))
            revision = read_revision(message, service, self.listing.sources)
            if revision.name != name:
                raise SourceError(f"the answer is about {show(revision.name, limit=LONGEST_NAME)}", NO_CLOUD_RUN)
            return revision
        return None

    @contextmanager
    def _noting(self, what: str, whose: _Place | None = None) -> Generator[None]:
        """Note as a failure why something could not be read; of a service, it counts if that is the pipeline's."""
        try:
            yield
        except (SourceError, ValueError) as error:
            failure = (what, error if isinstance(error, SourceError) else unreadable(error))
            if whose is None:
                self.listing.failures.append(failure)
            else:
                self._unread.append((whose, failure))


def _names_container(entry: ServiceSettings | JobSettings | None) -> bool:
    return entry is not None and entry.container is not None


def _full_name(place: RunPlace, service: str) -> str:
    return f"projects/{place[0]}/locations/{place[1]}/services/{service}"


_NO_PLACE: Final = Gap(
    source=SOURCE,
    reason="the settings name no region, so nothing can be listed",
    next_step="name the region under [pipeline] or at each service and job",
)
