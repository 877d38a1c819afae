import asyncio
import socket
from collections.abc import Mapping
from typing import Any

import google.cloud.run_v2 as run
import pytest

from checks.evidence.deployments import Deployments, Image, Job, Revision, Service, Share, State
from checks.evidence.snapshot import Gap, Target
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget
from checks.sources.cloud_run.client import Message
from checks.sources.cloud_run.deployments import read_deployments
from checks.sources.cloud_run.listing import MAX_PAGES
from checks.sources.progress import quiet

from support.run_world import (
    AT,
    BY_NAME,
    LATEST,
    PLACE,
    REPOSITORY,
    STATE,
    RunWorld,
    digest,
    job,
    ready,
    revision,
    service,
    settings,
)
from support.stand_in import STATUSES, Answer, StatusError, fails, garbage, hangs, stand_in

Looked = tuple[Deployments | None, tuple[Gap, ...]]
REASON = run.Condition.RevisionReason


async def look(
    world: RunWorld | Mapping[str, Answer], *, pipeline: Pipeline | None = None, seconds: float = 20.0
) -> Looked:
    answers = world.answers() if isinstance(world, RunWorld) else world
    async with stand_in(answers) as address:
        target = Target(source="cloud-run", address=address, resource=PLACE, practice=True)
        return await read_deployments(pipeline or settings(), target, Budget(seconds), quiet)


def one(looked: Looked) -> Service:
    found, gaps = looked
    assert gaps == ()
    assert found is not None
    assert found.complete
    return found.services[0]


async def test_a_service_is_told_with_the_revision_that_serves() -> None:
    world = RunWorld(services=[service()], revisions=[revision()])

    told = one(await look(world))

    assert told == Service(
        name="scrapers",
        project="demo-nba",
        region="us-west2",
        image=Image(reference=f"{REPOSITORY}:latest", repository=REPOSITORY, tag="latest"),
        reconciling=False,
        settled=True,
        created="scrapers-00002",
        ready="scrapers-00002",
        shares=(Share(revision="scrapers-00002", percent=100, latest=True),),
        wanted=(Share(revision="scrapers-00002", percent=100, latest=True),),
        pinned=False,
        state=State.SUCCEEDED,
        commit="abc1234",
        updated_at=AT,
        revisions=(
            Revision(
                name="scrapers-00002",
                service="scrapers",
                image=Image(reference=f"{REPOSITORY}@{digest('a')}", repository=REPOSITORY, digest=digest("a")),
                created_at=AT,
                ready=State.SUCCEEDED,
                commit="abc1234",
            ),
        ),
    )
    assert world.asked == [f"{PLACE}/services/scrapers/revisions/scrapers-00002"]


async def test_a_revision_that_failed_its_health_check_is_told_while_the_old_one_serves() -> None:
    message = "The container failed to listen on PORT=8080. password=hunter2"
    why = {"state": STATE.CONDITION_FAILED, "revision_reason": REASON.HEALTH_CHECK_CONTAINER_ERROR, "message": message}
    broken = service(
        latest_ready_revision=f"{PLACE}/services/scrapers/revisions/scrapers-00001",
        terminal_condition=ready(
            STATE.CONDITION_FAILED, reason=run.Condition.CommonReason.REVISION_FAILED, message="x" * 1_200
        ),
    )
    failed = revision(conditions=[ready(STATE.CONDITION_FAILED), run.Condition({"type_": "ContainerHealthy"} | why)])

    told = one(await look(RunWorld(services=[broken], revisions=[failed, revision("scrapers-00001")])))

    assert (told.state, told.reason, told.created, told.ready) == (
        State.FAILED,
        "REVISION_FAILED",
        "scrapers-00002",
        "scrapers-00001",
    )
    assert len(told.message or "") == 1_000
    newest = told.revision("scrapers-00002")
    assert newest is not None
    assert (newest.ready, newest.reason) == (State.FAILED, "HEALTH_CHECK_CONTAINER_ERROR")
    assert newest.message == "The container failed to listen on PORT=8080. password=[redacted: secret]"
    assert [share.revision for share, _ in told.serving] == ["scrapers-00001"]


