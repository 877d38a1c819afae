"""Cloud Run's reading methods, through Google's own clients."""

from typing import TYPE_CHECKING

import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.iam.v1 import iam_policy_pb2  # pyright: ignore[reportMissingTypeStubs] - Google has none

from validate_daily.sandbox import Fault, build

from support.cloud_run import JOB, PHASE2, PHASE3, PLACE, REGISTRY, Untyped

if TYPE_CHECKING:
    from tests.sandbox.conftest import Run

State = run_v2.Condition.State
LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
PINNED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


async def listed(pager: Untyped) -> list[Untyped]:
    return [one async for one in pager]


async def test_a_healthy_pipeline_has_six_services_that_are_settled(run: "Run") -> None:
    cloud = await run()
    services = await listed(await cloud.services.list_services(parent=PLACE))
    assert [one.name.removeprefix(f"{PLACE}/services/") for one in services] == [
        "nba-phase2-raw-processors", "nba-phase3-analytics-processors", "nba-phase4-precompute-processors",
        "nba-scrapers", "prediction-coordinator", "prediction-worker",
    ]  # fmt: skip
    for one in services:
        assert one.latest_created_revision == one.latest_ready_revision
        assert one.observed_generation == one.generation
        assert (one.terminal_condition.state, one.reconciling) == (State.CONDITION_SUCCEEDED, False)
        assert [(target.type_, target.percent, target.revision) for target in one.traffic_statuses] == [
            (LATEST, 100, "")
        ]


async def test_a_service_names_a_tag_and_its_revision_a_digest(run: "Run") -> None:
    cloud = await run()
    service = await cloud.service(PHASE2)
    revision = await cloud.revision(service.latest_ready_revision)
    assert service.latest_ready_revision.endswith("/revisions/nba-phase2-raw-processors-00129-lf2")
    assert service.template.containers[0].image == f"{REGISTRY}/{PHASE2}:latest"
    assert revision.containers[0].image.startswith(f"{REGISTRY}/{PHASE2}@sha256:")
    assert revision.service == PHASE2
    assert service.labels["commit-sha"] == revision.labels["commit-sha"] == "ce269d67"
    assert [port.container_port for port in revision.containers[0].ports] == [8080]


async def test_a_retired_revision_is_ready_and_not_active_and_that_is_no_error(run: "Run") -> None:
    cloud = await run()
    newest, oldest = await listed(await cloud.revisions.list_revisions(parent=f"{PLACE}/services/{PHASE2}"))
    assert newest.create_time > oldest.create_time
    conditions = {one.type_: one for one in oldest.conditions}
    assert conditions["Ready"].state == State.CONDITION_SUCCEEDED
    assert conditions["Ready"].revision_reason == run_v2.Condition.RevisionReason.RETIRED
    assert conditions["Active"].state == State.CONDITION_FAILED
    assert conditions["Active"].severity == run_v2.Condition.Severity.INFO
    assert {one.state for one in newest.conditions} == {State.CONDITION_SUCCEEDED}


async def test_twenty_one_jobs_follow_phase_two_and_have_run(run: "Run") -> None:
    cloud = await run()
    jobs = await listed(await cloud.jobs.list_jobs(parent=PLACE))
    assert len(jobs) == 21
    for one in jobs:
        assert one.template.template.containers[0].image == f"{REGISTRY}/{PHASE2}:latest"
        assert one.latest_created_execution.completion_time > one.latest_created_execution.create_time
        assert one.latest_created_execution.completion_status.name == "EXECUTION_SUCCEEDED"
        assert one.execution_count == 5


async def test_an_execution_tells_what_its_job_named_and_not_what_that_was(run: "Run") -> None:
    cloud = await run()
    (execution,) = await listed(await cloud.executions.list_executions(parent=f"{PLACE}/jobs/{JOB}"))
    again = await cloud.executions.get_execution(name=execution.name)
    assert again == execution
    assert again.template.containers[0].image == f"{REGISTRY}/{PHASE2}:latest"
    assert (again.job, again.succeeded_count, again.failed_count) == (JOB, 1, 0)
    assert (again.conditions[0].type_, again.conditions[0].state) == ("Completed", State.CONDITION_SUCCEEDED)


@pytest.mark.parametrize("size", [1, 4, 21, 50])
async def test_a_list_comes_page_by_page_without_loss(run: "Run", size: int) -> None:
    cloud = await run()
    pager = await cloud.jobs.list_jobs(request=run_v2.ListJobsRequest(parent=PLACE, page_size=size))
    pages = [len(page.jobs) async for page in pager.pages]
    assert sum(pages) == 21
    assert max(pages) == min(size, 21)


