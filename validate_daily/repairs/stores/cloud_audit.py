"""The audit in Cloud Logging: each line is acknowledged before the change that it is about.

Instances of a server share the log and not a file, so each of them has a chain of its own in it.
"""

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from google.api.monitored_resource_pb2 import MonitoredResource
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient
from google.cloud.logging_v2.types import (
    ListLogEntriesRequest,
    ListLogEntriesResponse,
    LogEntry,
    WriteLogEntriesRequest,
)
from google.protobuf.struct_pb2 import Struct
from pydantic import ValidationError

from checks.settings.pipeline import Pipeline
from checks.sources.addresses import logging_target
from checks.sources.budget import Budget, ask
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.logging.search import connect
from validate_daily.repairs.plans.audit_event import FIRST, AuditError, Event, ends, json_line
from validate_daily.repairs.plans.clock import machine_time
from validate_daily.repairs.plans.plan import PlanId

ROLE: Final = "roles/logging.logWriter"
_READ_ROLE: Final = "roles/logging.viewer"
_FIELD: Final = "validate_daily_audit"
_PAGE: Final = 100
_MAX_PAGES: Final = 50
_PLANS_LIVE: Final = timedelta(hours=2)
"""The hour in which a started plan may be resumed, and as much again for clocks that differ."""
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_REMEMBERED: Final = timedelta(days=30)


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
            line = json_line(event, self._head)
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
        """The line before the first change of a plan, if it was started within the hour that plans live.

        Raises:
            AuditError: the log cannot be read to its end.
        """
        wanted = f'jsonPayload.plan="{plan}" AND jsonPayload.moment="before"'
        since = machine_time() - _PLANS_LIVE
        return await self._first(wanted, since, "asc", lambda event: event.plan == plan and event.moment == "before")

    async def ended(self, start: Event) -> Event | None:
        """The first line after the start that ends the plan.

        Raises:
            AuditError: the log cannot be read to its end.
        """
        own = f'(jsonPayload.plan="{start.plan}" AND jsonPayload.moment="after")'
        later = f'(jsonPayload.place={json.dumps(start.place)} AND jsonPayload.moment="before")'
        wanted = f"({own} OR {later})" if start.place else own
        return await self._first(
            wanted, start.at - _CLOCKS_DIFFER, "asc", lambda event: event.at >= start.at and ends(event, start)
        )

    async def last(self, repair: str, place: str) -> Event | None:
        """The line before the newest change of this kind at a place, within thirty days.

        Raises:
            AuditError: the log cannot be read to its end.
        """
        wanted = (
            f"jsonPayload.repair={json.dumps(repair)} AND jsonPayload.place={json.dumps(place)} "
            'AND jsonPayload.moment="before"'
        )
        since = machine_time() - _REMEMBERED
        return await self._first(wanted, since, "desc", lambda event: (event.repair, event.place) == (repair, place))

    async def _first(self, wanted: str, since: datetime, order: str, fits: Callable[[Event], bool]) -> Event | None:
        """The first line that fits. An empty page with a token means that the search goes on, not that it has ended."""
        budget = Budget(self.seconds)
        name = f"projects/{self.project}/logs/{self.log}"
        token = ""
        for _ in range(_MAX_PAGES):
            request = ListLogEntriesRequest(
                resource_names=[f"projects/{self.project}"],
                filter=f'logName="{name}" AND {wanted} AND timestamp>="{since:%Y-%m-%dT%H:%M:%S.%fZ}"',
                order_by=f"timestamp {order}",
                page_size=_PAGE,
                page_token=token,
            )
            try:
                page = await ask(partial(self._page, request, budget), budget, role=_READ_ROLE)
            except SourceError as error:
                raise AuditError(f"the audit in Cloud Logging cannot be read: {error}", error.next_step) from error
            events = (event for entry in page.entries if (event := _event(entry)))
            found = next((event for event in events if fits(event)), None)
            if found is not None or not page.next_page_token:
                return found
            token = page.next_page_token
        raise AuditError(
            f"the audit in Cloud Logging could not be read completely: it has more than {_MAX_PAGES} pages", "run again"
        )

    async def _page(self, request: ListLogEntriesRequest, budget: Budget) -> ListLogEntriesResponse:
        async with budget.patience():
            pager: Any = await self.api.list_log_entries(request, retry=None, timeout=budget.deadline())
            return await anext(aiter(pager.pages))

    def _request(self, event: Event, line: str, head: str) -> WriteLogEntriesRequest:
        payload = Struct()
        payload.update(
            {
                "message": f"{event.repair} {event.plan or event.subject}: {event.moment}",
                "plan": event.plan or "",
                "moment": event.moment,
                "repair": event.repair,
                "subject": event.subject,
                "pipeline": event.pipeline or "",
                "project": event.project or "",
                "place": event.place or "",
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