async def test_a_retired_revision_is_no_error() -> None:
    conditions = [
        ready(revision_reason=REASON.RETIRED),
        run.Condition(
            type_="Active",
            state=STATE.CONDITION_FAILED,
            severity=run.Condition.Severity.INFO,
            revision_reason=REASON.RETIRED,
        ),
        run.Condition(type_="ContainerHealthy", state=STATE.CONDITION_RECONCILING),
    ]

    told = one(await look(RunWorld(services=[service()], revisions=[revision(conditions=conditions)])))

    assert (told.revisions[0].ready, told.revisions[0].retired, told.revisions[0].reason) == (
        State.SUCCEEDED,
        True,
        None,
    )


LATEST_ALL = {"type_": LATEST, "percent": 100}
OLD_ALL = {"type_": BY_NAME, "revision": "scrapers-00001", "percent": 100}
TAGGED = {"type_": LATEST, "percent": 0, "tag": "canary"}
TRAFFIC: dict[str, tuple[dict[str, Any], list[tuple[str, int, bool]], bool]] = {
    "latest": ({}, [("scrapers-00002", 100, True)], False),
    "none asked for, none shown": ({"traffic": [], "traffic_statuses": []}, [("scrapers-00002", 100, True)], False),
    "none asked for, some shown": ({"traffic": []}, [("scrapers-00002", 100, True)], False),
    "nothing serves yet": ({"traffic_statuses": []}, [], False),
    "nothing is ready": ({"latest_ready_revision": ""}, [], False),
    "pinned": (
        {"traffic": [OLD_ALL], "traffic_statuses": [OLD_ALL]},
        [("scrapers-00001", 100, False)],
        True,
    ),
    "pinned, with a tag on the latest": (
        {"traffic": [OLD_ALL, TAGGED], "traffic_statuses": [OLD_ALL, TAGGED]},
        [("scrapers-00001", 100, False)],
        True,
    ),
    "split": (
        {
            "traffic": [OLD_ALL | {"percent": 90}, LATEST_ALL | {"percent": 10}],
            "traffic_statuses": [OLD_ALL | {"percent": 90}, LATEST_ALL | {"percent": 10}],
        },
        [("scrapers-00001", 90, False), ("scrapers-00002", 10, True)],
        False,
    ),
}


@pytest.mark.parametrize(("changes", "shares", "pinned"), TRAFFIC.values(), ids=TRAFFIC)
async def test_what_serves_is_the_observed_traffic(
    changes: dict[str, Any],
    shares: list[tuple[str, int, bool]],
    pinned: bool,  # noqa: FBT001 - a column of the table
) -> None:
    world = RunWorld(services=[service(**changes)], revisions=[revision(), revision("scrapers-00001")])

    told = one(await look(world))

    assert [(share.revision, share.percent, share.latest) for share in told.shares] == shares
    assert told.pinned is pinned
    assert len(world.asked) == len(set(world.asked))


async def test_a_change_in_progress_is_told() -> None:
    changing = service(reconciling=True, observed_generation=6, terminal_condition=ready(STATE.CONDITION_RECONCILING))

    told = one(await look(RunWorld(services=[changing], revisions=[revision()])))

    assert (told.reconciling, told.settled, told.state) == (True, False, State.PENDING)


async def test_only_the_environment_variables_that_the_settings_name_leave_cloud_run() -> None:
    env = [
        {"name": "ENABLE_HEARTBEATS", "value": "false"},
        {"name": "DB_PASSWORD", "value": "hunter2"},
        {"name": "FROM_A_SECRET", "value_source": {"secret_key_ref": {"secret": "s", "version": "1"}}},
    ]
    flags = {"sources": {"flags": ["ENABLE_HEARTBEATS", "FROM_A_SECRET", "ABSENT"]}}
    world = RunWorld(
        services=[service()],
        revisions=[revision(containers=[{"image": "x", "env": env}])],
        jobs=[job(template={"template": {"containers": [{"image": "y", "env": env}]}})],
    )

    found, _ = await look(world, pipeline=settings(**flags))

    assert found is not None
    assert found.services[0].revisions[0].flags == found.jobs[0].flags == {"ENABLE_HEARTBEATS": "false"}
    assert "hunter2" not in found.model_dump_json()


