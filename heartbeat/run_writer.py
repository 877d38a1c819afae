"""Writes the document of one run, in a thread of its own: a beat at regular times, and whenever somebody asks for one.

All writes of a run go through this one thread, so no "running" is written after the end. The thread ends with the run.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Final

from heartbeat import shutdown
from heartbeat.alarm import Alarm
from heartbeat.fields import ProgressValue, heartbeat_fields, run_fields
from heartbeat.fork import renew_after_fork
from heartbeat.retry import Tries
from heartbeat.store import HeartbeatStore

RUNNING: Final = "running"
COMPLETED: Final = "completed"
FAILED: Final = "failed"

_OWN_SHARE: Final = 0.9
"""How much of the budget the thread uses, so that its own report of a failure arrives while the caller still waits."""

_LAST_STEP: Final = 1.0
"""Seconds that a thread which has answered may take to end; microseconds, in fact."""


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """Who writes heartbeats, where to and how. ``ProcessorHeartbeat`` describes each value."""

    document_id: str
    store: HeartbeatStore
    processor_name: str
    commit: str | None
    revision: str | None
    clock: Callable[[], datetime]
    budget: float
    first_pause: float
    beats_every: float | None
    alarm: Alarm


@dataclass(slots=True)
class RunFacts:
    """What a run says about itself. None leaves what it said before."""

    run_id: str | None = None
    data_date: object = None
    total: object = None
    progress: ProgressValue = None
    status_message: object = None
    status: str | None = None

    def update(self, news: "RunFacts") -> None:
        """Take over what ``news`` says."""
        for name in self.__slots__:
            if (value := getattr(news, name)) is not None:
                setattr(self, name, value)


class RunWriter:
    """The document of one run. All threads, signal handlers and finalizers may use it."""

    def __init__(self, settings: WriterSettings, facts: RunFacts) -> None:
        self._settings = settings
        self._facts = RunFacts(status=RUNNING)
        self._facts.update(facts)
        self._started_at: datetime | None = None
        self._completed_at: datetime | None = None
        self._ended = False
        self._dropped = False
        self._interruption: str | None = None
        self._process = os.getpid()
        self._lock = threading.RLock()  # a signal handler may come here while its own thread is here
        self._requests: SimpleQueue[Future[bool]] = SimpleQueue()  # a signal handler may put while its own thread puts
        self._answers: list[Future[bool]] = []
        self._thread: threading.Thread | None = None
        self._last_thread: threading.Thread | None = None
        renew_after_fork(self)

    @property
    def budget(self) -> float:
        """Seconds that a caller waits for an answer."""
        return self._settings.budget

    @property
    def is_open(self) -> bool:
        """Whether the run goes on."""
        return not self._ended

    @property
    def is_interrupted(self) -> bool:
        """Whether the process was asked to end while the run went on."""
        return self._interruption is not None

    @property
    def is_of_this_process(self) -> bool:
        """Whether the run started here; false in a forked child."""
        return self._process == os.getpid()

    def start(self) -> Future[bool]:
        """Write that the run is running, and go on beating."""
        shutdown.opened(self)
        return self._ask()

    def beat(self, news: RunFacts) -> Future[bool]:
        """Write what is new."""
        with self._lock:
            self._facts.update(news)
        return self._ask()

    def end(self, status: str, news: RunFacts) -> Future[bool]:
        """Write how the run ended, and stop beating."""
        with self._lock:
            self._facts.update(news)
            self._facts.status = FAILED if status == RUNNING else status
            self._ended, self._completed_at = True, None
        shutdown.closed(self)
        return self._ask()

    def interrupt(self, reason: str) -> Future[bool] | None:
        """Write that the run failed, and beat no more by itself. The run may still end, and say how."""
        with self._lock:
            if self._ended or self.is_interrupted:
                return None
            self._interruption = reason
        return self._ask()

    def abandon(self) -> None:
        """Nobody can end this run any more: write that it failed. Does not wait."""
        if self.is_interrupted:
            shutdown.closed(self)
        elif self.is_open and self.is_of_this_process:
            self.end(FAILED, RunFacts(status_message="the run was dropped without stop()"))

    def drop(self) -> Future[bool]:
        """Write nothing more: another run takes over the document. Done when no write is under way."""
        with self._lock:
            self._ended = self._dropped = True
        shutdown.closed(self)
        return self._ask()

    def join(self) -> None:
        """Wait until the thread is gone, which answered last of all."""
        if not self._beats() and self._last_thread is not None:
            self._last_thread.join(_LAST_STEP)

    def late(self) -> bool:
        """Report that the document was not written in time. False, for the caller to return."""
        return self._settings.alarm.raised(TimeoutError(f"not written within {self.budget:.3g} s"))

    def after_fork(self) -> None:
        """The thread and its callers stayed in the parent."""
        self._lock = threading.RLock()
        self._requests, self._answers, self._thread, self._last_thread = SimpleQueue(), [], None, None

    def _ask(self) -> Future[bool]:
        answer: Future[bool] = Future()
        answer.set_running_or_notify_cancel()  # from here on nobody can cancel it
        with self._lock:
            self._requests.put(answer)
            if self._thread is None:
                self._start_thread()
        return answer

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._serve, name="heartbeat-run", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is exiting: write in this one
            self._serve_once(0)
        else:
            self._thread = self._last_thread = thread

    def _serve(self) -> None:
        while True:
            self._serve_once(self._settings.beats_every if self._beats() else 0)
            with self._lock:
                if not self._beats() and self._requests.empty():
                    self._thread = None
                    return

    def _beats(self) -> bool:
        return not self._ended and not self.is_interrupted and self.is_of_this_process

    def _collect(self, timeout: float | None) -> bool:
        """Take the requests that arrive within the timeout; the first one ends the wait. Whether any came."""
        known = len(self._answers)
        try:
            self._answers.append(self._requests.get(timeout=timeout))
            while True:
                self._answers.append(self._requests.get_nowait())
        except Empty:
            return len(self._answers) > known

    def _serve_once(self, timeout: float | None) -> None:
        """Wait for requests, write once, and answer them all."""
        self._collect(timeout)
        try:
            written = self._write()
        except BaseException as error:  # noqa: BLE001 - an order to stop is for whoever asked for the write
            for answer in self._answers:
                answer.set_exception(error)
        else:
            for answer in self._answers:
                answer.set_result(written)
        self._answers.clear()

    def _write(self) -> bool:
        settings = self._settings
        tries = self._tries()
        while not self._dropped:
            try:
                settings.store.write(settings.document_id, self._fields(), timeout=tries.timeout())
            except Exception as error:  # noqa: BLE001 - whatever breaks a heartbeat is told aloud and never stops a processor
                pause = tries.pause_after(error)
                if pause is None:
                    return settings.alarm.raised(error)
                if self._collect(pause):
                    tries = self._tries()
            else:
                return settings.alarm.worked()
        return False

    def _tries(self) -> Tries:
        return Tries(self._settings.budget * _OWN_SHARE, self._settings.first_pause)

    def _fields(self) -> dict[str, object]:
        with self._lock:
            facts, settings, now = self._facts, self._settings, self._settings.clock()
            ended = self._ended or self.is_interrupted
            fields = heartbeat_fields(
                processor_name=settings.processor_name,
                at=now,
                status=str(facts.status) if self._ended or not ended else FAILED,
                run_id=facts.run_id,
                progress=facts.progress,
                commit=settings.commit,
                revision=settings.revision,
            )
            self._started_at = self._started_at or now
            self._completed_at = (self._completed_at or now) if ended else None
            return fields | run_fields(
                at=now,
                data_date=facts.data_date,
                total=facts.total,
                status_message=facts.status_message if self._ended or not ended else self._interruption,
                started_at=self._started_at,
                completed_at=self._completed_at,
                beats_every=settings.beats_every,
            )
