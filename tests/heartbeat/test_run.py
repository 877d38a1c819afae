"""A run as its document tells it, for threads and for asyncio."""

import asyncio
import inspect
import io
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from google.api_core import exceptions as google
from hypothesis import given, settings
from hypothesis import strategies as st

from heartbeat import AsyncProcessorHeartbeat, AsyncProcessorRun, ProcessorHeartbeat, ProcessorRun

from support.processors import NAME, NOON

Fields = dict[str, Any]


class Ledger:
    """A store that keeps every document it was given, in order, and lets a test wait for one or hold one back."""

    def __init__(self) -> None:
        self.documents: list[Fields] = []
        self.failures: list[BaseException] = []
        self.attempts = 0
        self.gate = threading.Event()
        self.gate.set()
        self._news = threading.Condition()

    def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:
        assert document_id == NAME
        assert timeout > 0
        with self._news:
            self.attempts += 1
            self._news.notify_all()
        self.gate.wait(30)
        with self._news:
            if self.failures:
                raise self.failures.pop(0)
            self.documents.append(dict(fields))
            self._news.notify_all()

    def wait_until(self, holds: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(holds, timeout=30)

    @property
    def statuses(self) -> list[str]:
        return [fields["status"] for fields in self.documents]


class AsyncLedger:
    """The same store for asyncio; it belongs to no event loop."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:  # noqa: ASYNC109 - the protocol's own
        self._ledger.write(document_id, fields, timeout=timeout)


class Clock:
    """Noon, and a minute later each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> datetime:
        self.asked += 1
        return NOON + timedelta(minutes=self.asked - 1)


class Bench:
    """One processor with runs, its ledger, and what it said."""

    def __init__(self, mode: Literal["threads", "asyncio"]) -> None:
        self.mode = mode
        self.ledger = Ledger()
        self.said = io.StringIO()
        self.clock = Clock()

    def heartbeat(self, name: str = NAME, **arguments: Any) -> ProcessorHeartbeat | AsyncProcessorHeartbeat:
        told: dict[str, Any] = {"stream": self.said, "first_pause": 0.001, "clock": self.clock, "environment": {}}
        told |= arguments
        if self.mode == "threads":
            return ProcessorHeartbeat(name, store=self.ledger, **told)
        return AsyncProcessorHeartbeat(name, store=AsyncLedger(self.ledger), **told)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said.getvalue().splitlines()]


@pytest.fixture(params=["threads", "asyncio"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


@pytest.fixture(autouse=True)
def no_thread_outlives_a_test() -> Iterator[None]:
    yield
    wait_until_no_run_thread_is_left()


def done(outcome: Any) -> Any:
    """What a call returned, be it asynchronous or not; every asynchronous call has an event loop of its own."""

    async def wait() -> Any:
        return await outcome

    return asyncio.run(wait()) if inspect.isawaitable(outcome) else outcome


def within(
    run: ProcessorRun | AsyncProcessorRun | ProcessorHeartbeat | AsyncProcessorHeartbeat,
    body: Callable[[], object] = lambda: None,
) -> None:
    """Call the body inside a ``with`` or ``async with`` block."""
    if isinstance(run, (ProcessorRun, ProcessorHeartbeat)):
        with run:
            body()
    else:

        async def enter() -> None:
            async with run:
                body()

        asyncio.run(enter())


def run_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "heartbeat-run"]


def wait_until_no_run_thread_is_left() -> None:
    for thread in run_threads():
        thread.join(30)
    assert run_threads() == []


def test_a_run_says_what_it_works_on_how_far_it_is_and_how_it_ended(bench: Bench) -> None:
    heartbeat = bench.heartbeat(commit="097ffc9c", beats_every=3_600)

    assert done(heartbeat.start(run_id="r1", data_date=date(2026, 2, 1), total=450))
    assert done(heartbeat.beat(progress=120, status_message="loading box scores"))
    assert done(heartbeat.stop())

    started, halfway, ended = bench.ledger.documents
    first = {
        "processor_name": NAME,
        "run_id": "r1",
        "data_date": "2026-02-01",
        "last_heartbeat": NOON,
        "updated_at": NOON,
        "started_at": NOON,
        "status": "running",
        "progress": None,
        "total": 450,
        "status_message": None,
        "beats_every": 3_600,
        "commit": "097ffc9c",
        "revision": None,
    }
    later, last = NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)
    assert started == first
    assert halfway == first | {
        "progress": 120,
        "status_message": "loading box scores",
        "last_heartbeat": later,
        "updated_at": later,
    }
    assert ended == halfway | {
        "status": "completed",
        "last_heartbeat": last,
        "updated_at": last,
        "completed_at": last,
        "duration_seconds": 120.0,
    }
    assert bench.lines == []