@pytest.mark.parametrize("turned", [False, True], ids=["it stands first", "it stands last"])
async def test_the_container_of_a_project_of_ours_is_the_program_wherever_it_stands(*, turned: bool) -> None:
    flags = [{"name": "ENABLE_HEARTBEATS", "value": "false"}, {"name": "BUILD_COMMIT", "value": "bead123"}]
    proxy = {"image": "side:1", "name": "side", "ports": [{"container_port": 8080}], "env": flags}
    program = {"image": f"{REPOSITORY}@{digest('a')}", "name": "main", "depends_on": ["side"], "env": flags[1:]}
    containers = [program, proxy] if turned else [proxy, program]

    told = one(await look(RunWorld(services=[service(labels={})], revisions=[revision(containers=containers)])))

    (seen,) = told.revisions
    assert (seen.image.reference, seen.flags, seen.commit) == (program["image"], {}, "bead123")
    whole = {each.name: each for each in seen.containers}
    assert (whole["side"].port, whole["side"].flags) == (8080, {"ENABLE_HEARTBEATS": "false"})
    assert (whole["main"].port, whole["main"].depends_on) == (None, ("side",))


async def test_an_image_that_nothing_can_be_made_of_hides_no_container_beside_it() -> None:
    containers = [{"image": "evil\x1b[2J"}, {"image": f"{REPOSITORY}@{digest('a')}", "name": "main"}]

    told = one(await look(RunWorld(services=[service()], revisions=[revision(containers=containers)])))

    assert told.revisions[0].image.digest == digest("a")
    assert [each.image.repository for each in told.revisions[0].containers] == ["", REPOSITORY]


async def test_a_revisions_own_commit_label_counts_before_its_services() -> None:
    told = one(await look(RunWorld(services=[service()], revisions=[revision(labels={"commit-sha": "0ldc0de"})])))

    assert (told.commit, told.revisions[0].commit) == ("abc1234", "0ldc0de")


OUTCOME = run.ExecutionReference.CompletionStatus


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (OUTCOME.EXECUTION_SUCCEEDED, State.SUCCEEDED),
        (OUTCOME.EXECUTION_FAILED, State.FAILED),
        (OUTCOME.EXECUTION_CANCELLED, State.FAILED),
        (OUTCOME.EXECUTION_RUNNING, State.PENDING),
        (OUTCOME.EXECUTION_PENDING, State.PENDING),
        (OUTCOME.COMPLETION_STATUS_UNSPECIFIED, State.UNKNOWN),
    ],
)
async def test_a_job_is_told_with_its_last_execution(outcome: int, state: State) -> None:
    last = {"name": "backfill-x1", "create_time": AT, "completion_status": outcome}

    found, gaps = await look(RunWorld(jobs=[job(latest_created_execution=last)]))

    assert gaps == ()
    assert found is not None
    assert found.jobs == (
        Job(
            name="backfill",
            project="demo-nba",
            region="us-west2",
            image=Image(reference="gcr.io/demo-nba/backfill:v1", repository="gcr.io/demo-nba/backfill", tag="v1"),
            executions=3,
            last_run=AT,
            last_execution="backfill-x1",
            last_state=state,
            cancelled=outcome is OUTCOME.EXECUTION_CANCELLED,
        ),
    )


@pytest.mark.parametrize(
    ("labels", "variables", "names", "commit"),
    [
        ({}, {"BUILD_COMMIT": "bead123"}, None, "bead123"),
        ({"commit-sha": "abc1234"}, {"BUILD_COMMIT": "bead123"}, None, "abc1234"),
        ({}, {"GIT_SHA": "bead123"}, None, None),
        ({}, {"GIT_SHA": "bead123"}, ["BUILD_COMMIT", "GIT_SHA"], "bead123"),
        ({}, {"GIT_SHA": "bead123", "BUILD_COMMIT": "abc1234"}, ["GIT_SHA", "BUILD_COMMIT"], "bead123"),
        ({}, {"BUILD_COMMIT": "bead123"}, [], None),
        ({}, {"BUILD_COMMIT": ""}, None, None),
    ],
)
async def test_a_variable_that_the_settings_name_claims_a_commit_where_no_label_does(
    labels: dict[str, str], variables: dict[str, str], names: list[str] | None, commit: str | None
) -> None:
    container = {
        "image": f"{REPOSITORY}@{digest('a')}",
        "env": [{"name": name, "value": value} for name, value in variables.items()],
    }
    world = RunWorld(
        services=[service(labels=labels)],
        revisions=[revision(containers=[container], labels=labels)],
        jobs=[job(labels=labels, template={"template": {"containers": [container]}})],
    )
    pipeline = settings() if names is None else settings(sources={"commit_variables": names})

    found, _ = await look(world, pipeline=pipeline)

    assert found is not None
    assert found.services[0].revisions[0].commit == commit
    assert found.jobs[0].commit == commit
    assert found.jobs[0].flags == {}