@pytest.mark.parametrize("collection", ["revisions", "executions"])
async def test_a_dash_lists_the_children_of_all(run: "Run", collection: str) -> None:
    cloud = await run()
    if collection == "revisions":
        assert len(await listed(await cloud.revisions.list_revisions(parent=f"{PLACE}/services/-"))) == 12
    else:
        assert len(await listed(await cloud.executions.list_executions(parent=f"{PLACE}/jobs/-"))) == 21


async def test_another_region_is_empty(run: "Run") -> None:
    cloud = await run()
    elsewhere = "projects/nba-props-platform/locations/europe-west1"
    assert await listed(await cloud.services.list_services(parent=elsewhere)) == []
    assert await listed(await cloud.jobs.list_jobs(parent=elsewhere)) == []
    assert await listed(await cloud.revisions.list_revisions(parent=f"{elsewhere}/services/{PHASE2}")) == []


@pytest.mark.parametrize(
    ("parent", "text"),
    [
        pytest.param("projects/nba-props-platform/locations/-", "cannot be the '-' wildcard", id="all regions"),
        pytest.param("projects/nba-props-platform", "is not projects/<project>/locations/<location>", id="no region"),
    ],
)
async def test_services_are_listed_region_by_region(run: "Run", parent: str, text: str) -> None:
    cloud = await run()
    with pytest.raises(exceptions.InvalidArgument, match=text):
        await cloud.services.list_services(parent=parent)


@pytest.mark.parametrize("token", ["made up", "bm9ib2R5"])
async def test_a_page_token_that_was_not_given_out_is_refused(run: "Run", token: str) -> None:
    cloud = await run()
    with pytest.raises(exceptions.InvalidArgument, match="page_token"):
        await cloud.jobs.list_jobs(request=run_v2.ListJobsRequest(parent=PLACE, page_token=token))


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("services", f"{PLACE}/services/gone", "'gone' of kind 'SERVICE' in region 'us-west2'"),
        ("revisions", f"{PLACE}/services/{PHASE2}/revisions/gone", "'gone' of kind 'REVISION'"),
        ("revisions", f"{PLACE}/services/gone/revisions/gone", "'gone' of kind 'REVISION'"),
        ("jobs", f"{PLACE}/jobs/gone", "'gone' of kind 'JOB'"),
        ("executions", f"{PLACE}/jobs/{JOB}/executions/gone", "'gone' of kind 'EXECUTION'"),
    ],
)
async def test_what_is_not_there_is_named(run: "Run", kind: str, name: str, words: str) -> None:
    cloud = await run()
    client = getattr(cloud, kind)
    with pytest.raises(exceptions.NotFound, match=words):
        await getattr(client, f"get_{kind.removesuffix('s')}")(name=name, retry=None)


async def test_whoever_asks_is_told_which_permissions_are_granted(run: "Run") -> None:
    world = build("healthy")
    world.run.permissions = frozenset({"run.services.get", "run.services.list"})
    cloud = await run(world)
    request = iam_policy_pb2.TestIamPermissionsRequest(
        resource=f"{PLACE}/services/{PHASE2}", permissions=["run.services.update", "run.services.get"]
    )
    answer = await cloud.services.test_iam_permissions(request=request)
    assert list(answer.permissions) == ["run.services.get"]
    with pytest.raises(exceptions.PermissionDenied, match=r"'run\.jobs\.list' denied on resource"):
        await cloud.jobs.list_jobs(parent=PLACE)


async def test_what_is_not_implemented_says_so(run: "Run") -> None:
    cloud = await run()
    with pytest.raises(exceptions.MethodNotImplemented, match="Services/DeleteService is unimplemented"):
        await cloud.services.delete_service(name=f"{PLACE}/services/{PHASE2}", retry=None)


async def test_a_fault_of_one_service_leaves_the_others_alone(run: "Run") -> None:
    world = build("healthy")
    cloud = await run(world, Fault(service="run", status="UNAVAILABLE"), Fault(service="firestore", hang=True))
    with pytest.raises(exceptions.ServiceUnavailable):
        await cloud.service(PHASE2)
    assert [(call.service, call.method, call.status) for call in world.calls] == [("run", "GetService", "UNAVAILABLE")]
    assert world.faults.of("logging").take("ListLogEntries") is None


async def test_pinned_traffic_names_its_revision(run: "Run") -> None:
    cloud = await run("pinned-traffic")
    service = await cloud.service(PHASE3)
    assert service.latest_ready_revision == service.latest_created_revision
    (status,) = service.traffic_statuses
    assert (status.type_, status.percent) == (PINNED, 100)
    assert status.revision == "nba-phase3-analytics-processors-00169-56h"
    assert not service.latest_ready_revision.endswith(status.revision)
    assert not service.reconciling


async def test_split_traffic_names_both_parts(run: "Run") -> None:
    service = await (await run("split-traffic")).service(PHASE3)
    assert [(one.type_, one.percent) for one in service.traffic_statuses] == [(PINNED, 30), (LATEST, 70)]
