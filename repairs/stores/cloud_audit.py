"""The audit in Cloud Logging: each line is acknowledged before the change that it is about.

Instances of a server share the log and not a file, so each of them has a chain of its own in it.
"""

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from google.api.monitored_resource_pb2 import MonitoredResource
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient
from google.cloud.logging_v2.types import ListLogEntriesRequest, LogEntry, WriteLogEntriesRequest
from google.protobuf.struct_pb2 import Struct
from pydantic import ValidationError

from checks.errors import SourceError
from checks.pipeline import Pipeline
from checks.sources.endpoints import logging_target
from checks.sources.log_search import connect
from checks.sources.login import Login
from checks.sources.reading import Budget, ask
from repairs.audit import FIRST, AuditError, Event, told
from repairs.plan import PlanId

ROLE: Final = "roles/logging.logWriter"
_READ_ROLE: Final = "roles/logging.viewer"
_FIELD: Final = "validate_daily_audit"


@dataclass(slots=True)
class CloudLoggingAudit:
    """One instance's chain in a log.

    Attributes:
        api: Google's own client.
        project: whose log.
        log: its id.
        seconds: what one line may take.
    """

    api: LoggingServiceV2AsyncClient
    project: str
    log: str
    seconds: float
    _chain: str = field(default_factory=lambda: secrets.token_hex(8))
    _head: str = FIRST
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def append(self, event: Event) -> str:
        """Write a line and wait for its acknowledgement. A repeated one is the same entry.

        Raises:
            AuditError: there is no acknowledgement.
        """
        async with self._turn:
            line = told(event, self._head)
            head = hashlib.sha256(line.encode()).hexdigest()
            request = self._request(event, line, head)
            budget = Budget(self.seconds)

            async def write() -> None:
                async with budget.patience():
                    await self.api.write_log_entries(request, retry=None, timeout=budget.deadline())

            try:
                await ask(write, budget, role=ROLE)
            except SourceError as error:
                raise AuditError(f"the audit in Cloud Logging cannot be written: {error}", error.next_step) from error
            self._head = head
            return head

    async def started(self, plan: PlanId) -> Event | None:
        """The line before the first change of a plan, if it was started within the hour.

        Raises:
            AuditError: the log cannot be read.
        """
        found = await self._first(f'jsonPayload.plan="{plan}"', newest=False)
        return next((event for event in found if event.plan == plan), None)

    async def last(self, repair: str, subject: str) -> Event | None:
        """The line before the newest change of this kind to a subject, within the log's retention.

        Raises:
            AuditError: the log cannot be read.
        """
        wanted = f"jsonPayload.repair={json.dumps(repair)} AND jsonPayload.subject={json.dumps(subject)}"
        found = await self._first(wanted, newest=True)
        return next((event for event in found if (event.repair, event.subject) == (repair, subject)), None)

    async def _first(self, wanted: str, *, newest: bool) -> list[Event]:
        """The first lines that were written before a change and fit."""
        budget = Budget(self.seconds)
        name = f"projects/{self.project}/logs/{self.log}"
        request = ListLogEntriesRequest(
            resource_names=[f"projects/{self.project}"],
            filter=f'logName="{name}" AND {wanted} AND jsonPayload.moment="before"',
            order_by=f"timestamp {'desc' if newest else 'asc'}",
            page_size=10,
        )

        async def read() -> list[Any]:
            async with budget.patience():
                pager: Any = await self.api.list_log_entries(request, retry=None, timeout=budget.deadline())
                return list((await anext(aiter(pager.pages))).entries)

        try:
            entries = await ask(read, budget, role=_READ_ROLE)
        except SourceError as error:
            raise AuditError(f"the audit in Cloud Logging cannot be read: {error}", error.next_step) from error
        return [event for entry in entries if (event := _event(entry))]

    def _request(self, event: Event, line: str, head: str) -> WriteLogEntriesRequest:
        payload = Struct()
        payload.update(
            {
                "message": f"{event.repair} {event.plan or event.subject}: {event.moment}",
                "plan": event.plan or "",
                "moment": event.moment,
                "repair": event.repair,
                "subject": event.subject,
                "principal": event.principal.name,
                "identity": event.identity,
                "chain": self._chain,
                "head": head,
                _FIELD: line,
            }
        )
        entry = LogEntry(
            log_name=f"projects/{self.project}/logs/{self.log}",
            resource=MonitoredResource(type="global", labels={"project_id": self.project}),
            insert_id=head[:32],
            timestamp=event.at,
            severity="NOTICE",
            json_payload=payload,
        )
        return WriteLogEntriesRequest(entries=[entry], partial_success=False)


@asynccontextmanager
async def connect_audit(
    pipeline: Pipeline, log: str, environment: Mapping[str, str], seconds: float
) -> AsyncGenerator[CloudLoggingAudit]:
    """Open the way to a log of the pipeline's project.

    Raises:
        SourceError: there are no usable credentials.
    """
    async with connect(logging_target(pipeline, environment), Login()) as api:
        yield CloudLoggingAudit(api, pipeline.pipeline.project, log, seconds)


def _event(entry: Any) -> Event | None:  # noqa: ANN401 - protobuf's own classes are made at run time
    fields = LogEntry.pb(entry).json_payload.fields
    try:
        line = json.loads(fields[_FIELD].string_value)
        line.pop("previous")
        return Event.model_validate(line)
    except (ValueError, KeyError, AttributeError, ValidationError):
        return None