async def test_a_job_that_never_ran_has_no_last_run() -> None:
    found, _ = await look(RunWorld(jobs=[job(latest_created_execution=None, execution_count=0)]))

    assert found is not None
    assert (found.jobs[0].last_run, found.jobs[0].last_state) == (None, State.UNKNOWN)


async def test_all_pages_of_all_places_are_read() -> None:
    names = [f"s{number}" for number in range(7)]
    elsewhere = service(
        "far",
        place="projects/demo-nba/locations/us-east1",
        traffic_statuses=[],
        latest_created_revision="",
        latest_ready_revision="",
    )
    world = RunWorld(
        services=[*(service(name) for name in names), elsewhere],
        revisions=[revision(f"{name}-00002") for name in names],
        jobs=[job(f"j{number}") for number in range(5)],
        per_page=2,
    )

    named = [*({"name": name} for name in names), {"name": "far", "region": "us-east1"}]
    jobs = [{"name": f"j{number}"} for number in range(5)]
    found, gaps = await look(world, pipeline=settings("us-west2", "us-east1", services=named, jobs=jobs))

    assert gaps == ()
    assert found is not None
    assert [(each.name, each.region) for each in found.services] == [
        *((name, "us-west2") for name in names),
        ("far", "us-east1"),
    ]
    assert [each.name for each in found.jobs] == ["j0", "j1", "j2", "j3", "j4"]


async def test_a_service_that_the_settings_name_and_nobody_deployed_is_no_gap() -> None:
    found, gaps = await look(RunWorld(), pipeline=settings(services=[{"name": "absent"}]))

    assert (found, gaps) == (Deployments(), ())


