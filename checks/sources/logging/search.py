"""Searches Cloud Logging, page by page, within a budget of time, pages and the project's quota of reads.

An empty page with a token means "did not have time to search", not "no logs": the token is followed, to a bound.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from google.api_core.exceptions import DeadlineExceeded
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcAsyncIOTransport
from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse

from checks.evidence.snapshot import Target
from checks.sources.budget import Budget, ask
from checks.sources.channel import open_channel
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.logging.lines import LogLine, read_line
from checks.sources.logging.quota import RateLimit
from checks.text.plural import counted

ROLE: Final = "roles/logging.viewer"
PAGE: Final = 1_000
MAX_PAGES: Final = 15
_CALL: Final = 1.0
"""Seconds that must be left for a call when its turn comes."""

_NEWEST_FIRST: Final = "timestamp desc"


@dataclass(frozen=True, slots=True)
class FoundLines:
    """Lines, newest first. ``pages`` is how many were read; ``failure`` says why there may be more, if there may.

    Attributes:
        token: where the next page begins; empty where there is none, or none that leads on.
        slow: the failure is one of time: no answer, or pages that hold nothing and lead on.
        searched_since: from when on the window was searched to its end; None where it was not.
    """

    lines: tuple[LogLine, ...]
    pages: int
    failure: SourceError | None
    token: str = ""
    slow: bool = False
    searched_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogSearch:
    """An open way to the logs of some projects.

    Attributes:
        api: Google's own client.
        projects: their resource names.
        budget: what all calls together may take.
        limit: the quota that all of them share.
        max_pages: how many pages one search may read.
        hasty: give up after half of them, if none holds a line.
    """

    api: LoggingServiceV2AsyncClient
    projects: tuple[str, ...]
    budget: Budget
    limit: RateLimit
    max_pages: int = MAX_PAGES
    hasty: bool = False

    async def find(self, text: str, token: str = "", limit: int | None = None) -> FoundLines:
        """The lines that a filter finds. Never raises for what the server does.

        Args:
            text: what ``log_filter`` made.
            token: where an earlier search of the same filter stopped.
            limit: stop after the page that brings the first lines, of at most so many; None finds all.
        """
        lines: list[LogLine] = []
        seen = set[str]()
        failure: SourceError | None = None
        slow = False
        try:
            while token not in seen:
                if len(seen) == self.max_pages:
                    raise too_many_pages(self.max_pages)
                if self.hasty and len(seen) > self.max_pages // 2 and not lines:
                    slow = True
                    raise _inconclusive(f"{counted(len(seen), 'page')} held nothing, and there are more")
                answer = await ask(self._reading(text, token, limit or PAGE), self.budget, role=ROLE)
                seen.add(token)
                lines.extend(read_line(entry) for entry in answer.entries)
                token = answer.next_page_token
                if not token or (limit and lines):
                    return FoundLines(tuple(lines), len(seen), None, token)
            failure, token = _inconclusive("the pages lead in a circle"), ""
        except SourceError as error:
            failure, slow = error, slow or isinstance(error.__context__, (TimeoutError, DeadlineExceeded))
        return FoundLines(tuple(lines), len(seen), failure, token, slow)

    def _reading(self, text: str, token: str, size: int) -> Callable[[], Awaitable[Any]]:
        return lambda: self._page(text, token, size)

    async def _page(self, text: str, token: str, size: int) -> Any:  # noqa: ANN401 - protobuf's own classes are made at run time
        if not await self.limit.turn(self.budget.remaining() - _CALL):
            raise _inconclusive("the project's quota of 60 reads a minute is used up")
        request = ListLogEntriesRequest(
            resource_names=self.projects, filter=text, order_by=_NEWEST_FIRST, page_size=size, page_token=token
        )
        async with self.budget.patience():
            pager: Any = await self.api.list_log_entries(request, retry=None, timeout=self.budget.deadline())
            answer = await anext(aiter(pager.pages))
        return ListLogEntriesResponse.pb(answer)


@asynccontextmanager
async def connect(target: Target, login: Login) -> AsyncGenerator[LoggingServiceV2AsyncClient]:
    """Open one channel to Cloud Logging, and close it at the end. Call inside the running loop.

    Raises:
        SourceError: there are no usable credentials.
    """
    async with open_channel(target, LoggingServiceV2GrpcAsyncIOTransport, login) as channel:
        yield LoggingServiceV2AsyncClient(transport=LoggingServiceV2GrpcAsyncIOTransport(channel=channel))


def too_many_pages(most: int) -> SourceError:
    """A search that has more pages than it may read."""
    return _inconclusive(f"more than {most} pages")


def _inconclusive(why: str) -> SourceError:
    return SourceError(f"inconclusive: {why}", "try again in a minute, or search a shorter [sources] window")
