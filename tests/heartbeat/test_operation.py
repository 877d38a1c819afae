import asyncio
import logging
import subprocess
import sys
import threading
from itertools import pairwise

import pytest

from heartbeat import HeartbeatLogger


class Hours:
    """A clock that moves only while somebody waits, and no further than it was told to."""

    def __init__(self, *, intervals: int, then: float = 0.0) -> None:
        self._left = intervals
        self._then = then
        self._now = 1_000.0
        self.over = threading.Event()

    def monotonic(self) -> float:
        return self._now

    def wait(self, ended: threading.Event, seconds: float) -> bool:
        if self._left == 0:
            self._now += self._then
            self.over.set()
            return ended.wait()
        self._left -= 1
        self._now += seconds
        return False


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="heartbeat.operation")
    return caplog


def test_an_operation_is_told_about_at_its_start_after_each_interval_and_at_its_end(
    lines: pytest.LogCaptureFixture,
) -> None:
    hours = Hours(intervals=2, then=138)

    with HeartbeatLogger("Loading 450 players", monotonic=hours.monotonic, wait=hours.wait):
        hours.over.wait(5)

    assert lines.messages == [
        "HEARTBEAT START: Loading 450 players",
        "HEARTBEAT: Loading 450 players still running (5.0 min elapsed)",
        "HEARTBEAT: Loading 450 players still running (10.0 min elapsed)",
        "HEARTBEAT END: Loading 450 players completed in 12.3 min",
    ]
    assert {record.levelname for record in lines.records} == {"INFO"}


def test_the_interval_is_in_seconds(lines: pytest.LogCaptureFixture) -> None:
    hours = Hours(intervals=1)

    with HeartbeatLogger("Publishing", interval=90, monotonic=hours.monotonic, wait=hours.wait):
        hours.over.wait(5)

    assert lines.messages[1] == "HEARTBEAT: Publishing still running (1.5 min elapsed)"


@pytest.mark.parametrize("error", [ValueError("no games"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_a_failure_ends_the_operation_as_an_error_and_passes_through_unchanged(
    lines: pytest.LogCaptureFixture, error: BaseException
) -> None:
    hours = Hours(intervals=0, then=192)

    def fail() -> None:
        with HeartbeatLogger("Loading", monotonic=hours.monotonic, wait=hours.wait):
            hours.over.wait(5)
            raise error

    with pytest.raises(type(error)) as raised:
        fail()

    assert raised.value is error
    assert lines.messages[-1] == "HEARTBEAT END (ERROR): Loading failed after 3.2 min"
    assert lines.records[-1].levelname == "ERROR"


def test_an_operation_shorter_than_the_interval_is_never_said_to_be_still_running(
    lines: pytest.LogCaptureFixture,
) -> None:
    with HeartbeatLogger("Quick"):
        pass

    assert lines.messages == ["HEARTBEAT START: Quick", "HEARTBEAT END: Quick completed in 0.0 min"]


def test_nothing_is_still_running_after_the_end(lines: pytest.LogCaptureFixture) -> None:
    for number in range(50):
        with HeartbeatLogger(f"Operation {number}", interval=0.0001):
            threading.Event().wait(0.0005)

    kinds = [message.split(":")[0].removeprefix("HEARTBEAT").strip() for message in lines.messages]
    assert kinds.count("START") == kinds.count("END") == 50
    assert [after for kind, after in pairwise([*kinds, "START"]) if kind == "END"] == ["START"] * 50


def test_no_thread_is_left_behind() -> None:
    before = threading.enumerate()

    with HeartbeatLogger("Loading"):
        during = threading.enumerate()

    (helper,) = set(during) - set(before)
    assert helper.daemon
    assert threading.enumerate() == before


async def test_asyncio_tells_the_same(lines: pytest.LogCaptureFixture) -> None:
    async with HeartbeatLogger("Loading"):
        await asyncio.sleep(0)

    assert lines.messages == ["HEARTBEAT START: Loading", "HEARTBEAT END: Loading completed in 0.0 min"]


async def test_a_cancelled_operation_ends_as_an_error(lines: pytest.LogCaptureFixture) -> None:
    async def hang() -> None:
        async with HeartbeatLogger("Loading"):
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert lines.messages[-1] == "HEARTBEAT END (ERROR): Loading failed after 0.0 min"


def test_one_line_stays_one_line_whatever_the_operation_is_called(lines: pytest.LogCaptureFixture) -> None:
    with HeartbeatLogger("Loading\nHEARTBEAT END: Loading completed\x1b[2J\u2028%s" + "x" * 1_000):
        pass

    start = lines.messages[0]
    assert start.startswith(r"HEARTBEAT START: Loading\nHEARTBEAT END: Loading completed\x1b[2J\u2028%sxxx")
    assert start.endswith("... [1047 characters]")
    assert len(start) < 250
    assert all(message.isprintable() for message in lines.messages)


def test_one_logger_tells_about_one_operation() -> None:
    logger = HeartbeatLogger("Loading")

    with pytest.raises(RuntimeError, match="make one per operation"), logger, logger:
        pass
    with pytest.raises(RuntimeError, match="make one per operation"), logger:
        pass


def test_an_operation_that_was_never_entered_cannot_end() -> None:
    with pytest.raises(RuntimeError, match="enter it with `with`"):
        HeartbeatLogger("Loading").__exit__(None, None, None)


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf"), threading.TIMEOUT_MAX * 2])
def test_an_interval_that_cannot_be_waited_for_is_refused(interval: float) -> None:
    with pytest.raises(ValueError, match="give a positive time, such as 300"):
        HeartbeatLogger("Loading", interval)


@pytest.mark.parametrize(
    "setup", ["", "logging.basicConfig(level=logging.WARNING)"], ids=["no logging", "warnings only"]
)
def test_the_lines_are_heard_whatever_the_application_set_up(setup: str) -> None:
    program = f"import logging\n{setup}\nfrom heartbeat import HeartbeatLogger\nwith HeartbeatLogger('Loading'): pass\n"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "HEARTBEAT START: Loading" in done.stderr
    assert "HEARTBEAT END: Loading completed in 0.0 min" in done.stderr


def test_whoever_wants_less_of_them_gets_less() -> None:
    program = (
        "import logging\nlogging.getLogger('heartbeat.operation').setLevel(logging.ERROR)\n"
        "from heartbeat import HeartbeatLogger\nwith HeartbeatLogger('Loading'): pass\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stderr == ""