METHODS = {"services": "services of demo-nba/us-west2", "jobs": "jobs of demo-nba/us-west2", "revisions": "revision"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", STATUSES)
async def test_a_call_that_keeps_failing_is_a_gap_and_the_rest_is_kept(method: str, status: str) -> None:
    world = RunWorld(services=[service()], revisions=[revision()], jobs=[job()])

    found, gaps = await look(world.answers(**{method: fails(status)}))

    assert found is not None
    assert not found.complete
    assert [gap.source for gap in gaps] == ["cloud-run"]
    assert gaps[0].reason.startswith(METHODS[method])
    assert status in gaps[0].reason
    assert gaps[0].next_step
    assert len(found.services) + len(found.jobs) == (2 if method == "revisions" else 1)


@pytest.mark.parametrize("status", STATUSES)
async def test_listings_that_fail_alike_are_one_gap_and_nothing_was_seen(status: str) -> None:
    found, gaps = await look(RunWorld().answers(services=fails(status), jobs=fails(status)))

    assert found is None
    assert len(gaps) == 1
    assert gaps[0].reason.startswith("jobs of demo-nba/us-west2 and services of demo-nba/us-west2: ")


async def test_a_denied_call_names_the_role() -> None:
    _, gaps = await look(RunWorld().answers(services=fails("PERMISSION_DENIED")))

    assert "roles/run.viewer" in gaps[0].next_step


@pytest.mark.parametrize("method", METHODS)
async def test_a_call_that_hangs_is_a_gap_within_the_budget(method: str) -> None:
    world = RunWorld(services=[service()], revisions=[revision()], jobs=[job()])
    started = asyncio.get_running_loop().time()

    found, gaps = await look(world.answers(**{method: hangs}), seconds=1.0)

    assert asyncio.get_running_loop().time() - started < 4
    assert found is not None
    assert [gap.source for gap in gaps] == ["cloud-run"]
    assert "no answer within the time given" in gaps[0].reason


@pytest.mark.parametrize("method", METHODS)
async def test_an_answer_that_is_no_message_is_a_gap(method: str) -> None:
    world = RunWorld(services=[service()], revisions=[revision()], jobs=[job()])

    found, gaps = await look(world.answers(**{method: garbage}))

    assert found is not None
    assert [gap.source for gap in gaps] == ["cloud-run"]
    assert not found.complete


async def test_a_passing_fault_is_retried_and_leaves_no_gap() -> None:
    world = RunWorld(services=[service()], revisions=[revision()])
    left = [2]

    async def unsteady(request: bytes) -> bytes:
        left[0] -= 1
        if left[0] >= 0:
            raise StatusError("UNAVAILABLE")
        return await world.answers()["google.cloud.run.v2.Services/ListServices"](request)

    assert one(await look(world.answers(services=unsteady))).name == "scrapers"


@pytest.mark.parametrize("tokens", ["the same", "always another"])
async def test_a_listing_that_never_ends_is_a_gap_and_what_came_is_kept(tokens: str) -> None:
    pages = [0]

    async def endless(request: bytes) -> bytes:
        pages[0] += 1
        token = "again" if tokens == "the same" else f"t{pages[0]}"
        return run.ListJobsResponse.serialize(run.ListJobsResponse(jobs=[job(f"j{pages[0]}")], next_page_token=token))

    found, gaps = await look(RunWorld().answers(jobs=endless))

    assert found is not None
    assert not found.complete
    assert len(found.jobs) == pages[0] <= MAX_PAGES
    assert "does not end" in gaps[0].reason


async def test_what_cloud_run_itself_could_not_reach_is_a_gap() -> None:
    found, gaps = await look(RunWorld(unreachable=("projects/demo-nba/locations/us-west2",)))

    assert found is not None
    assert not found.complete
    assert "could not reach" in gaps[0].reason


async def test_what_cannot_be_read_is_a_gap_that_names_it_and_hides_no_other() -> None:
    odd = service("odd", terminal_condition=run.Condition(state=99), update_time=None)
    negative = job("negative", execution_count=-1)
    world = RunWorld(services=[odd, service()], revisions=[revision()], jobs=[negative, job()])

    found, gaps = await look(world)

    assert found is not None
    assert [each.name for each in found.jobs] == ["backfill"]
    assert any("negative" in gap.reason for gap in gaps)
    assert [each.name for each in found.services] == ["scrapers"]
    assert any("odd" in gap.reason for gap in gaps)


@pytest.mark.parametrize("missing", ["absent", "another's answer"])
async def test_a_revision_that_cannot_be_read_is_named(missing: str) -> None:
    async def another(request: bytes) -> bytes:
        return run.Revision.serialize(revision("scrapers-00009"))

    world = RunWorld(services=[service()])
    answers = world.answers() if missing == "absent" else world.answers(revisions=another)

    found, gaps = await look(answers)

    assert found is not None
    assert found.services[0].serving == ((Share(revision="scrapers-00002", percent=100, latest=True), None),)
    assert gaps[0].reason.startswith("revision scrapers-00002 of scrapers: ")


async def test_hostile_names_are_shown_escaped() -> None:
    name = "\x1b[31mred\u202e"
    world = RunWorld(services=[service(name)])

    _, gaps = await look(world)

    assert "\x1b" not in gaps[0].reason
    assert "\u202e" not in gaps[0].reason


async def test_a_dead_endpoint_is_a_gap_at_once() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        target = Target(source="cloud-run", address=address, resource=PLACE, practice=True)
        found, gaps = await read_deployments(settings(), target, Budget(10.0), quiet)

    assert found is None
    assert "UNAVAILABLE" in gaps[0].reason


async def test_without_a_region_nothing_can_be_asked() -> None:
    pipeline = Pipeline.model_validate({"pipeline": {"name": "nba", "project": "demo-nba"}})

    found, gaps = await look(RunWorld(), pipeline=pipeline)

    assert found is None
    assert "no region" in gaps[0].reason


async def test_a_time_that_no_calendar_holds_is_a_gap() -> None:
    far: Message = run.Service.pb(service())
    far.update_time.seconds = 2**60

    async def listing(request: bytes) -> bytes:
        answer = run.ListServicesResponse.pb(run.ListServicesResponse())
        answer.services.append(far)
        return answer.SerializeToString()

    _, gaps = await look(RunWorld().answers(services=listing))

    assert gaps[0].reason.startswith("scrapers: cannot be read")
