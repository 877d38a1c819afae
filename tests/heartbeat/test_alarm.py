import io
import json
import threading
import time

import pytest
from google.api_core import exceptions as google
from hypothesis import given, settings
from hypothesis import strategies as st

from heartbeat import ProcessorHeartbeat

from support.processors import NAME, Memory, World

TRANSIENT = {
    "unavailable": google.ServiceUnavailable("down"),
    "deadline": google.DeadlineExceeded("slow"),
    "internal": google.InternalServerError("oops"),
    "aborted": google.Aborted("contention"),
    "quota": google.ResourceExhausted("quota"),
    "connection": ConnectionResetError("reset"),
    "timeout": TimeoutError("slow"),
}


@pytest.mark.parametrize("error", TRANSIENT.values(), ids=TRANSIENT)
def test_a_passing_failure_is_retried_in_silence(world: World, error: Exception) -> None:
    world.memory.failures = [error] * 3

    assert world.processor()()

    assert len(world.memory.timeouts) == 4
    assert world.lines == []


FINAL = {
    "permission": (
        google.PermissionDenied("403 Missing"),
        "no-permission",
        "PERMISSION_DENIED",
        "roles/datastore.user",
    ),
    "identity": (google.Unauthenticated("who"), "no-credentials", "UNAUTHENTICATED", "service account"),
    "database": (google.NotFound("no database"), "no-database", "NOT_FOUND", "FirestoreStore"),
    "datastore mode": (google.FailedPrecondition("mode"), "no-database", "FAILED_PRECONDITION", "native mode"),
    "argument": (google.InvalidArgument("bad id"), "refused", "INVALID_ARGUMENT", "names"),
    "package": (ModuleNotFoundError("google.cloud"), "package-missing", "ModuleNotFoundError", "requirements"),
    "project": (OSError("Project was not passed"), "no-credentials", "OSError", "GOOGLE_CLOUD_PROJECT"),
    "a bug": (ZeroDivisionError("1/0"), "unexpected", "ZeroDivisionError", "read the detail"),
}


@pytest.mark.parametrize(("error", "reason", "code", "next_step"), FINAL.values(), ids=FINAL)
def test_a_lasting_failure_ends_at_once_and_names_the_next_step(
    world: World, error: Exception, reason: str, code: str, next_step: str
) -> None:
    world.memory.failures += [error]

    assert world.processor()() is False

    assert len(world.memory.timeouts) == 1
    (line,) = world.lines
    told = line["heartbeat"]
    assert line["severity"] == "ERROR"
    assert (told["processor"], told["document"], told["reason"], told["status_code"]) == (NAME, NAME, reason, code)
    assert next_step in told["next_step"]
    assert told["next_step"] in line["message"]


def test_a_failure_is_told_once_a_new_reason_again_and_the_recovery_once(world: World) -> None:
    denied, gone = google.PermissionDenied("no"), google.NotFound("no database")
    world.memory.failures += [denied, denied, gone, denied]
    beat = world.processor()

    assert [beat() for _ in range(6)] == [False] * 4 + [True] * 2

    assert [(line["severity"], line["heartbeat"]["state"], line["heartbeat"]["reason"]) for line in world.lines] == [
        ("ERROR", "failing", "no-permission"),
        ("ERROR", "failing", "no-database"),
        ("ERROR", "failing", "no-permission"),
        ("NOTICE", "working", "no-permission"),
    ]
    assert world.lines[-1]["heartbeat"]["missed"] == 4


def test_a_beat_gives_up_within_its_budget_and_tells_what_the_last_attempt_met(world: World) -> None:
    world.memory.failures = [google.ServiceUnavailable("down")] * 1_000
    beat = world.processor(budget=0.02)

    started = time.monotonic()
    assert beat() is False

    assert time.monotonic() - started < 5
    assert 1 < len(world.memory.timeouts) < 1_000
    assert all(0 < timeout <= 0.01 for timeout in world.memory.timeouts)
    assert world.lines[0]["heartbeat"]["status_code"] == "UNAVAILABLE"


@settings(deadline=None)
@given(st.text(st.characters(categories=None)), st.integers(1, 10_000))
def test_a_line_is_one_bounded_line_of_json_whatever_the_error_and_the_name_say(text: str, times: int) -> None:
    said = io.StringIO()

    ProcessorHeartbeat(NAME, store=Memory(google.PermissionDenied(text * times)), stream=said).beat()
    ProcessorHeartbeat("/" + text * times, store=Memory(), stream=said)

    denied, refused = said.getvalue().split("\n")[:-1]
    assert json.loads(denied)["heartbeat"]["reason"] == "no-permission"
    assert json.loads(refused)["heartbeat"]["reason"] == "wrong-name"
    assert max(len(denied), len(refused)) < 20_000


def test_a_processor_goes_on_when_even_the_log_is_gone(world: World) -> None:
    world.memory.failures += [google.PermissionDenied("no")]
    world.said.close()

    beat = world.processor()

    assert [beat(), beat()] == [False, True]


def test_lines_go_to_standard_error_by_default(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.processor("A_None_1", stream=None)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["heartbeat"]["processor"] == "A_None_1"


def test_threads_share_one_heartbeat_and_one_alarm() -> None:
    memory, said = Memory(*[google.PermissionDenied("no")] * 100), io.StringIO()
    heartbeat = ProcessorHeartbeat(NAME, store=memory, stream=said)
    threads = [threading.Thread(target=lambda: [heartbeat.beat() for _ in range(25)]) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(said.getvalue().splitlines()) == 1
    assert heartbeat.beat()
    assert json.loads(said.getvalue().splitlines()[1])["heartbeat"]["missed"] == 100
    assert list(memory.documents) == [NAME]


def test_each_recovery_counts_the_beats_missed_since_the_one_before(world: World) -> None:
    beat = world.processor()
    for missed in (2, 1):
        world.memory.failures += [google.PermissionDenied("no")] * missed
        for _ in range(missed + 1):
            beat()

    recoveries = [line["heartbeat"]["missed"] for line in world.lines if line["heartbeat"]["state"] == "working"]
    assert recoveries == [2, 1]
