"""The second witness: what runs, heartbeats and containers say in the log, live and in what a story begins with."""

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from heartbeat import HeartbeatLogger
from validate_daily.sandbox import Clock, World, build
from validate_daily.sandbox.logging import stamps
from validate_daily.sandbox.logging.messages import SEVERITIES, LogEntry
from validate_daily.sandbox.processors.runs import operation

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = timedelta(hours=1)
PHASE2 = "nba-phase2-raw-processors"
PHASE4 = "nba-phase4-precompute-processors"
PROCESSOR = "PlayerCompositeFactorsProcessor"
COORDINATOR = "Loading historical games for 450 players"
DENIED = f"heartbeats of {PROCESSOR} are NOT written: no-permission"


def at_noon(name: str = "healthy") -> World:
    return build(name, clock=Clock(NOON, speed=0))


def message(entry: LogEntry) -> str:
    return entry.text_payload or entry.json_payload.fields["message"].string_value


def lines(world: World, text: str, *, since: datetime | None = None) -> Iterator[LogEntry]:
    """The lines that hold a text, from the last day unless told otherwise."""
    first = stamps.from_datetime(since or world.clock.now() - DAY)
    return (entry for key, entry in world.logs.rows() if key[0] >= first and text in message(entry))


def ran(world: World, *, since: datetime | None = None) -> Counter[str]:
    """How often each processor said that it finished a run."""
    return Counter(message(entry).split()[3] for entry in lines(world, "Processor run completed: ", since=since))


def told(world: World) -> list[bytes]:
    return [entry.SerializeToString(deterministic=True) for _, entry in world.logs.rows()]


def wrong(world: World) -> list[LogEntry]:
    return [entry for entry in lines(world, "") if entry.severity >= SEVERITIES["WARNING"]]


@pytest.mark.parametrize("name", ["healthy", "silent-stop", "permission-lost", "switched-off", "denied-run", "noise"])
def test_every_processor_of_a_pipeline_that_runs_finished_a_run_today(name: str) -> None:
    runs = ran(at_noon(name))
    assert runs.keys() == {processor.name for processor in at_noon(name).pipeline.processors}
    assert 800 <= sum(runs.values()) <= 1_000


def test_runs_go_on_as_they_went() -> None:
    world = at_noon()
    world.advance(DAY)
    runs = ran(world, since=NOON)
    assert len(runs) == 30
    assert 350 <= runs["p2_nba_raw.nbac_team_boxscore"] <= 430


def test_old_code_calls_itself_by_its_class() -> None:
    world = at_noon("proliferation")
    assert "NbacTeamBoxscoreProcessor" in ran(world)
    assert not [name for name in ran(world) if name.startswith("p2_")]
    world.deploy(PHASE2, "new")
    world.advance(DAY)
    assert "p2_nba_raw.nbac_team_boxscore" in ran(world)


def test_some_services_log_text_and_some_json() -> None:
    found = {entry.resource.labels["service_name"]: entry for entry in lines(at_noon(), "Processor run completed")}
    assert found[PHASE2].text_payload
    assert not found[PHASE2].HasField("json_payload")
    assert found[PHASE4].HasField("json_payload")
    assert "status=success records=" in message(found[PHASE4])
    assert {entry.resource.labels["revision_name"] for entry in found.values()} >= {f"{PHASE2}-00129-lf2"}


@pytest.mark.parametrize("name", ["healthy", "silent-stop", "witness-lies", "stale-label", "stuck-operation"])
def test_nothing_is_wrong_in_the_logs_of_a_story_that_has_no_such_lines(name: str) -> None:
    assert wrong(at_noon(name)) == []


def test_a_pipeline_that_stopped_says_nothing() -> None:
    world = at_noon("pipeline-stopped")
    world.advance(DAY)
    assert not list(lines(world, "", since=NOON - DAY))
    assert not ran(world)


def test_a_lying_witness_beats_and_does_not_run() -> None:
    world = at_noon("witness-lies")
    world.advance(timedelta(hours=3))
    assert "PlayerGameSummaryProcessor" not in ran(world)
    assert len(ran(world)) == 29


def test_the_operation_of_a_run_is_told_from_start_to_end() -> None:
    world = at_noon()
    world.advance(DAY + LATER)
    words = [message(entry).partition(" (")[0] for entry in lines(world, COORDINATOR, since=NOON + LATER)]
    first = words.index(f"HEARTBEAT START: {COORDINATOR}")
    assert words[first : first + 4] == [
        f"HEARTBEAT START: {COORDINATOR}",
        f"HEARTBEAT: {COORDINATOR} still running",
        f"HEARTBEAT: {COORDINATOR} still running",
        f"HEARTBEAT END: {COORDINATOR} completed in 12.0 min",
    ]


def test_an_operation_is_told_in_the_words_of_the_real_logger(caplog: pytest.LogCaptureFixture) -> None:
    seconds = iter([0.0, 300.0, 600.0])
    turns = iter([False, False, True])

    def wait(_ended: threading.Event, _seconds: float) -> bool:
        return next(turns)

    with caplog.at_level(logging.INFO, logger="heartbeat.operation"):
        real = HeartbeatLogger(COORDINATOR, monotonic=lambda: next(seconds, 720.0), wait=wait)
        with real:
            while len(caplog.messages) < 3:
                pass
    ours = [text for _, text in operation(COORDINATOR, NOON, signs=2)]
    assert [*ours, f"HEARTBEAT END: {COORDINATOR} completed in 12.0 min"] == caplog.messages


