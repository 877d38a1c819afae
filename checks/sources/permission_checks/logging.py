"""Tries what a check needs of Cloud Logging: to list the log lines of the last minute, one at most, in each project."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient
from google.cloud.logging_v2.types import ListLogEntriesRequest

from checks.evidence.permission_checks import Permission, PermissionCheck
from checks.sources.addresses import log_projects
from checks.sources.budget import Budget, patient
from checks.sources.errors import SourceError
from checks.sources.logging.filter import Compare, log_filter
from checks.sources.logging.logs import SOURCE
from checks.sources.logging.search import ROLE, connect
from checks.sources.permission_checks.attempts import PermissionChecker
from checks.sources.source import PermissionRequest, Permissions

_API: Final = "logging.googleapis.com"
_MINUTE: Final = timedelta(minutes=1)
_RUN: Final = Compare("resource.type", "=", "cloud_run_revision")


async def check(request: PermissionRequest) -> Permissions:
    """Every project at the same time.

    Raises:
        SourceError: the way there could not be opened.
    """
    checker, projects = request.checker, log_projects(request.pipeline)
    async with patient(checker.budget(), connect(request.target, checker.login)) as api:
        checks = await asyncio.gather(*(_check(api, resource, checker) for resource in projects))
    return Permissions(checks=tuple(checks))


async def _check(api: LoggingServiceV2AsyncClient, resource: str, checker: PermissionChecker) -> PermissionCheck:
    project = resource.removeprefix("projects/")
    want = Permission(
        source=SOURCE,
        what=f"list a log line of the last minute of {project}",
        permission="logging.logEntries.list",
        role=ROLE,
        api=_API,
        project=project,
    )
    return (await checker.attempt(want, lambda budget: _list(api, resource, budget))).check


async def _list(api: LoggingServiceV2AsyncClient, resource: str, budget: Budget) -> None:
    now = datetime.now(UTC)
    request = ListLogEntriesRequest(resource_names=[resource], filter=log_filter(now - _MINUTE, now, _RUN), page_size=1)
    pager: Any = await api.list_log_entries(request, retry=None, timeout=budget.deadline())
    if await anext(aiter(pager.pages)) is None:
        raise SourceError("the answer is no message of Cloud Logging's", "check the address, and try again")
