"""What we read is what gcloud prints: one world, told over gRPC to a check and over HTTP to Google's command line."""

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcAsyncIOTransport
from google.cloud.logging_v2.types import ListLogEntriesRequest, LogEntry
from google.protobuf.json_format import MessageToDict

from checks.evidence.deployments import Deployments, State
from checks.evidence.snapshot import Target
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget
from checks.sources.cloud_run.deployments import read_deployments
from checks.sources.logging.filter import log_filter
from checks.sources.logging.queries import runs_question, trouble_question
from checks.sources.progress import quiet
from validate_daily.sandbox import Fault, Sandbox

from support.gcloud import Gcloud, GcloudError, NoGcloudError, Printed
from support.gcloud_words import created, jobs_printed, jobs_read, name, services_printed, services_read

if TYPE_CHECKING:
    from tests.conftest import Serve

HEALTHY = "healthy"

Ask = Callable[[Sandbox], Gcloud]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """gcloud that asks a practice cloud."""

    def of(sandbox: Sandbox) -> Gcloud:
        try:
            return Gcloud(sandbox.gcloud_environment(), tmp_path)
        except NoGcloudError as error:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(error))

    return of


def stories(*some: str, more: tuple[str, ...]) -> list[Any]:
    """Scenarios for every run, and those for a long one."""
    return [*some, *(pytest.param(each, marks=pytest.mark.long) for each in more)]


@pytest.mark.parametrize(
    "story",
    stories(
        HEALTHY,
        "pinned-traffic",
        "split-traffic",
        "revision-never-ready",
        more=("gunicorn-missing", "rollout-in-progress", "stale-label", "tag-moved"),
    ),
)
async def test_we_read_of_services_what_gcloud_prints(story: str, serve: "Serve", ask: Ask):
    sandbox = await serve(story)
    gcloud = ask(sandbox)

    ours = services_read(await read(sandbox))
    services, revisions = await asyncio.gather(gcloud("run", "services", "list"), gcloud("run", "revisions", "list"))

    assert ours == services_printed(services, revisions)
    assert len(ours) == 6


@pytest.mark.parametrize("story", stories(HEALTHY, "forgotten-jobs", more=("forgotten-jobs-running",)))
async def test_we_read_of_jobs_what_gcloud_prints(story: str, serve: "Serve", ask: Ask):
    sandbox = await serve(story)

    ours = jobs_read(await read(sandbox))

    assert ours == jobs_printed(await ask(sandbox)("run", "jobs", "list"))
    assert len(ours) == 21


@pytest.mark.long
async def test_describe_prints_what_list_prints(serve: "Serve", ask: Ask):
    gcloud = ask(await serve("pinned-traffic"))

    for kind in ("services", "revisions", "jobs"):
        *_, last = await gcloud("run", kind, "list", "--limit=3")
        assert await gcloud("run", kind, "describe", name(last)) == last


async def test_the_newest_execution_of_a_job_is_the_one_that_the_job_names(serve: "Serve", ask: Ask):
    sandbox = await serve(HEALTHY)
    gcloud = ask(sandbox)
    job = next(iter(sandbox.world.run.jobs.values()))
    for _ in range(3):
        sandbox.world.run.execute(job, at=sandbox.world.clock.now())

    told, executions = await asyncio.gather(
        gcloud("run", "jobs", "describe", job.short),
        gcloud("run", "jobs", "executions", "list", f"--job={job.short}"),
    )

    newest = max(executions, key=created)
    assert told["status"]["latestCreatedExecution"]["name"] == name(newest)
    assert {each["metadata"]["labels"]["run.googleapis.com/job"] for each in executions} == {job.short}
    assert len(executions) == 4
    ours = next(each for each in (await read(sandbox)).jobs if each.name == job.short)
    assert (ours.last_run, ours.last_state) == (created(newest), State.PENDING)


async def test_the_filters_of_a_check_find_the_entries_that_gcloud_finds(serve: "Serve", ask: Ask):
    sandbox = await serve("permission-lost")
    gcloud = ask(sandbox)
    until = sandbox.world.clock.now()
    since = until - timedelta(hours=2)
    filters = [log_filter(since, until, question) for question in (runs_question("completed"), trouble_question())]
    filters.append(f'timestamp>="{since.isoformat()}" timestamp<="{until.isoformat()}"')

    printed = await asyncio.gather(*(gcloud("logging", "read", each, "--order=asc") for each in filters))

    for each, found in zip(filters, printed, strict=True):
        assert list(map(entry, found)) == [entry(theirs) for theirs in await listed(sandbox, each)]
    assert all(printed)


async def test_gcloud_is_refused_in_the_words_that_grpc_is_refused_in(serve: "Serve", ask: Ask):
    fault = Fault(service="run", method="GetService", status="PERMISSION_DENIED", message="not you")
    gcloud = ask(await serve(HEALTHY, fault))

    with pytest.raises(GcloudError, match="not you"):
        await gcloud("run", "services", "describe", "nba-scrapers")
    with pytest.raises(GcloudError, match=r"Cannot find job \[none-such\]"):
        await gcloud("run", "jobs", "describe", "none-such")


async def read(sandbox: Sandbox) -> Deployments:
    """What a check reads of a practice cloud, all of it."""
    known = sandbox.world.pipeline
    told = {"pipeline": {"name": "nba", "project": known.project, "region": known.region}}
    target = Target(source="cloud-run", address=sandbox.run_address, resource=sandbox.world.place.name, practice=True)
    found, gaps = await read_deployments(Pipeline.model_validate(told), target, Budget(20), quiet)
    assert found is not None
    assert gaps == ()
    return found


async def listed(sandbox: Sandbox, text: str) -> list[Printed]:
    """All entries that a filter finds, through Google's client, in the JSON that they have."""
    request = ListLogEntriesRequest(
        resource_names=[f"projects/{sandbox.world.pipeline.project}"],
        filter=text,
        order_by="timestamp asc",
        page_size=1_000,
    )
    async with grpc.aio.insecure_channel(sandbox.logging_address) as channel:
        client = LoggingServiceV2AsyncClient(transport=LoggingServiceV2GrpcAsyncIOTransport(channel=channel))
        pager: Any = await client.list_log_entries(request)
        return [MessageToDict(LogEntry.pb(each)) async for each in pager]


def entry(told: Printed) -> tuple[str, str, str, object]:
    """What tells one log entry from another."""
    return (
        told["insertId"],
        told["timestamp"],
        told.get("severity", "DEFAULT"),
        told.get("textPayload", told.get("jsonPayload")),
    )
