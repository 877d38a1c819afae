"""Since when a service and the jobs that follow it run the fix, and until when what ran before may have written."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from checks.sources.cloud_run.client import Message
from checks.sources.errors import SourceError
from validate_daily.repairs.cloud_run.service_state import ServiceState
from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.plans.errors import UnseenError
from validate_daily.repairs.stores.timestamps import moment

_REQUEST: Final = timedelta(minutes=5)
"""Cloud Run's own limit of a request where a service names none."""
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class RightSince:
    """Since when a service and its jobs are right.

    Attributes:
        traffic: when the service was last changed: its traffic meets the fix since then at the latest.
        drained: when the last request or execution was over that was under way then, at the latest.
        jobs: when the last job that follows it was updated; None where none does.
        running: executions that began before their job was updated, and still run.
        proved: code probes found the fix in the files of the image that serves.
        revisions: the names of the revisions that serve.
        following: the names of the jobs that follow it.
    """

    traffic: datetime
    drained: datetime
    jobs: datetime | None = None
    running: tuple[str, ...] = ()
    proved: bool = False
    revisions: frozenset[str] = frozenset()
    following: tuple[str, ...] = ()

    @property
    def all(self) -> datetime:
        """When the last of them became right."""
        return max(self.traffic, self.jobs or self.traffic)

    @property
    def settled(self) -> datetime:
        """From when on nothing wrote any more that began before all was right."""
        return max(self.all, self.drained)


async def read_right_since(session: RunSession, state: ServiceState, *, proved: bool) -> RightSince:
    """Read it of a service that serves the fix, and whose jobs run the same.

    Args:
        session: the way there.
        state: the service.
        proved: code probes found the fix in the files of its image.

    Raises:
        UnseenError: a job could not be read.
    """
    service = state.service
    jobs = await _read_jobs(session, service.name)
    request = state.message.template.timeout.ToTimedelta() or _REQUEST
    drained, running, updated = service.updated_at + request, list[str](), None
    for message in jobs:
        changed, last = moment(message.update_time), message.latest_created_execution
        updated = max(updated or changed, changed)
        if not last.name or moment(last.create_time) >= changed:
            continue
        if not last.completion_time.seconds:
            running.append(last.name.rpartition("/")[2])
        elif (over := moment(last.completion_time)) > changed:
            drained = max(drained, over)
    return RightSince(
        traffic=service.updated_at,
        jobs=updated,
        drained=drained,
        running=tuple(running),
        proved=proved,
        revisions=frozenset(share.revision for share in service.shares),
        following=tuple(message.name.rpartition("/")[2] for message in jobs),
    )


async def _read_jobs(session: RunSession, service: str) -> list[Message]:
    own, at_once = session.settings.pipeline, asyncio.Semaphore(_AT_ONCE)

    async def read(name: str, resource: str) -> Message:
        try:
            async with at_once:
                return await session.store.job(resource)
        except SourceError as error:
            raise UnseenError.of(f"job {name}", error) from error

    names = {
        each.name: f"projects/{each.project or own.pipeline.project}/locations/{region}/jobs/{each.name}"
        for each in own.jobs
        if each.follows == service and (region := each.region or own.pipeline.region)
    }
    return list(await asyncio.gather(*(read(name, resource) for name, resource in names.items())))
