"""Lists the services and jobs of many places at the same time, and asks for nothing else: what is there, not what runs.

What fails is a gap that names the place; the rest is kept.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from checks.evidence.deployments import Job, Service
from checks.evidence.snapshot import Gap, Target
from checks.settings.sources import Sources
from checks.sources.budget import Budget, ask, gaps, patient
from checks.sources.cloud_run.client import NO_CLOUD_RUN, Message, Page, RunClient, connect
from checks.sources.cloud_run.deployments import MAX_PAGES, ROLE, SOURCE
from checks.sources.cloud_run.messages import read_job, read_service, short
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.progress import Progress
from checks.text.plural import counted
from checks.text.show import show

T = TypeVar("T")

_AT_ONCE: Final = 16
_NAME: Final = 200
_LOOK: Final = "look at it with gcloud run"

RunPlace = tuple[str, str]
"""A project and a region."""

Listed = tuple[tuple[Service, ...], tuple[Job, ...], tuple[Gap, ...]]


async def list_places(
    places: tuple[RunPlace, ...], target: Target, budget: Budget, progress: Progress, *, login: Login
) -> Listed:
    """The services, without their revisions, and the jobs of all these places."""
    try:
        async with patient(budget, connect(target, login)) as client:
            return await _Lister(client, budget, progress).read(places)
    except SourceError as error:
        return (), (), (error.gap(SOURCE),)


@dataclass(slots=True)
class _Lister:
    client: RunClient
    budget: Budget
    progress: Progress
    _done: int = 0
    _failures: list[tuple[str, SourceError]] = field(default_factory=list[tuple[str, SourceError]])
    _at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def read(self, places: tuple[RunPlace, ...]) -> Listed:
        found = await asyncio.gather(*(self._place(place, len(places)) for place in places))
        services = tuple(service for listed, _ in found for service in listed)
        jobs = tuple(job for _, listed in found for job in listed)
        return services, jobs, gaps(SOURCE, _everywhere(self._failures, len(places)))

    async def _place(self, place: RunPlace, total: int) -> tuple[list[Service], list[Job]]:
        parent, where = f"projects/{place[0]}/locations/{place[1]}", show("/".join(place), limit=_NAME)
        found = await asyncio.gather(
            self._listing(
                f"services of {where}",
                lambda token: self.client.services(parent, token, self.budget.deadline()),
                lambda message: read_service(message, place, _NOTHING),
            ),
            self._listing(
                f"jobs of {where}",
                lambda token: self.client.jobs(parent, token, self.budget.deadline()),
                lambda message: read_job(message, place, _NOTHING),
            ),
        )
        self._done += 1
        self.progress("regions looked through", self._done, total)
        return found

    async def _listing(
        self, what: str, page: Callable[[str], Awaitable[Page]], read: Callable[[Message], T]
    ) -> list[T]:
        """All that can be read; a page that fails is the last."""
        found: list[T] = []
        try:
            async for message in self._messages(page):
                try:
                    found.append(read(message))
                except ValueError as error:
                    failure = SourceError(f"cannot be read: {show(str(error), limit=_NAME)}", _LOOK)
                    self._failures.append((show(short(message.name), limit=_NAME), failure))
        except SourceError as error:
            self._failures.append((what, error))
        return found

    async def _messages(self, page: Callable[[str], Awaitable[Page]]) -> AsyncGenerator[Message]:
        token, seen = "", set[str]()
        while token not in seen and len(seen) < MAX_PAGES:
            seen.add(token)
            answer = await self._ask(lambda token=token: page(token))
            for message in answer.items:
                yield message
            if answer.unreachable:
                where = show(", ".join(answer.unreachable), limit=_NAME)
                raise SourceError(f"Cloud Run could not reach {where}", "try again in a minute")
            token = answer.next_page_token
            if not token:
                return
        raise SourceError(
            f"the listing does not end: {counted(len(seen), 'page was', 'pages were')} read", NO_CLOUD_RUN
        )

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        async def once() -> T:
            async with self.budget.patience():
                return await call()

        async with self._at_once:
            return await ask(once, self.budget, role=ROLE)


def _everywhere(failures: list[tuple[str, SourceError]], total: int) -> list[tuple[str, SourceError]]:
    """The same, but what failed alike in every place is one failure."""
    alike: dict[tuple[str, str], list[tuple[str, SourceError]]] = {}
    for what, error in failures:
        alike.setdefault((what.partition(" of ")[0], str(error)), []).append((what, error))
    told: list[tuple[str, SourceError]] = []
    for (kind, _), each in alike.items():
        told += [(f"{kind} in all {counted(total, 'region')}", each[0][1])] if len(each) == total > 1 else each
    return told


_NOTHING: Final = Sources(flags=())
