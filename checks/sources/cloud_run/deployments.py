"""Lists the services and jobs of every place at the same time, and reads the revisions that serve or should.

A template says what somebody typed, a revision what runs: so each serving, newest and newest ready revision is asked
for by name. What fails is a gap that names it; the rest is kept.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from checks.evidence.deployments import Deployments, Job, Revision, Service
from checks.evidence.snapshot import Gap, Target
from checks.settings.pipeline import Pipeline
from checks.settings.sources import Sources
from checks.sources.budget import Budget, ask, gaps, patient
from checks.sources.cloud_run.client import NO_CLOUD_RUN, Message, Page, RunClient, connect
from checks.sources.cloud_run.messages import read_job, read_revision, read_service, short
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.progress import Progress, quiet
from checks.text.plural import counted
from checks.text.show import show

T = TypeVar("T")

SOURCE: Final = "cloud-run"
ROLE: Final = "roles/run.viewer"
MAX_PAGES: Final = 50
_AT_ONCE: Final = 16
_NAME: Final = 200


async def read_deployments(
    pipeline: Pipeline, target: Target, budget: Budget, progress: Progress, *, login: Login | None = None
) -> tuple[Deployments | None, tuple[Gap, ...]]:
    """Everything that is deployed in the pipeline's places, without tags; None where nothing could be listed."""
    if not pipeline.places:
        return None, (_NO_PLACE,)
    try:
        async with patient(budget, connect(target, login or Login())) as client:
            return await RunReader(client, pipeline.sources, budget, progress).read(pipeline.places)
    except SourceError as error:
        return None, (error.gap(SOURCE),)


async def read_deployed(
    place: tuple[str, str], name: str, sources: Sources, target: Target, budget: Budget, login: Login
) -> tuple[Service | None, tuple[Gap, ...]]:
    """One service of a project and region, with the revisions that serve or should; None where it cannot be read."""
    try:
        async with (
            patient(budget, login.opening(f"cloud-run {target.address}", lambda: connect(target, login))) as client,
        ):
            return await RunReader(client, sources, budget, quiet).read_one(place, name)
    except SourceError as error:
        return None, (error.gap(SOURCE),)


