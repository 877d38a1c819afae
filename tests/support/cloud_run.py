"""Google's own clients for a practice cloud's Cloud Run, on one channel."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc.aio
from google.cloud import run_v2

from validate_daily.sandbox import Sandbox

PLACE: Final = "projects/nba-props-platform/locations/us-west2"
PHASE2: Final = "nba-phase2-raw-processors"
PHASE3: Final = "nba-phase3-analytics-processors"
PHASE4: Final = "nba-phase4-precompute-processors"
REGISTRY: Final = "us-west2-docker.pkg.dev/nba-props-platform/nba-props"
JOB: Final = "nbac-team-boxscore-processor-backfill"

# Google's generated clients are typed in part.
Untyped = Any


class Clients:
    """All four, and short words for what tests ask most."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.services = self._client(run_v2.ServicesAsyncClient)
        self.revisions = self._client(run_v2.RevisionsAsyncClient)
        self.jobs = self._client(run_v2.JobsAsyncClient)
        self.executions = self._client(run_v2.ExecutionsAsyncClient)

    def _client(self, kind: Untyped) -> Untyped:
        return kind(transport=kind.get_transport_class("grpc_asyncio")(channel=self.channel))

    async def service(self, short: str) -> run_v2.Service:
        """GetService."""
        return await self.services.get_service(name=f"{PLACE}/services/{short}", retry=None, timeout=5)

    async def revision(self, name: str) -> run_v2.Revision:
        """GetRevision, by full name."""
        return await self.revisions.get_revision(name=name, retry=None, timeout=5)

    async def job(self, short: str) -> run_v2.Job:
        """GetJob."""
        return await self.jobs.get_job(name=f"{PLACE}/jobs/{short}", retry=None, timeout=5)

    async def update(self, service: run_v2.Service, *mask: str, **request: bool) -> Untyped:
        """UpdateService: the operation."""
        asked = {"service": service, "update_mask": {"paths": list(mask)}, **request}
        message = run_v2.UpdateServiceRequest(asked)
        return await self.services.update_service(request=message, retry=None, timeout=5)


@asynccontextmanager
async def clients(sandbox: Sandbox) -> AsyncGenerator[Clients]:
    """The clients, while entered."""
    async with grpc.aio.insecure_channel(sandbox.run_address) as channel:
        yield Clients(channel)