def test_a_run_promises_a_beat_a_minute_by_default(bench: Bench) -> None:
    within(bench.heartbeat().run())

    assert [fields["beats_every"] for fields in bench.ledger.documents] == [60, 60]


def test_a_run_beats_by_itself_until_it_is_stopped(bench: Bench) -> None:
    heartbeat = bench.heartbeat(beats_every=0.01)

    done(heartbeat.start(run_id="r1", total=9))
    done(heartbeat.beat(progress=3))
    bench.ledger.wait_until(lambda: len(bench.ledger.documents) >= 6)
    done(heartbeat.stop(progress=9))
    wait_until_no_run_thread_is_left()

    assert bench.ledger.statuses[-1] == "completed"
    assert set(bench.ledger.statuses[:-1]) == {"running"}
    beats = [fields["last_heartbeat"] for fields in bench.ledger.documents]
    assert beats == sorted(set(beats))
    assert {fields["progress"] for fields in bench.ledger.documents[2:-1]} == {3}
    assert (bench.ledger.documents[-1]["progress"], bench.ledger.documents[-1]["total"]) == (9, 9)


def test_the_thread_of_a_run_never_keeps_a_process_alive(bench: Bench) -> None:
    heartbeat = bench.heartbeat()
    done(heartbeat.start())

    (thread,) = run_threads()
    assert thread.daemon

    done(heartbeat.stop())
    assert run_threads() == []


@pytest.mark.parametrize("interval", [None, 0, -1, float("nan"), float("inf")])
def test_a_run_without_an_interval_beats_when_told_to_and_promises_nothing(
    bench: Bench, interval: float | None
) -> None:
    heartbeat = bench.heartbeat(beats_every=interval)

    within(heartbeat.run(), lambda: None)

    assert bench.ledger.statuses == ["running", "completed"]
    assert all("beats_every" not in fields for fields in bench.ledger.documents)
    wait_until_no_run_thread_is_left()


def test_a_beat_without_a_run_says_what_earlier_versions_said_and_promises_nothing(bench: Bench) -> None:
    assert done(bench.heartbeat().beat(run_id="r1", progress=0.5))

    assert bench.ledger.documents == [
        {
            "processor_name": NAME,
            "last_heartbeat": NOON,
            "status": "running",
            "run_id": "r1",
            "progress": 0.5,
            "commit": None,
            "revision": None,
        }
    ]
    assert run_threads() == []


def test_a_stop_without_a_run_is_a_beat(bench: Bench) -> None:
    assert done(bench.heartbeat().stop("failed", status_message="no games"))

    (fields,) = bench.ledger.documents
    assert (fields["status"], fields["status_message"]) == ("failed", "no games")
    assert "completed_at" not in fields


FAILURES: Mapping[str, tuple[BaseException, str]] = {
    "an exception": (KeyError("games"), "KeyError: 'games'"),
    "an exception without words": (ValueError(), "ValueError"),
    "an interrupt": (KeyboardInterrupt(), "KeyboardInterrupt"),
    "an exit that failed": (SystemExit(3), "SystemExit: 3"),
    "a cancellation": (asyncio.CancelledError(), "CancelledError"),
    "two lines": (ValueError("no\ngames"), r"ValueError: no\ngames"),
}


