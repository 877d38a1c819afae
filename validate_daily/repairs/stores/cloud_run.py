"""The calls of Cloud Run that a repair needs, by Google's own clients: reads that are repeated, writes that are not."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import google.cloud.run_v2 as run
from google.api_core import exceptions
from google.cloud.run_v2.services.jobs.transports import JobsGrpcAsyncIOTransport
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcAsyncIOTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcAsyncIOTransport
from google.longrunning import operations_pb2  # pyright: ignore[reportMissingTypeStubs] - Google has none

from checks.evidence.snapshot import Target
from checks.sources.budget import Budget, ask
from checks.sources.channel import open_channel
from checks.sources.cloud_run.client import ROLE, Message
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.google_errors import explain

T = TypeVar("T")

WRITE_ROLE: Final = "roles/run.developer, and roles/iam.serviceAccountUser on the account that it runs as,"
_CHANGED: Final = (exceptions.Aborted, exceptions.FailedPrecondition, exceptions.AlreadyExists)
_REFUSED: Final = (
    *(exceptions.PermissionDenied, exceptions.Unauthenticated, exceptions.InvalidArgument, exceptions.NotFound),
    *(exceptions.MethodNotImplemented, exceptions.OutOfRange, exceptions.ResourceExhausted, *_CHANGED),
)

_TAKEN: Final = re.compile(r"revision named ['\"]?([a-z0-9-]{1,63})\b.{0,80}already exists", re.IGNORECASE)
"""Cloud Run's words where a template names its next revision as another revision is named already."""


class ChangeError(SourceError):
    """A change that Cloud Run did not acknowledge.

    Attributes:
        refused: it did not take effect; else that is not known.
        conflict: it was refused because somebody else changed the same thing.
        taken_name: it was refused because a revision of this name exists already; else None.
    """

    def __init__(self, error: SourceError, *, refused: bool, conflict: bool) -> None:
        super().__init__(str(error), error.next_step)
        self.refused = refused
        self.conflict = conflict
        taken = _TAKEN.search(str(error))
        self.taken_name = taken[1] if taken else None


@dataclass(frozen=True, slots=True)
class RunStore:
    """An open way to Cloud Run. Messages are raw protobuf, in and out."""

    _services: run.ServicesAsyncClient
    _jobs: run.JobsAsyncClient
    _revisions: run.RevisionsAsyncClient
    _budget: Budget

    async def service(self, name: str) -> Message:
        """A service by its full name.

        Raises:
            SourceError: there is no answer.
        """
        return run.Service.pb(
            await self._read(
                lambda: self._services.get_service(
                    run.GetServiceRequest(name=name), retry=None, timeout=self._budget.deadline()
                )
            )
        )

    async def revision(self, name: str) -> Message:
        """A revision by its full name. Errors as for ``service``."""
        return run.Revision.pb(
            await self._read(
                lambda: self._revisions.get_revision(
                    run.GetRevisionRequest(name=name), retry=None, timeout=self._budget.deadline()
                )
            )
        )

    async def job(self, name: str) -> Message:
        """A job by its full name. Errors as for ``service``."""
        return run.Job.pb(
            await self._read(
                lambda: self._jobs.get_job(run.GetJobRequest(name=name), retry=None, timeout=self._budget.deadline())
            )
        )

    async def update_service(self, wanted: Message, *parts: str, rehearse: bool) -> Message | None:
        """Want another state of a service: the parts of it that are named, if its etag is still the same.

        Args:
            wanted: the whole service.
            parts: fields, as in ``template``.
            rehearse: let Cloud Run say what it would be, and change nothing.

        Returns:
            What Cloud Run says that it is, or would be; it may still be on its way there. None where its answer holds
            no service.

        Raises:
            ChangeError: there is no acknowledgement.
        """
        request = run.UpdateServiceRequest(
            service=run.Service.wrap(wanted), update_mask={"paths": list(parts)}, validate_only=rehearse
        )
        call = self._services.update_service
        return await self._change(
            lambda: call(request, retry=None, timeout=self._budget.deadline()), run.Service, rehearse=rehearse
        )

    async def update_job(self, wanted: Message, *, rehearse: bool) -> Message | None:
        """Want another state of a job. Starts nothing. Arguments and errors as for ``update_service``."""
        request = run.UpdateJobRequest(job=run.Job.wrap(wanted), validate_only=rehearse)
        call = self._jobs.update_job
        return await self._change(
            lambda: call(request, retry=None, timeout=self._budget.deadline()), run.Job, rehearse=rehearse
        )

    async def _read(self, call: Callable[[], Awaitable[T]]) -> T:
        async def once() -> T:
            async with self._budget.patience():
                return await call()

        return await ask(once, self._budget, role=ROLE)

    async def _change(self, call: Callable[[], Awaitable[Any]], kind: Any, *, rehearse: bool) -> Message | None:  # noqa: ANN401 - Google's
        try:
            async with self._budget.patience():
                operation: operations_pb2.Operation = (await call()).operation
        except exceptions.GoogleAPICallError as error:
            raise ChangeError(
                explain(error, role=WRITE_ROLE),
                refused=isinstance(error, _REFUSED),
                conflict=isinstance(error, _CHANGED),
            ) from error
        except TimeoutError:
            silent = SourceError("no answer within the time given", "look at what it is now, and run again")
            raise ChangeError(silent, refused=False, conflict=False) from None
        if rehearse and operation.HasField("error"):
            raise _failed(operation)
        message = kind.pb(kind())
        told = (operation.response if operation.HasField("response") else operation.metadata).Unpack(message)
        return message if told and message.ListFields() else None


@asynccontextmanager
async def connect(target: Target, login: Login, budget: Budget) -> AsyncGenerator[RunStore]:
    """Open one channel to Cloud Run, and close it at the end. Call inside the running loop.

    Raises:
        SourceError: there are no usable credentials.
    """
    async with open_channel(target, ServicesGrpcAsyncIOTransport, login) as channel:
        yield RunStore(
            run.ServicesAsyncClient(transport=ServicesGrpcAsyncIOTransport(channel=channel)),
            run.JobsAsyncClient(transport=JobsGrpcAsyncIOTransport(channel=channel)),
            run.RevisionsAsyncClient(transport=RevisionsGrpcAsyncIOTransport(channel=channel)),
            budget,
        )


def _failed(operation: operations_pb2.Operation) -> ChangeError:
    """A rehearsal that ended with an error: what was rehearsed would be refused."""
    error: exceptions.GoogleAPICallError = exceptions.from_grpc_status(operation.error.code, operation.error.message)
    return ChangeError(
        explain(error, role=WRITE_ROLE), refused=isinstance(error, _REFUSED), conflict=isinstance(error, _CHANGED)
    )
