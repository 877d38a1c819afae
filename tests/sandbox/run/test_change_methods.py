"""Cloud Run's changing methods, through Google's own clients: the clock stands still unless a test moves it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from google.api_core import exceptions
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import run_v2
from google.longrunning import operations_pb2  # pyright: ignore[reportMissingTypeStubs] - Google has none

from validate_daily.sandbox import Clock, World, build
from validate_daily.sandbox.images import Build

from support.cloud_run import JOB, PHASE2, PHASE3, PLACE, REGISTRY, Clients, Untyped

if TYPE_CHECKING:
    from tests.sandbox.conftest import Run

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
SOON = timedelta(seconds=10)
FIXED = Build("new", "f00dcafe")
State = run_v2.Condition.State
TARGET = run_v2.TrafficTargetAllocationType


def at_noon(name: str = "healthy", *, at_once: bool = False) -> World:
    world = build(name, clock=Clock(NOON, speed=0))
    world.run.takes = timedelta() if at_once else world.run.takes
    return world


def pushed(world: World, service: str = PHASE2, build: Build = FIXED) -> str:
    """A new image, by digest."""
    repository = f"{REGISTRY}/{service}"
    return f"{repository}@{world.images.push(repository, build)}"


async def deploy(cloud: Clients, image: str, service: str = PHASE2) -> Untyped:
    told = await cloud.service(service)
    told.template.containers[0].image = image
    return await cloud.update(told, "template")


async def test_an_update_is_in_progress_until_its_time_has_come(run: "Run") -> None:
    world = at_noon()
    cloud = await run(world)
    before = await cloud.service(PHASE2)
    operation = await deploy(cloud, pushed(world))
    during = await cloud.service(PHASE2)
    assert (during.reconciling, during.terminal_condition.state) == (True, State.CONDITION_RECONCILING)
    assert during.latest_created_revision != during.latest_ready_revision == before.latest_ready_revision
    assert during.observed_generation == before.generation == during.generation - 1
    assert not await operation.done()
    world.advance(SOON)
    after = await cloud.service(PHASE2)
    assert (after.reconciling, after.terminal_condition.state) == (False, State.CONDITION_SUCCEEDED)
    assert after.latest_ready_revision == after.latest_created_revision == during.latest_created_revision
    assert after.observed_generation == after.generation
    assert await operation.done()
    assert (await operation.result()).name == after.name


async def test_an_update_by_digest_serves_that_digest(run: "Run") -> None:
    world = at_noon(at_once=True)
    cloud = await run(world)
    image = pushed(world)
    result = await (await deploy(cloud, image)).result()
    assert (await cloud.revision(result.latest_ready_revision)).containers[0].image == image
    assert result.latest_ready_revision.rpartition("/")[2].startswith(f"{PHASE2}-00130-")


async def test_an_update_by_tag_resolves_the_tag_once(run: "Run") -> None:
    world = at_noon(at_once=True)
    cloud = await run(world)
    first = pushed(world)
    told = await cloud.service(PHASE2)
    told.template.labels["commit-sha"] = "f00dcafe"
    result = await (await cloud.update(told, "template")).result()
    pushed(world, build=Build("new", "0ddba11"))
    assert (await cloud.revision(result.latest_ready_revision)).containers[0].image == first
    assert (await cloud.service(PHASE2)).template.containers[0].image == f"{REGISTRY}/{PHASE2}:latest"


async def test_the_same_template_makes_no_revision_even_if_its_tag_moved(run: "Run") -> None:
    world = at_noon("tag-moved", at_once=True)
    cloud = await run(world)
    before = await cloud.service(PHASE2)
    after = await (await cloud.update(before, "template")).result()
    assert after.latest_created_revision == before.latest_created_revision
    assert after.generation == before.generation + 1


@pytest.mark.parametrize(
    ("build", "line"),
    [
        pytest.param(replace(FIXED, listens=False), "Default STARTUP TCP probe failed", id="port"),
        pytest.param(
            replace(FIXED, lacks="gunicorn"), 'exec: "gunicorn": executable file not found in $PATH', id="gunicorn"
        ),
    ],
)
async def test_a_revision_that_does_not_start_never_serves_and_says_why(run: "Run", build: Build, line: str) -> None:
    world = at_noon(at_once=True)
    cloud = await run(world)
    before = await cloud.service(PHASE2)
    operation = await deploy(cloud, pushed(world, build=build))
    with pytest.raises(GoogleAPICallError) as caught:
        await operation.result()
    assert caught.value.response is not None
    assert caught.value.response.error.code == 9
    after = await cloud.service(PHASE2)
    assert after.latest_ready_revision == before.latest_ready_revision != after.latest_created_revision
    assert after.observed_generation == before.observed_generation < after.generation
    assert (after.reconciling, after.terminal_condition.state) == (False, State.CONDITION_FAILED)
    assert after.terminal_condition.reason == run_v2.Condition.CommonReason.REVISION_FAILED
    revision = await cloud.revision(after.latest_created_revision)
    ready = next(one for one in revision.conditions if one.type_ == "Ready")
    assert ready.state == State.CONDITION_FAILED
    assert ready.revision_reason == run_v2.Condition.RevisionReason.HEALTH_CHECK_CONTAINER_ERROR
    assert "failed to start and listen on the port defined provided by the PORT=8080" in ready.message
    own = revision.name.rpartition("/")[2]
    said = [each.text_payload for _, each in world.logs.rows() if each.resource.labels["revision_name"] == own]
    assert any(line in text for text in said)


async def test_an_image_that_does_not_exist_is_never_served(run: "Run") -> None:
    world = at_noon(at_once=True)
    cloud = await run(world)
    with pytest.raises(GoogleAPICallError):
        await (await deploy(cloud, f"{REGISTRY}/{PHASE2}:never-pushed")).result()
    after = await cloud.service(PHASE2)
    ready = (await cloud.revision(after.latest_created_revision)).conditions[0]
    assert ready.reason == run_v2.Condition.CommonReason.CONTAINER_MISSING
    assert "never-pushed' not found" in ready.message


async def test_a_broken_deploy_is_mended_by_the_next(run: "Run") -> None:
    world = at_noon("revision-never-ready", at_once=True)
    cloud = await run(world)
    result = await (await deploy(cloud, pushed(world, "nba-scrapers"), "nba-scrapers")).result()
    assert result.terminal_condition.state == State.CONDITION_SUCCEEDED
    assert result.latest_created_revision == result.latest_ready_revision


async def test_a_change_of_something_else_than_what_was_read_is_aborted(run: "Run") -> None:
    world = at_noon(at_once=True)
    cloud = await run(world)
    stale = await cloud.service(PHASE2)
    await deploy(cloud, pushed(world))
    stale.template.labels["nonce"] = "1"
    with pytest.raises(exceptions.Aborted, match=f"Conflict for resource '{PHASE2}'"):
        await cloud.update(stale, "template")
    stale.etag = ""
    await cloud.update(stale, "template")


async def test_a_revision_name_cannot_be_used_twice(run: "Run") -> None:
    world = at_noon(at_once=True)
    cloud = await run(world)
    told = await cloud.service(PHASE2)
    told.template.revision = f"{PHASE2}-00129-lf2"
    told.template.labels["nonce"] = "1"
    with pytest.raises(exceptions.AlreadyExists, match="with different configuration already exists"):
        await cloud.update(told, "template")
    told.template.revision = f"{PHASE2}-00130-fix"
    result = await (await cloud.update(told, "template")).result()
    assert result.latest_ready_revision.endswith("/nba-phase2-raw-processors-00130-fix")


async def test_a_revision_is_named_after_its_service(run: "Run") -> None:
    cloud = await run(at_noon())
    told = await cloud.service(PHASE2)
    told.template.revision = "fix"
    with pytest.raises(exceptions.InvalidArgument, match="must begin with nba-phase2-raw-processors-"):
        await cloud.update(told, "template")


async def test_validating_changes_nothing(run: "Run") -> None:
    world = at_noon()
    cloud = await run(world)
    before = await cloud.service(PHASE2)
    told = await cloud.service(PHASE2)
    told.template.containers[0].image = pushed(world)
    operation = await cloud.update(told, "template", validate_only=True)
    assert await operation.done()
    assert (await operation.result()).template.containers[0].image == told.template.containers[0].image
    assert await cloud.service(PHASE2) == before
    assert not [one for one in world.run.operations.values() if not one.done]


async def test_a_mask_of_the_template_leaves_pinned_traffic_pinned(run: "Run") -> None:
    world = at_noon("pinned-traffic", at_once=True)
    cloud = await run(world)
    before = await cloud.service(PHASE3)
    after = await (await deploy(cloud, pushed(world, PHASE3), PHASE3)).result()
    assert after.latest_ready_revision != before.latest_ready_revision
    assert list(after.traffic_statuses) == list(before.traffic_statuses)


async def test_traffic_alone_makes_no_revision_and_can_go_back(run: "Run") -> None:
    world = at_noon(at_once=True)
    cloud = await run(world)
    old = (await cloud.service(PHASE2)).latest_ready_revision.rpartition("/")[2]
    await deploy(cloud, pushed(world))
    told = await cloud.service(PHASE2)
    kind = TARGET.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
    told.traffic = [run_v2.TrafficTarget(type_=kind, revision=old, percent=100)]
    after = await (await cloud.update(told, "traffic")).result()
    assert after.latest_created_revision == told.latest_created_revision
    assert [(one.revision, one.percent) for one in after.traffic_statuses] == [(old, 100)]
    assert [revision.name for revision, _ in world.service(PHASE2).serving()] == [old]


@pytest.mark.parametrize(
    ("targets", "text"),
    [
        pytest.param([("", 60)], "add up to 100 percent, not to 60", id="sum"),
        pytest.param([("gone", 100)], "names the revision 'gone'", id="revision"),
    ],
)
async def test_traffic_that_cannot_be_is_refused(run: "Run", targets: list[tuple[str, int]], text: str) -> None:
    cloud = await run(at_noon())
    told = await cloud.service(PHASE2)
    told.traffic = [
        run_v2.TrafficTarget(
            type_=TARGET.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION if name else None, revision=name, percent=percent
        )
        for name, percent in targets
    ]
    with pytest.raises(exceptions.InvalidArgument, match=text):
        await cloud.update(told, "traffic")


async def test_an_update_without_a_mask_replaces_everything(run: "Run") -> None:
    world = at_noon("pinned-traffic", at_once=True)
    cloud = await run(world)
    told = await cloud.service(PHASE3)
    told.traffic = []
    told.labels["commit-sha"] = "f00dcafe"
    after = await (await cloud.update(told)).result()
    assert after.labels["commit-sha"] == "f00dcafe"
    assert [one.type_ for one in after.traffic_statuses] == [TARGET.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST]


@pytest.mark.parametrize(
    ("path", "change", "error"),
    [
        pytest.param("template.containers", {}, exceptions.MethodNotImplemented, id="a part of it"),
        pytest.param("template", {"session_affinity": True}, exceptions.MethodNotImplemented, id="not kept"),
        pytest.param(
            "template", {"annotations": {"run.googleapis.com/x": "y"}}, exceptions.InvalidArgument, id="reserved"
        ),
        pytest.param("template", {"containers": []}, exceptions.InvalidArgument, id="no container"),
    ],
)
async def test_what_would_be_lost_or_wrong_is_refused(
    run: "Run", path: str, change: dict[str, object], error: type[Exception]
) -> None:
    cloud = await run(at_noon())
    told = await cloud.service(PHASE2)
    for field, value in change.items():
        setattr(told.template, field, value)
    with pytest.raises(error):
        await cloud.update(told, path)


async def test_a_caller_without_the_permission_changes_nothing(run: "Run") -> None:
    world = at_noon()
    world.run.permissions = frozenset({"run.services.get"})
    cloud = await run(world)
    told = await cloud.service(PHASE2)
    with pytest.raises(exceptions.PermissionDenied, match=r"'run\.services\.update' denied"):
        await cloud.update(told, "template")


async def test_a_service_that_is_not_there_is_not_made(run: "Run") -> None:
    cloud = await run(at_noon())
    missing = run_v2.Service(name=f"{PLACE}/services/new")
    with pytest.raises(exceptions.NotFound):
        await cloud.update(missing)
    with pytest.raises(exceptions.MethodNotImplemented, match="allow_missing"):
        await cloud.update(missing, allow_missing=True)


async def test_waiting_ends_with_the_operation_or_with_patience(run: "Run") -> None:
    world = at_noon()
    cloud = await run(world)
    operation = await deploy(cloud, pushed(world))
    name = operation.operation.name
    wait = cloud.channel.unary_unary(
        "/google.longrunning.Operations/WaitOperation",
        request_serializer=operations_pb2.WaitOperationRequest.SerializeToString,
        response_deserializer=operations_pb2.Operation.FromString,
    )
    request = operations_pb2.WaitOperationRequest(name=name)
    request.timeout.FromMilliseconds(60)
    assert not (await wait(request)).done
    world.advance(SOON)
    assert (await wait(request)).done
    with pytest.raises(exceptions.NotFound):
        await cloud.services.get_operation(operations_pb2.GetOperationRequest(name=f"{PLACE}/operations/gone"))


async def test_a_job_is_updated_without_being_run(run: "Run") -> None:
    world = at_noon("forgotten-jobs")
    cloud = await run(world)
    job = await cloud.job(JOB)
    assert job.template.template.containers[0].image == f"gcr.io/nba-props-platform/{JOB}:latest"
    job.template.template.containers[0].image = f"{REGISTRY}/{PHASE2}:latest"
    operation = await cloud.jobs.update_job(job=job)
    updated = await operation.result()
    assert updated.template.template.containers[0].image == f"{REGISTRY}/{PHASE2}:latest"
    assert updated.execution_count == job.execution_count
    with pytest.raises(exceptions.Aborted):
        await cloud.jobs.update_job(job=job)


async def test_validating_a_job_changes_nothing(run: "Run") -> None:
    cloud = await run(at_noon())
    job = await cloud.job(JOB)
    job.template.template.containers[0].image = f"{REGISTRY}/{PHASE3}:latest"
    request = run_v2.UpdateJobRequest(job=job, validate_only=True)
    assert await (await cloud.jobs.update_job(request=request)).done()
    assert (await cloud.job(JOB)).template.template.containers[0].image == f"{REGISTRY}/{PHASE2}:latest"


async def test_a_job_that_runs_is_over_after_a_while(run: "Run") -> None:
    world = at_noon()
    cloud = await run(world)
    operation = await cloud.jobs.run_job(name=f"{PLACE}/jobs/{JOB}")
    running = await cloud.executions.get_execution(name=operation.metadata.name)
    assert (running.running_count, running.reconciling) == (1, True)
    assert (await cloud.job(JOB)).execution_count == 6
    world.advance(timedelta(minutes=3))
    done = await operation.result()
    assert (done.running_count, done.succeeded_count) == (0, 1)


async def test_a_job_whose_image_is_gone_fails(run: "Run") -> None:
    world = at_noon()
    cloud = await run(world)
    job = await cloud.job(JOB)
    job.template.template.containers[0].image = f"{REGISTRY}/{PHASE2}:gone"
    await cloud.jobs.update_job(job=job)
    with pytest.raises(GoogleAPICallError, match="not found"):
        await (await cloud.jobs.run_job(name=f"{PLACE}/jobs/{JOB}")).result()
    assert (await cloud.job(JOB)).latest_created_execution.completion_status.name == "EXECUTION_FAILED"


async def test_overrides_of_a_run_are_not_implemented(run: "Run") -> None:
    cloud = await run(at_noon())
    request = run_v2.RunJobRequest(name=f"{PLACE}/jobs/{JOB}", overrides=run_v2.RunJobRequest.Overrides(task_count=2))
    with pytest.raises(exceptions.MethodNotImplemented, match="overrides"):
        await cloud.jobs.run_job(request=request)