@pytest.mark.parametrize(("error", "reason"), FAILURES.values(), ids=FAILURES)
def test_an_exception_fails_the_run_and_passes_through_unchanged(
    bench: Bench, error: BaseException, reason: str
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        within(bench.heartbeat().run(run_id="r1", status_message="loading"), fail)

    if not isinstance(error, asyncio.CancelledError):  # asyncio.run makes a new one of it
        assert raised.value is error
    last = bench.ledger.documents[-1]
    assert (last["status"], last["status_message"], last["run_id"]) == ("failed", reason, "r1")
    assert last["completed_at"] == last["last_heartbeat"]


@pytest.mark.parametrize("code", [0, None])
def test_a_clean_exit_completes_the_run(bench: Bench, code: int | None) -> None:
    def leave() -> None:
        raise SystemExit(code)

    with pytest.raises(SystemExit):
        within(bench.heartbeat().run(), leave)

    assert bench.ledger.statuses == ["running", "completed"]


def test_the_heartbeat_itself_is_a_run_as_well(bench: Bench) -> None:
    heartbeat = bench.heartbeat()

    within(heartbeat)
    with pytest.raises(ZeroDivisionError):
        within(heartbeat, lambda: 1 / 0)

    assert bench.ledger.statuses == ["running", "completed", "running", "failed"]
    assert "completed_at" not in bench.ledger.documents[2]


def test_the_heartbeat_as_a_block_ends_the_run_that_was_started_before(bench: Bench) -> None:
    heartbeat = bench.heartbeat()
    done(heartbeat.start(run_id="r1"))

    within(heartbeat)

    assert [(fields["status"], fields["run_id"]) for fields in bench.ledger.documents] == [
        ("running", "r1"),
        ("completed", "r1"),
    ]


def test_a_run_that_said_how_it_ended_has_said_it(bench: Bench) -> None:
    run = bench.heartbeat().run()

    def body() -> None:
        assert in_thread(lambda: done(run.stop("failed", status_message="half of the games")))

    within(run, body)

    assert bench.ledger.statuses == ["running", "failed"]


def in_thread(work: Callable[[], Any]) -> Any:
    """Do the work in another thread: an event loop may be running in this one."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join(60)
    return results[0]


@pytest.mark.parametrize("word", ["completed", "success", "failed", "error"])
def test_a_beat_with_a_final_word_ends_the_run(bench: Bench, word: str) -> None:
    heartbeat = bench.heartbeat(beats_every=0.01)
    done(heartbeat.start())

    assert done(heartbeat.beat(word))
    wait_until_no_run_thread_is_left()

    assert bench.ledger.statuses[-1] == word
    assert "completed_at" in bench.ledger.documents[-1]


def test_a_word_of_the_processors_own_stays_until_another_comes(bench: Bench) -> None:
    heartbeat = bench.heartbeat(beats_every=0.01)
    done(heartbeat.start())
    done(heartbeat.beat("loading"))
    written = len(bench.ledger.documents)

    bench.ledger.wait_until(lambda: len(bench.ledger.documents) >= written + 2)
    done(heartbeat.stop())

    assert set(bench.ledger.statuses[written - 1 : -1]) == {"loading"}


def test_no_run_ends_as_running(bench: Bench) -> None:
    done(bench.heartbeat().run().stop("running"))

    assert bench.ledger.statuses == ["failed"]


def test_a_run_that_is_started_over_takes_the_document(bench: Bench) -> None:
    heartbeat = bench.heartbeat(beats_every=0.01)
    done(heartbeat.start(run_id="r1"))

    done(heartbeat.start(run_id="r2"))
    taken = len(bench.ledger.documents)
    bench.ledger.wait_until(lambda: len(bench.ledger.documents) >= taken + 3)
    done(heartbeat.stop())
    wait_until_no_run_thread_is_left()

    after = bench.ledger.documents[taken - 1 :]
    assert {fields["run_id"] for fields in after} == {"r2"}
    assert after[-1]["status"] == "completed"


def test_a_beat_that_is_under_way_is_written_before_the_end_and_not_after_it(bench: Bench) -> None:
    heartbeat = bench.heartbeat(beats_every=0.01)
    done(heartbeat.start())
    bench.ledger.gate.clear()
    attempts = bench.ledger.attempts
    bench.ledger.wait_until(lambda: bench.ledger.attempts > attempts)

    stopping = threading.Thread(target=lambda: done(heartbeat.stop()))
    stopping.start()
    bench.ledger.gate.set()
    stopping.join(30)
    wait_until_no_run_thread_is_left()

    assert bench.ledger.statuses[-1] == "completed"
    assert bench.ledger.statuses.count("completed") == 1


def test_a_stalled_store_holds_a_run_no_longer_than_the_budget_and_is_told(bench: Bench) -> None:
    bench.ledger.gate.clear()
    heartbeat, began = bench.heartbeat(budget=0.2), time.monotonic()

    assert done(heartbeat.start()) is False
    assert done(heartbeat.stop()) is False

    assert time.monotonic() - began < 5
    assert bench.lines[0]["heartbeat"]["reason"] == "unreachable"
    assert "0.2 s" in bench.lines[0]["heartbeat"]["detail"]
    bench.ledger.gate.set()
    wait_until_no_run_thread_is_left()
    assert bench.ledger.statuses[-1] == "completed"


def test_failures_of_a_run_are_retried_or_told_once_and_so_is_the_recovery(bench: Bench) -> None:
    denied = google.PermissionDenied("no")
    bench.ledger.failures = [google.ServiceUnavailable("down"), denied, denied]
    heartbeat = bench.heartbeat()

    assert [done(heartbeat.start()), done(heartbeat.beat()), done(heartbeat.beat())] == [False, False, True]
    assert done(heartbeat.stop())

    failing, working = bench.lines
    assert (failing["severity"], failing["heartbeat"]["reason"]) == ("ERROR", "no-permission")
    assert (working["severity"], working["heartbeat"]["missed"]) == ("NOTICE", 2)


def test_a_clock_that_cannot_be_read_is_told_and_stops_no_run(bench: Bench) -> None:
    heartbeat = bench.heartbeat(clock=lambda: NOON.replace(tzinfo=None))

    within(heartbeat.run())

    assert bench.ledger.documents == []
    assert "let it return datetime.now(UTC)" in bench.lines[0]["heartbeat"]["detail"]


def test_a_clock_that_is_set_back_gives_no_negative_duration(bench: Bench) -> None:
    times = iter([NOON, NOON - timedelta(hours=1)])

    within(bench.heartbeat(clock=lambda: next(times)).run())

    assert bench.ledger.documents[-1]["duration_seconds"] == 0


@pytest.mark.parametrize("broken", [{"environment": {"ENABLE_HEARTBEATS": "off"}}, {"name": "A_None_1"}], ids=str)
def test_a_heartbeat_that_may_not_write_has_runs_that_do_nothing(bench: Bench, broken: dict[str, Any]) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    heartbeat = bench.heartbeat(**broken)

    assert [done(heartbeat.start()), done(heartbeat.beat()), done(heartbeat.stop())] == [False] * 3
    within(heartbeat.run())
    within(heartbeat)

    assert bench.ledger.attempts == 0
    assert len(bench.lines) == 1
    assert run_threads() == []
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_run_that_nobody_can_stop_any_more_has_failed(bench: Bench) -> None:
    heartbeat = bench.heartbeat()
    done(heartbeat.start(run_id="r1"))

    del heartbeat
    bench.ledger.wait_until(lambda: len(bench.ledger.documents) == 2)
    wait_until_no_run_thread_is_left()

    last = bench.ledger.documents[-1]
    assert (last["status"], last["run_id"]) == ("failed", "r1")
    assert "without stop()" in last["status_message"]


def test_what_a_run_says_is_bounded_text_or_a_number(bench: Bench) -> None:
    heartbeat: Any = bench.heartbeat()

    within(heartbeat.run(run_id=7, data_date="", total="many\n", progress={"a": [1]}, status_message="x" * 900))

    fields = bench.ledger.documents[0]
    assert (fields["run_id"], fields["data_date"], fields["total"]) == ("7", None, r"many\n")
    assert fields["progress"] == {"a": "[1]"}
    assert len(fields["status_message"]) == 500


def test_a_run_restores_the_handler_of_sigterm(bench: Bench) -> None:
    before = signal.getsignal(signal.SIGTERM)
    heartbeat = bench.heartbeat()

    done(heartbeat.start())
    during = signal.getsignal(signal.SIGTERM)
    done(heartbeat.stop())

    assert during is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_handler_that_was_set_during_a_run_is_left_alone(bench: Bench) -> None:
    before, heartbeat = signal.getsignal(signal.SIGTERM), bench.heartbeat()

    def theirs(*_: object) -> None:
        pass

    try:
        done(heartbeat.start())
        signal.signal(signal.SIGTERM, theirs)
        done(heartbeat.stop())
        assert signal.getsignal(signal.SIGTERM) is theirs
        within(heartbeat.run())
        assert signal.getsignal(signal.SIGTERM) is theirs
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_signal_handler_beats_while_its_own_thread_does() -> None:
    bench = Bench("threads")
    heartbeat = bench.heartbeat()
    assert isinstance(heartbeat, ProcessorHeartbeat)
    handled: list[bool] = []

    def on_alarm(*_: object) -> None:
        handled.append(heartbeat.beat(progress=len(handled)))
        signal.setitimer(signal.ITIMER_REAL, 0.001 if len(handled) < 200 else 0)

    before = signal.signal(signal.SIGALRM, on_alarm)
    try:
        with heartbeat:
            signal.setitimer(signal.ITIMER_REAL, 0.001)
            while len(handled) < 200:
                assert heartbeat.beat()
    finally:
        signal.signal(signal.SIGALRM, before)

    assert all(handled)
    assert bench.ledger.statuses[-1] == "completed"


def test_threads_share_one_run() -> None:
    bench = Bench("threads")
    heartbeat = bench.heartbeat()
    assert isinstance(heartbeat, ProcessorHeartbeat)

    with heartbeat.run() as run:
        threads = [threading.Thread(target=lambda: [run.beat(progress=n) for n in range(25)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert bench.ledger.statuses[-1] == "completed"
    assert bench.ledger.documents[-1]["progress"] == 24


async def test_a_run_beats_while_the_event_loop_is_blocked() -> None:
    bench = Bench("asyncio")
    heartbeat = bench.heartbeat(beats_every=0.01)
    assert isinstance(heartbeat, AsyncProcessorHeartbeat)

    async with heartbeat.run():
        bench.ledger.wait_until(lambda: len(bench.ledger.documents) >= 5)  # blocks this loop

    assert bench.ledger.statuses[-1] == "completed"


async def test_a_cancelled_run_has_failed_even_where_it_was_cancelled_at_its_start() -> None:
    bench = Bench("asyncio")
    heartbeat = bench.heartbeat()
    assert isinstance(heartbeat, AsyncProcessorHeartbeat)
    bench.ledger.gate.clear()

    async def work() -> None:
        async with heartbeat.run(run_id="r1"):
            pass

    task = asyncio.create_task(work())
    await asyncio.sleep(0)  # the task comes to its start
    await asyncio.to_thread(bench.ledger.wait_until, lambda: bench.ledger.attempts == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    bench.ledger.gate.set()
    await asyncio.to_thread(bench.ledger.wait_until, lambda: "failed" in bench.ledger.statuses)

    assert bench.ledger.statuses[-1] == "failed"


STEPS = ("start", "beat", "stop", "success", "with", "raise", "deny", "drop")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(STEPS), max_size=8))
def test_no_sequence_of_calls_leaves_running_behind(steps: list[str]) -> None:
    bench = Bench("threads")
    heartbeat = bench.heartbeat()
    assert isinstance(heartbeat, ProcessorHeartbeat)
    lasts = False
    for step in steps:
        match step:
            case "start":
                lasts = heartbeat.start()
            case "beat" if lasts:
                heartbeat.beat()
            case "stop" if lasts:
                lasts = not heartbeat.stop()
            case "success":
                lasts = not heartbeat.beat("success")
            case "with":
                with heartbeat.run() as run:
                    run.beat()
            case "raise":
                with pytest.raises(ZeroDivisionError), heartbeat.run():
                    raise ZeroDivisionError
            case "deny":
                bench.ledger.failures.append(google.ServiceUnavailable("down"))
            case "drop":
                heartbeat, lasts = bench.heartbeat(), False
                assert isinstance(heartbeat, ProcessorHeartbeat)
            case _:
                pass
    del heartbeat
    wait_until_no_run_thread_is_left()

    assert bench.ledger.statuses[-1:] != ["running"]
    assert all(fields["started_at"].tzinfo is UTC for fields in bench.ledger.documents if "started_at" in fields)