def test_a_stuck_operation_was_last_heard_of_twenty_minutes_ago() -> None:
    world = at_noon("stuck-operation")
    world.advance(timedelta(minutes=5))
    found = list(lines(world, COORDINATOR, since=NOON - timedelta(hours=2)))
    assert message(found[0]) == f"HEARTBEAT START: {COORDINATOR}"
    assert message(found[-1]).endswith("still running (30.0 min elapsed)")
    assert stamps.from_timestamp(found[0].timestamp) == stamps.from_datetime(NOON - timedelta(minutes=50))
    assert len(found) == 7


def test_a_service_that_may_not_write_says_so_once_a_run_until_it_may() -> None:
    world = at_noon()
    world.deny(PHASE4)
    world.advance(DAY)
    failing = list(lines(world, DENIED, since=NOON))
    assert 2 <= len(failing) <= 5
    assert {entry.severity for entry in failing} == {SEVERITIES["ERROR"]}
    assert failing[0].json_payload.fields["heartbeat"].struct_value.fields["reason"].string_value == "no-permission"
    assert not [entry for entry in wrong(world) if entry.resource.labels["service_name"] != PHASE4]
    world.allow(PHASE4)
    world.advance(timedelta(minutes=15))
    (again,) = lines(world, "are written again", since=NOON)
    assert again.severity == SEVERITIES["NOTICE"]


def test_old_code_that_may_not_write_says_so_in_its_own_words() -> None:
    world = at_noon("proliferation")
    world.deny(PHASE2)
    before = len(world.heartbeats)
    world.advance(timedelta(hours=1))
    assert list(lines(world, "Heartbeat write failed for NbacTeamBoxscoreProcessor: 403 Missing", since=NOON))
    assert len(world.heartbeats) - before <= 5


@pytest.mark.parametrize(("name", "services"), [("permission-lost", 5), ("two-faults", 1)])
def test_lost_permission_is_in_the_logs_of_each_service_concerned(name: str, services: int) -> None:
    world = at_noon(name)
    found = {entry.resource.labels["service_name"] for entry in lines(world, "NOT written: no-permission")}
    assert len(found) == services
    world.advance(timedelta(hours=9))
    assert list(lines(world, DENIED, since=NOON))


def test_what_is_switched_off_says_so() -> None:
    world = at_noon("switched-off")
    found = list(lines(world, "heartbeats of PredictionWorker are NOT written: disabled"))
    assert found
    assert {entry.severity for entry in found} == {SEVERITIES["WARNING"]}
    assert {entry.resource.labels["service_name"] for entry in found} == {"prediction-worker"}


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("revision-never-ready", "nba-scrapers", ["Default STARTUP TCP probe failed 1 time consecutively"]),
        ("gunicorn-missing", PHASE2, ['exec: "gunicorn": executable file not found', "Default STARTUP TCP probe"]),
    ],
)
def test_a_container_that_does_not_start_leaves_the_platforms_words(name: str, source: str, said: list[str]) -> None:
    world = at_noon(name)
    found = wrong(world)
    assert all(message(entry).startswith(text) for entry, text in zip(found, said, strict=True))
    assert {entry.resource.labels["service_name"] for entry in found} == {source}
    assert {entry.resource.labels["revision_name"] for entry in found} == {world.service(source).created_revision}
    assert "on port 8080. The instance was not started.\nConnection failed with status CANCELLED." in message(found[-1])


def test_noise_is_about_other_things_than_heartbeats_of_processors() -> None:
    found = wrong(at_noon("noise"))
    assert len(found) > 50
    assert not [entry for entry in found if "NOT written" in message(entry) or "STARTUP" in message(entry)]


def test_what_recovered_left_its_trace_and_its_end() -> None:
    world = at_noon("recovered")
    assert [message(entry)[:40] for entry in wrong(world)] == [DENIED[:40], "Default STARTUP TCP probe failed 1 time "]
    assert list(lines(world, "are written again, 3 were missed"))
    assert not world.denied


def test_a_job_that_ran_yesterday_told_of_it() -> None:
    world = at_noon("forgotten-jobs-running")
    (entry,) = (one for one in lines(world, "Processor run completed: ") if one.resource.type == "cloud_run_job")
    assert entry.resource.labels["job_name"] == "nbac-team-boxscore-processor-backfill"
    assert message(entry).split()[3] == "NbacTeamBoxscoreProcessor"
    assert entry.labels["run.googleapis.com/execution_name"].startswith("nbac-team-boxscore-processor-backfill-")


def test_the_same_seed_gives_the_same_log_and_the_same_revisions() -> None:
    first, second = at_noon("two-faults"), at_noon("two-faults")
    for world in (first, second):
        world.deploy(PHASE2, "old")
        world.advance(timedelta(hours=2))
    assert told(first) == told(second)
    assert first.run.services == second.run.services
    assert first.run.jobs == second.run.jobs
