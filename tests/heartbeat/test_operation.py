import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
from itertools import pairwise
from typing import Any

import pytest
from google.cloud.logging_v2.handlers import StructuredLogHandler

from checks.sources.logging.lines import read_line
from checks.sources.logging.operations import fold_operations
from heartbeat import HeartbeatLogger
from validate_daily.sandbox.logging.messages import LogEntry


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


SETUPS = {
    "dictConfig": "logging.config.dictConfig(ROOT | {'handlers': CONSOLE})",
    "dictConfig for warnings": "logging.config.dictConfig(ROOT | {'handlers': WARNINGS})",
    "dictConfig without a root": "logging.config.dictConfig({'version': 1})",
    "a handler of warnings": "h = logging.StreamHandler(); h.setLevel('WARNING'); logging.getLogger().addHandler(h)",
    "a handler of warnings, root at debug": (
        "h = logging.StreamHandler(); h.setLevel('WARNING'); logging.basicConfig(level='DEBUG', handlers=[h])"
    ),
    "a handler that does nothing": "logging.getLogger().addHandler(logging.NullHandler())",
    "basicConfig": "logging.basicConfig(level=logging.INFO)",
    "a disabled logger": "logging.getLogger('heartbeat.operation').disabled = True",
    "a parent that does not propagate": "logging.getLogger('heartbeat').propagate = False",
    "nothing": "pass",
}
PROGRAM = """
import logging, logging.config, sys
from heartbeat import HeartbeatLogger, ProcessorHeartbeat
CONSOLE = {'c': {'class': 'logging.StreamHandler'}}
WARNINGS = {'c': CONSOLE['c'] | {'level': 'WARNING'}}
ROOT = {'version': 1, 'root': {'level': 'INFO', 'handlers': ['c']}}
BEFORE
ProcessorHeartbeat("A_None_1")
try:
    with HeartbeatLogger('Loading'):
        DURING
        BODY
except ValueError:
    pass
"""


@pytest.mark.parametrize("moment", ["BEFORE", "DURING"])
@pytest.mark.parametrize(
    ("body", "end"),
    [
        ("raise ValueError", "HEARTBEAT END (ERROR): Loading failed after 0.0 min"),
        ("pass", "HEARTBEAT END: Loading completed in 0.0 min"),
    ],
    ids=["failed", "completed"],
)
@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
def test_start_and_end_are_heard_once_and_so_is_the_alarm(setup: str, body: str, end: str, moment: str) -> None:
    program = PROGRAM.replace(moment, setup).replace("BODY", body).replace("BEFORE", "").replace("DURING", "")

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    lines = [line for line in done.stderr.splitlines() if "HEARTBEAT" in line]
    assert len(lines) == 2, done.stderr
    assert lines[0].endswith("HEARTBEAT START: Loading")
    assert lines[1].endswith(end)
    assert "heartbeats of A_None_1 are NOT written" in done.stderr


def test_logging_that_is_set_up_later_makes_no_line_twice() -> None:
    program = (
        "import logging\nfrom heartbeat import HeartbeatLogger\n"
        "with HeartbeatLogger('First'): pass\n"
        "logging.basicConfig(level=logging.INFO)\n"
        "with HeartbeatLogger('Second'): pass\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert [line.partition("HEARTBEAT ")[2] for line in done.stderr.splitlines()] == [
        "START: First",
        "END: First completed in 0.0 min",
        "START: Second",
        "END: Second completed in 0.0 min",
    ]


def test_all_lines_of_an_operation_have_its_id_and_no_other_has(lines: pytest.LogCaptureFixture) -> None:
    for name in ("Loading", "Loading"):
        hours = Hours(intervals=1)
        with HeartbeatLogger(name, monotonic=hours.monotonic, wait=hours.wait):
            hours.over.wait(5)

    facts = [vars(record)["heartbeat"] for record in lines.records]
    assert facts == [vars(record)["json_fields"]["heartbeat"] for record in lines.records]
    assert {fact["operation"] for fact in facts} == {"Loading"}
    ids = [fact["operation_id"] for fact in facts]
    assert ids == [ids[0]] * 3 + [ids[3]] * 3
    assert ids[0] != ids[3]
    assert all(ids[0] not in message for message in lines.messages)


def test_googles_handlers_write_the_id_beside_the_text() -> None:
    written = io.StringIO()
    handler = StructuredLogHandler(stream=written, project_id="demo")
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with HeartbeatLogger("Loading") as operation:
            pass
    finally:
        root.removeHandler(handler)

    own = [json.loads(line) for line in written.getvalue().splitlines() if "HEARTBEAT" in line]
    assert [(line["message"], line["severity"], line["heartbeat"]) for line in own] == [
        (message, "INFO", {"operation": "Loading", "operation_id": operation.operation_id})
        for message in ("HEARTBEAT START: Loading", "HEARTBEAT END: Loading completed in 0.0 min")
    ]


def test_fields_that_the_application_adds_to_all_records_stay(lines: pytest.LogCaptureFixture) -> None:
    factory = logging.getLogRecordFactory()

    def with_trace(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        record.__dict__ |= {"json_fields": {"trace": "t1"}, "heartbeat": "theirs"}
        return record

    logging.setLogRecordFactory(with_trace)
    try:
        with HeartbeatLogger("Loading"):
            pass
    finally:
        logging.setLogRecordFactory(factory)

    fields = vars(lines.records[0])["json_fields"]
    assert fields["trace"] == "t1"
    assert fields["heartbeat"]["operation"] == "Loading"


def test_a_line_with_an_id_and_one_without_are_read_alike() -> None:
    with_id, without = LogEntry(), LogEntry()
    with_id.json_payload.update(
        {"message": "HEARTBEAT START: Loading", "heartbeat": {"operation": "Loading", "operation_id": "a1"}}
    )
    without.text_payload = "HEARTBEAT START: Loading"

    ((one,), (other,)) = (fold_operations([read_line(each)], since=0) for each in (with_id, without))
    assert (one.operation_id, other.operation_id) == ("a1", None)
    assert one.model_copy(update={"operation_id": None}) == other


def test_whoever_wants_less_of_them_gets_less() -> None:
    program = (
        "import logging\nlogging.getLogger('heartbeat.operation').setLevel(logging.ERROR)\n"
        "from heartbeat import HeartbeatLogger\nwith HeartbeatLogger('Loading'): pass\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stderr == ""
