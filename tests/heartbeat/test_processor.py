import asyncio
import io
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from heartbeat import AsyncProcessorHeartbeat, ProcessorHeartbeat

from support.processors import NAME, NOON, AsyncMemory, Memory, World


def test_a_processor_has_one_document_however_often_it_beats(world: World) -> None:
    beat = world.processor()

    assert all(beat(run_id=f"run-{number}") for number in range(5))

    assert list(world.memory.documents) == [NAME]
    assert world.lines == []


def test_a_heartbeat_says_who_is_alive_since_when_and_on_which_code(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMIT_SHA", "097ffc9c")
    monkeypatch.setenv("K_REVISION", "nba-phase3-00042-abc")

    assert world.processor()("success", run_id="r1", progress={"games": 12, "share": 0.5})

    assert world.memory.documents[NAME] == {
        "processor_name": NAME,
        "last_heartbeat": NOON,
        "status": "success",
        "run_id": "r1",
        "progress": {"games": 12, "share": 0.5},
        "commit": "097ffc9c",
        "revision": "nba-phase3-00042-abc",
    }


def test_outside_cloud_run_a_heartbeat_has_no_revision_and_no_commit(world: World) -> None:
    world.processor()()

    assert world.memory.documents[NAME] | {"commit": None, "revision": None} == world.memory.documents[NAME]


def test_a_job_stamps_its_execution_and_the_commit_it_was_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMIT_SHA", "old")
    monkeypatch.setenv("CLOUD_RUN_EXECUTION", "backfill-x7k2p")

    world.processor(commit="new")()

    fields = world.memory.documents[NAME]
    assert (fields["commit"], fields["revision"]) == ("new", "backfill-x7k2p")


def test_an_environment_that_is_given_stands_for_the_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMIT_SHA", "own")
    monkeypatch.setenv("ENABLE_HEARTBEATS", "false")

    assert world.processor(environment={"COMMIT_SHA": "given", "K_REVISION": "nba-phase3-00042-abc"})()
    assert not world.processor(environment={"ENABLE_HEARTBEATS": "off"})()

    fields = world.memory.documents[NAME]
    assert (fields["commit"], fields["revision"]) == ("given", "nba-phase3-00042-abc")


def test_the_time_is_written_in_utc(world: World) -> None:
    world.processor(clock=lambda: NOON.astimezone(timezone(timedelta(hours=-8))))()

    written = world.memory.documents[NAME]["last_heartbeat"]
    assert isinstance(written, datetime)
    assert (written, written.utcoffset()) == (NOON, timedelta(0))


def test_the_default_clock_is_right() -> None:
    memory, before = Memory(), datetime.now(UTC)

    ProcessorHeartbeat(NAME, store=memory).beat()

    written = memory.documents[NAME]["last_heartbeat"]
    assert isinstance(written, datetime)
    assert before <= written <= datetime.now(UTC)


def test_a_clock_without_a_timezone_is_told_and_not_believed(world: World) -> None:
    assert world.processor(clock=lambda: NOON.replace(tzinfo=None))() is False

    assert world.memory.documents == {}
    assert "let it return datetime.now(UTC)" in world.lines[0]["heartbeat"]["detail"]


@pytest.mark.parametrize(
    "name",
    ["NbacScheduleProcessor_None_097ffc9c", "NbacScheduleProcessor_2026-01-31_r1", "", "a/b", "P\ud800", None, 7, []],
    ids=ascii,
)
def test_a_name_that_is_no_processors_name_is_refused_aloud_and_never_written(world: World, name: Any) -> None:
    beat = world.processor(name)

    assert [beat(), beat()] == [False, False]
    assert world.memory.timeouts == []
    (line,) = world.lines
    assert line["severity"] == "ERROR"
    assert line["heartbeat"]["reason"] == "wrong-name"
    assert "plain name" in line["heartbeat"]["next_step"]


def test_a_registered_name_is_written_however_it_looks(world: World) -> None:
    assert world.processor("p2_nba_raw.season_2024_totals", registered=True)()

    assert list(world.memory.documents) == ["p2_nba_raw.season_2024_totals"]


@pytest.mark.parametrize("value", ["false", "False", " 0 ", "no", "OFF"])
def test_heartbeats_that_are_switched_off_say_so_once(
    world: World, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("ENABLE_HEARTBEATS", value)
    beat = world.processor()

    assert [beat(), beat()] == [False, False]
    assert world.memory.timeouts == []
    (line,) = world.lines
    assert line["severity"] == "WARNING"
    assert line["heartbeat"]["reason"] == "disabled"
    assert "ENABLE_HEARTBEATS" in line["message"]


@pytest.mark.parametrize("value", ["", "true", "1", "yes", "flase"])
def test_heartbeats_are_on_unless_they_are_switched_off(
    world: World, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("ENABLE_HEARTBEATS", value)

    assert world.processor()()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_an_order_to_stop_is_no_failure_of_the_heartbeat(world: World, error: BaseException) -> None:
    world.memory.failures += [error]

    with pytest.raises(type(error)):
        world.processor()()

    assert world.lines == []


async def test_a_cancelled_beat_is_cancelled() -> None:
    said = io.StringIO()
    task = asyncio.create_task(
        AsyncProcessorHeartbeat(NAME, store=AsyncMemory(Memory(), stalled=True), stream=said).beat()
    )
    await asyncio.sleep(0.001)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert said.getvalue() == ""