@dataclass(slots=True)
class RunReader:
    """One look at Cloud Run; make a new reader for the next.

    Attributes:
        client: the open way to it.
        sources: which labels and environment variables are of interest.
        budget: what all calls together may take.
        progress: told how far it is.
    """

    client: RunClient
    sources: Sources
    budget: Budget
    progress: Progress
    _failures: list[tuple[str, SourceError]] = field(default_factory=list[tuple[str, SourceError]])
    _heard: bool = False
    _at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def read(self, places: tuple[tuple[str, str], ...]) -> tuple[Deployments | None, tuple[Gap, ...]]:
        """List, then ask for revisions. Never raises for what the server does."""
        self.progress("listing services and jobs", 0, None)
        found = await asyncio.gather(*(self._place(*place) for place in places))
        services = [service for listed, _ in found for service in listed]
        jobs = tuple(job for _, listed in found for job in listed)
        self.progress("reading revisions", 0, None)
        told = tuple(await asyncio.gather(*(self._with_revisions(service) for service in services)))
        missing = gaps(SOURCE, self._failures)
        if not self._heard:
            return None, missing
        return Deployments(services=told, jobs=jobs, complete=not missing), missing

    async def read_one(self, place: tuple[str, str], name: str) -> tuple[Service | None, tuple[Gap, ...]]:
        """One service by its name. Never raises for what the server does."""
        full = f"projects/{place[0]}/locations/{place[1]}/services/{name}"
        try:
            message = await self._ask(lambda: self.client.service(full, self.budget.deadline()))
            service = await self._with_revisions(read_service(message, place, self.sources))
        except SourceError as error:
            self._failures.append((f"service {show(name, limit=_NAME)}", error))
            service = None
        except ValueError as error:
            self._failures.append((f"service {show(name, limit=_NAME)}", _unreadable(error)))
            service = None
        return service, gaps(SOURCE, self._failures)

    async def _place(self, project: str, region: str) -> tuple[list[Service], list[Job]]:
        parent, place = f"projects/{project}/locations/{region}", (project, region)

        def service(message: Message) -> Service:
            return read_service(message, place, self.sources)

        def job(message: Message) -> Job:
            return read_job(message, place, self.sources)

        where = show(f"{project}/{region}", limit=_NAME)
        return await asyncio.gather(
            self._listing(f"services of {where}", self._pages(self.client.services, parent), service),
            self._listing(f"jobs of {where}", self._pages(self.client.jobs, parent), job),
        )

    async def _listing(self, what: str, pages: AsyncGenerator[Page], read: Callable[[Message], T]) -> list[T]:
        """All of a listing that can be read; a page that fails is the last, and a failure like any other."""
        found: list[T] = []
        try:
            async for page in pages:
                for message in page.items:
                    try:
                        found.append(read(message))
                    except ValueError as error:
                        self._failures.append((show(short(message.name), limit=_NAME), _unreadable(error)))
                if page.unreachable:
                    self._failures.append((what, _unreachable(page)))
        except SourceError as error:
            self._failures.append((what, error))
        return found

    async def _pages(self, listing: "_Listing", parent: str) -> AsyncGenerator[Page]:
        token, seen = "", set[str]()
        while token not in seen and len(seen) < MAX_PAGES:
            seen.add(token)
            page = await self._ask(lambda token=token: listing(parent, token, self.budget.deadline()))
            self._heard = True
            yield page
            token = page.next_page_token
            if not token:
                return
        raise SourceError(
            f"the listing does not end: {counted(len(seen), 'page was', 'pages were')} read", NO_CLOUD_RUN
        )

    async def _with_revisions(self, service: Service) -> Service:
        names = (*(share.revision for share in service.shares), service.created, service.ready)
        found = await asyncio.gather(*(self._revision(service, name) for name in dict.fromkeys(filter(None, names))))
        return service.model_copy(update={"revisions": tuple(revision for revision in found if revision)})

    async def _revision(self, service: Service, name: str) -> Revision | None:
        place = f"projects/{service.project}/locations/{service.region}"
        full = f"{place}/services/{service.name}/revisions/{name}"
        try:
            message = await self._ask(lambda: self.client.revision(full, self.budget.deadline()))
            revision = read_revision(message, service, self.sources)
        except SourceError as error:
            failure = error
        except ValueError as error:
            failure = _unreadable(error)
        else:
            if revision.name == name:
                return revision
            failure = SourceError(f"the answer is about {show(revision.name, limit=_NAME)}", NO_CLOUD_RUN)
        self._failures.append((f"revision {show(name, limit=_NAME)} of {show(service.name, limit=_NAME)}", failure))
        return None

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        async def once() -> T:
            async with self.budget.patience():
                return await call()

        async with self._at_once:
            return await ask(once, self.budget, role=ROLE)


class _Listing(Protocol):
    """A method of the client that lists."""

    async def __call__(self, parent: str, token: str, timeout: float) -> Page: ...  # noqa: ASYNC109 - handed on to gRPC


def _unreadable(error: ValueError) -> SourceError:
    reason = show(str(error), limit=_NAME)
    return SourceError(f"cannot be read: {reason}", "look at it with gcloud run, and tell the makers of this check")


def _unreachable(page: Page) -> SourceError:
    return SourceError(
        f"Cloud Run could not reach {show(', '.join(page.unreachable), limit=_NAME)}", "try again in a minute"
    )


_NO_PLACE: Final = Gap(
    source=SOURCE,
    reason="the settings name no region, so nothing can be listed",
    next_step="name the region under [pipeline] or at each service and job",
)
