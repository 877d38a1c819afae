"""What each story says of deployments and jobs, and that all four sides of the practice cloud are there to be asked."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import grpc.aio
import httpx2
import pytest
from google.api_core import exceptions
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcAsyncIOTransport
from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse

from validate_daily.sandbox import Clock, Sandbox, World, build, scenario_names
from validate_daily.sandbox.firestore import stamps
from validate_daily.sandbox.firestore.documents import IdRange
from validate_daily.sandbox.firestore.messages import Document
from validate_daily.sandbox.run.state import Service

from support.cloud_run import JOB, PHASE2, PHASE3, PHASE4, clients

if TYPE_CHECKING:
    from tests.conftest import Serve

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
MONTH = timedelta(days=30)
DENIED = ["denied-logging", "denied-registry", "denied-run"]
PROJECT = "projects/nba-props-platform"
STORIES = [name for name in scenario_names() if name != "hundred-thousand"]
"""All but one, which takes seconds to make and is deployed as the silent stop is."""

BROKEN = {
    "gunicorn-missing": PHASE2, "pinned-traffic": PHASE3, "revision-never-ready": "nba-scrapers",
    "rollout-in-progress": PHASE4, "split-traffic": PHASE3,
}  # fmt: skip
"""The stories in which a service does not serve its newest revision alone, and the service."""


@cache
def at_noon(name: str) -> World:
    """The world of a story, made once: the tests here only look at it."""
    return build(name, clock=Clock(NOON, speed=0))


def serves_newest_alone(service: Service) -> bool:
    return [revision.name for revision, _ in service.serving()] == [service.created_revision]


async def entries(sandbox: Sandbox) -> ListLogEntriesResponse:
    async with grpc.aio.insecure_channel(sandbox.logging_address) as channel:
        client = LoggingServiceV2AsyncClient(transport=LoggingServiceV2GrpcAsyncIOTransport(channel=channel))
        request = ListLogEntriesRequest(resource_names=[PROJECT], page_size=5)
        pager = await client.list_log_entries(request=request, retry=None, timeout=5)
        return await anext(pager.pages)


async def manifest(sandbox: Sandbox) -> httpx2.Response:
    path = f"v2/nba-props-platform/nba-props/{PHASE2}/manifests/latest"
    async with httpx2.AsyncClient() as client:
        return await client.get(f"http://{sandbox.registry_address}/{path}")


@pytest.mark.parametrize("name", STORIES)
def test_a_service_serves_its_newest_revision_alone_unless_the_story_is_about_that(name: str) -> None:
    world = at_noon(name)
    assert {one.short for one in world.run.services.values() if not serves_newest_alone(one)} == (
        {BROKEN[name]} if name in BROKEN else set()
    )


@pytest.mark.parametrize("name", sorted(set(STORIES) - {"fix-pushed", "tag-moved"}))
def test_a_tag_means_what_was_deployed_last_unless_the_story_is_about_that(name: str) -> None:
    world = at_noon(name)
    for service in world.run.services.values():
        newest = service.revisions[service.created_revision]
        assert world.images.pinned(service.template.containers[0].image) == newest.image


def test_a_tag_that_moved_means_another_digest_than_serves() -> None:
    world = at_noon("tag-moved")
    service = world.service(PHASE2)
    ((revision, _),) = service.serving()
    assert world.images.pinned(service.template.containers[0].image) != revision.image
    assert {one.task.containers[0].image for one in world.run.jobs.values()} == {revision.image}


@pytest.mark.parametrize("name", STORIES)
def test_a_label_tells_the_commit_that_was_built_unless_the_story_is_about_that(name: str) -> None:
    world = at_noon(name)
    lying = [
        service.short
        for service in world.run.services.values()
        for build in [world.images.build(service.revisions[service.created_revision].image)]
        if build is None or service.labels["commit-sha"] != build.commit
    ]
    assert lying == ([PHASE3] if name in {"hostile-logs", "stale-label"} else [])


@pytest.mark.parametrize("name", STORIES)
def test_jobs_run_what_phase_two_serves_unless_they_are_forgotten(name: str) -> None:
    world = at_noon(name)
    ((revision, _),) = world.service(PHASE2).serving()
    own = [
        one.short
        for one in world.run.jobs.values()
        if world.images.pinned(one.task.containers[0].image) != revision.image
    ]
    assert len(own) == (21 if name in {"forgotten-jobs", "forgotten-jobs-running", "two-faults"} else 0)
    assert len(world.run.jobs) == 21


@pytest.mark.parametrize(
    ("name", "ran"),
    [
        ("forgotten-jobs", []),
        ("forgotten-jobs-running", [JOB]),
        ("two-faults", ["nbac-schedule-processor-backfill", JOB]),
    ],
)
def test_forgotten_jobs_name_old_images_of_their_own_and_have_not_run_for_months(name: str, ran: list[str]) -> None:
    world = at_noon(name)
    for job in world.run.jobs.values():
        build = world.images.build(job.task.containers[0].image)
        assert job.task.containers[0].image == f"gcr.io/nba-props-platform/{job.short}:latest"
        assert build is not None
        assert build.code == "old"
    last = {job.short: max(one.created for one in job.executions.values()) for job in world.run.jobs.values()}
    assert sorted(name for name, at in last.items() if NOON - at < MONTH) == sorted(ran)


def test_silence_began_with_a_deploy_of_code_that_lacks_a_package() -> None:
    world = at_noon("silent-stop")
    for service in world.run.services.values():
        newest = service.revisions[service.created_revision]
        build = world.images.build(newest.image)
        assert build is not None
        assert (build.code, NOON - newest.created) == ("silent", timedelta(days=5))


def test_a_switch_stands_in_the_environment_of_the_serving_revision() -> None:
    world = at_noon("switched-off")
    found = {
        service.short: revision.template.containers[0].environment.get("ENABLE_HEARTBEATS")
        for service in world.run.services.values()
        for revision, _ in service.serving()
    }
    assert {name for name, value in found.items() if value} == {"prediction-worker"}


@pytest.mark.parametrize(
    ("name", "processor", "status", "silent"),
    [
        ("dead-run", "PlayerGameSummaryProcessor", "running", timedelta(minutes=25)),
        ("failed-run", "p2_nba_raw.odds_api_game_lines", "failed", timedelta(minutes=40)),
    ],
)
def test_a_run_left_its_document_as_it_was(name: str, processor: str, status: str, silent: timedelta) -> None:
    """And its processor wrote nothing since, while the documents of all others say that their runs completed."""
    world = build(name, clock=Clock(NOON, speed=0))
    world.advance(timedelta(hours=1))
    now = stamps.from_datetime(world.clock.now())
    documents = {
        doc: Document.FromString(held.fields or b"").fields for doc, held in world.heartbeats.scan(IdRange(), now)
    }

    assert documents[processor]["status"].string_value == status
    beat = documents[processor]["last_heartbeat"].timestamp_value
    assert beat == stamps.to_timestamp(stamps.from_datetime(NOON - silent))
    assert {fields["status"].string_value for doc, fields in documents.items() if doc != processor} == {"completed"}
    assert all("beats_every" in fields for fields in documents.values())


def test_a_rollout_in_progress_stays_in_progress() -> None:
    world = build("rollout-in-progress", clock=Clock(NOON, speed=0))
    world.advance(timedelta(minutes=5))
    assert world.service(PHASE4).reconciling


async def test_all_four_sides_tell_of_one_world(serve: "Serve") -> None:
    sandbox = await serve("healthy")
    assert sandbox.environment() == {
        "FIRESTORE_EMULATOR_HOST": sandbox.firestore_address,
        "VALIDATE_DAILY_RUN_ENDPOINT": sandbox.run_address,
        "VALIDATE_DAILY_LOGGING_ENDPOINT": sandbox.logging_address,
        "VALIDATE_DAILY_REGISTRY_ENDPOINT": sandbox.registry_address,
    }
    assert len(set(sandbox.environment().values())) == 4
    async with clients(sandbox) as cloud:
        service = await cloud.service(PHASE2)
        revision = await cloud.revision(service.latest_ready_revision)
    answer = await manifest(sandbox)
    assert revision.containers[0].image.endswith(f"@{answer.headers['docker-content-digest']}")
    assert (await entries(sandbox)).entries
    assert {(call.service, call.method) for call in sandbox.world.calls} == {
        ("run", "GetService"), ("run", "GetRevision"), ("registry", "GetManifest"), ("logging", "ListLogEntries"),
    }  # fmt: skip


@pytest.mark.parametrize("name", DENIED)
async def test_one_side_that_denies_leaves_the_others(serve: "Serve", name: str) -> None:
    sandbox = await serve(name)
    async with clients(sandbox) as cloud:
        if name == "denied-run":
            with pytest.raises(exceptions.PermissionDenied, match="may not exist"):
                await cloud.service(PHASE2)
        else:
            await cloud.service(PHASE2)
    if name == "denied-logging":
        with pytest.raises(exceptions.PermissionDenied, match="log views"):
            await entries(sandbox)
    else:
        assert (await entries(sandbox)).entries
    assert (await manifest(sandbox)).status_code == (403 if name == "denied-registry" else 200)


@pytest.mark.parametrize("name", ["hanging-run", "hanging-logging"])
async def test_a_side_that_hangs_ends_with_the_clients_patience(serve: "Serve", name: str) -> None:
    sandbox = await serve(name)
    async with grpc.aio.insecure_channel(sandbox.address("run" if name == "hanging-run" else "logging")) as channel:
        method = {
            "hanging-run": "/google.cloud.run.v2.Services/ListServices",
            "hanging-logging": "/google.logging.v2.LoggingServiceV2/ListLogEntries",
        }[name]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(method)(b"", timeout=0.2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_registry_that_hangs_ends_with_the_clients_patience(serve: "Serve") -> None:
    sandbox = await serve("hanging-registry")
    async with httpx2.AsyncClient(timeout=0.2) as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(f"http://{sandbox.registry_address}/v2/")


async def test_empty_pages_promise_a_next_one_for_ever(serve: "Serve") -> None:
    sandbox = await serve("empty-log-pages")
    page = await entries(sandbox)
    assert not page.entries
    assert page.next_page_token


def test_of_four_shards_three_ended_and_one_says_that_it_runs() -> None:
    rows = at_noon("hung-shard").logs.rows()
    said = [entry.json_payload.fields["message"].string_value for _, entry in rows if "shard" in str(entry)]

    assert sum(each.startswith("HEARTBEAT START: ") for each in said) == 4
    assert sum(each.startswith("HEARTBEAT END: ") for each in said) == 3
    assert said[-1].endswith("still running (45.0 min elapsed)")
