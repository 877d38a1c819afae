"""The calls of Cloud Run that a check needs, by Google's own clients, each a page or a message of raw protobuf."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import google.cloud.run_v2 as run
from google.cloud.run_v2.services.jobs.transports import JobsGrpcAsyncIOTransport
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcAsyncIOTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcAsyncIOTransport

from checks.evidence.snapshot import Target
from checks.sources.channel import open_channel
from checks.sources.credentials import Login

Message = Any
"""Protobuf's own classes are made at run time."""

SOURCE: Final = "cloud-run"
ROLE: Final = "roles/run.viewer"
NO_CLOUD_RUN: Final = "check that the address is Cloud Run's, and try again"
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing. ``unreachable`` names what the server itself could not look at."""

    items: tuple[Message, ...]
    next_page_token: str
    unreachable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunClient:
    """An open way to Cloud Run. Every method raises what Google's clients raise.

    ``timeout`` is in seconds; nothing is retried here.
    """

    _services: run.ServicesAsyncClient
    _jobs: run.JobsAsyncClient
    _revisions: run.RevisionsAsyncClient

    async def services(self, parent: str, token: str, timeout: float) -> Page:  # noqa: ASYNC109 - handed on to gRPC
        """A page of a place's services."""
        request = run.ListServicesRequest(parent=parent, page_size=_PAGE, page_token=token)
        pager: Any = await self._services.list_services(request, retry=None, timeout=timeout)
        answer = run.ListServicesResponse.pb(await anext(aiter(pager.pages)))
        return Page(tuple(answer.services), answer.next_page_token, tuple(answer.unreachable))

    async def service(self, name: str, timeout: float) -> Message:  # noqa: ASYNC109 - handed on to gRPC
        """One service by its full name."""
        answer = await self._services.get_service(run.GetServiceRequest(name=name), retry=None, timeout=timeout)
        return run.Service.pb(answer)

    async def jobs(self, parent: str, token: str, timeout: float) -> Page:  # noqa: ASYNC109 - handed on to gRPC
        """A page of a place's jobs."""
        request = run.ListJobsRequest(parent=parent, page_size=_PAGE, page_token=token)
        pager: Any = await self._jobs.list_jobs(request, retry=None, timeout=timeout)
        answer = run.ListJobsResponse.pb(await anext(aiter(pager.pages)))
        return Page(tuple(answer.jobs), answer.next_page_token)

    async def revision(self, name: str, timeout: float) -> Message:  # noqa: ASYNC109 - handed on to gRPC
        """One revision by its full name."""
        request = run.GetRevisionRequest(name=name)
        answer = await self._revisions.get_revision(request, retry=None, timeout=timeout)
        return run.Revision.pb(answer)


@asynccontextmanager
async def connect(target: Target, login: Login) -> AsyncGenerator[RunClient]:
    """Open one channel to Cloud Run, and close it at the end. Call inside the running loop.

    Raises:
        SourceError: there are no usable credentials.
    """
    async with open_channel(target, ServicesGrpcAsyncIOTransport, login) as channel:
        yield RunClient(
            run.ServicesAsyncClient(transport=ServicesGrpcAsyncIOTransport(channel=channel)),
            run.JobsAsyncClient(transport=JobsGrpcAsyncIOTransport(channel=channel)),
            run.RevisionsAsyncClient(transport=RevisionsGrpcAsyncIOTransport(channel=channel)),
        )
