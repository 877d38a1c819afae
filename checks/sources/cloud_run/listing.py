"""Lists the services and jobs of places, all at the same time: what is there, not what runs.

What fails is a failure that names the place, and in the end a gap; the rest is kept.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from checks.evidence.deployments import Job, Service
from checks.evidence.snapshot import Gap, Target
from checks.settings.sources import Sources
from checks.sources.budget import Budget, ask, gaps, patient
from checks.sources.cloud_run.client import NO_CLOUD_RUN, ROLE, SOURCE, Message, Page, RunClient, connect
from checks.sources.cloud_run.messages import read_job, read_service, short
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.progress import Progress
from checks.text.plural import counted
from checks.text.show import show

T = TypeVar("T")

MAX_PAGES: Final = 50
LONGEST_NAME: Final = 200
"""Characters of a name that a failure shows."""

_AT_ONCE: Final = 16

RunPlace = tuple[str, str]
"""A project and a region."""

ListedPlaces = tuple[tuple[Service, ...], tuple[Job, ...], tuple[Gap, ...]]


async def list_places(
    places: tuple[RunPlace, ...], target: Target, budget: Budget, progress: Progress, *, login: Login
) -> ListedPlaces:
    """The services, without their revisions, and the jobs of all these places; no environment variable is read."""
    try:
        async with patient(budget, connect(target, login)) as client:
            listing = RunListing(client, Sources(flags=()), budget)
            services, jobs = await listing.places(places, progress)
    except SourceError as error:
        return (), (), (error.gap(SOURCE),)
    return services, jobs, gaps(SOURCE, _everywhere(listing.failures, len(places)))


def _everything(_project: str, _region: str, _name: str) -> bool:
    return True


@dataclass(slots=True)
class RunListing:
    """The calls of one read of Cloud Run, a few at a time; make a new one for the next.

    Attributes:
        client: the open way to it.
        sources: which labels and environment variables are of interest.
        budget: what all calls together may take.
        failures: what was asked for and could not be read.
        claims: whether something of a project, region and name is the pipeline's. What is not and cannot be read is
            no failure; ``unread_others`` counts it.
        answered: whether any page came.
    """

    client: RunClient
    sources: Sources
    budget: Budget
    failures: list[tuple[str, SourceError]] = field(default_factory=list[tuple[str, SourceError]])
    claims: Callable[[str, str, str], bool] = _everything
    unread_others: int = 0
    answered: bool = False
    _done: int = 0
    _at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def places(
        self, places: tuple[RunPlace, ...], progress: Progress
    ) -> tuple[tuple[Service, ...], tuple[Job, ...]]:
        """The services and jobs of all these places. Never raises for what the server does."""
        found = await asyncio.gather(*(self._place(place, len(places), progress) for place in places))
        return (
            tuple(service for services, _ in found for service in services),
            tuple(job for _, jobs in found for job in jobs),
        )

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make one call, when its turn has come.

        Raises:
            SourceError: there is no answer.
        """

        async def once() -> T:
            async with self.budget.patience():
                return await call()

        async with self._at_once:
            return await ask(once, self.budget, role=ROLE)

    async def _place(self, place: RunPlace, total: int, progress: Progress) -> tuple[list[Service], list[Job]]:
        def service(message: Message) -> Service:
            return read_service(message, place, self.sources)

        def job(message: Message) -> Job:
            return read_job(message, place, self.sources)

        parent, where = f"projects/{place[0]}/locations/{place[1]}", show("/".join(place), limit=LONGEST_NAME)
        found = await asyncio.gather(
            self._list(f"services of {where}", place, self._pages(self.client.services, parent), service),
            self._list(f"jobs of {where}", place, self._pages(self.client.jobs, parent), job),
        )
        self._done += 1
        progress("regions looked through", self._done, total)
        return found

    async def _list(
        self, what: str, place: RunPlace, pages: AsyncGenerator[Page], read: Callable[[Message], T]
    ) -> list[T]:
        """All of a listing that can be read; a page that fails is the last, and a failure like any other."""
        found: list[T] = []
        try:
            async for page in pages:
                for message in page.items:
                    try:
                        found.append(read(message))
                    except ValueError as error:
                        self._unread(place, short(message.name), unreadable(error))
                if page.unreachable:
                    self.failures.append((what, _unreachable(page)))
        except SourceError as error:
            self.failures.append((what, error))
        return found

    def _unread(self, place: RunPlace, name: str, error: SourceError) -> None:
        if self.claims(*place, name):
            self.failures.append((show(name, limit=LONGEST_NAME), error))
        else:
            self.unread_others += 1

    async def _pages(self, listing: "_ListMethod", parent: str) -> AsyncGenerator[Page]:
        token, seen = "", set[str]()
        while token not in seen and len(seen) < MAX_PAGES:
            seen.add(token)
            page = await self.ask(lambda token=token: listing(parent, token, self.budget.deadline()))
            self.answered = True
            yield page
            token = page.next_page_token
            if not token:
                return
        raise SourceError(
            f"the listing does not end: {counted(len(seen), 'page was', 'pages were')} read", NO_CLOUD_RUN
        )


class _ListMethod(Protocol):
    """A method of the client that lists."""

    async def __call__(self, parent: str, token: str, timeout: float) -> Page: ...  # noqa: ASYNC109 - handed on to gRPC


def unreadable(error: ValueError) -> SourceError:
    """A message that came and makes no sense."""
    reason = show(str(error), limit=LONGEST_NAME)
    return SourceError(f"cannot be read: {reason}", "look at it with gcloud run, and tell the makers of this check")


def _unreachable(page: Page) -> SourceError:
    where = show(", ".join(page.unreachable), limit=LONGEST_NAME)
    return SourceError(f"Cloud Run could not reach {where}", "try again in a minute")


def _everywhere(failures: list[tuple[str, SourceError]], total: int) -> list[tuple[str, SourceError]]:
    """The same, but what failed alike in every place is one failure."""
    alike: dict[tuple[str, str], list[tuple[str, SourceError]]] = {}
    for what, error in failures:
        alike.setdefault((what.partition(" of ")[0], str(error)), []).append((what, error))
    merged: list[tuple[str, SourceError]] = []
    for (kind, _), each in alike.items():
        merged += [(f"{kind} in all {counted(total, 'region')}", each[0][1])] if len(each) == total > 1 else each
    return merged
