"""Writes the document of one run, in a thread of its own: a beat at regular times, and whenever somebody asks for one.

All writes of a run go through this one thread, so no "running" is written after the end. The thread ends with the run.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Final

from heartbeat import shutdown
from heartbeat.alarm import Alarm
from heartbeat.background import Promise
from heartbeat.fields import ProgressValue, heartbeat_fields, run_fields
from heartbeat.fork import renew_after_fork
from heartbeat.retry import Tries
from heartbeat.store import HeartbeatStore

RUNNING: Final = "running"
COMPLETED: Final = "completed"
FAILED: Final = "failed"

_OWN_SHARE: Final = 0.9
"""How much of the budget the thread uses, so that its own report of a failure arrives while the caller still waits."""

_LOOK_AGAIN: Final = 0.05
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


@dataclass(frozen=True, slots=True)
class _Request:
    """What the thread shall take over before it writes.

    Attributes:
        news: what is new.
        ends: the run ended, as ``news.status`` says.
        interruption: why the process ends before the run.
        answer: whether the document was written then.
    """

    news: RunFacts = field(default_factory=RunFacts)
    ends: bool = False
    interruption: str | None = None
    answer: Promise[bool] = field(default_factory=Promise[bool])


class RunWriter:
    """The document of one run. All threads, signal handlers and finalizers may use it.

    What the run says belongs to the thread alone. Callers put requests into a queue that needs no lock of theirs, so a
    signal handler may wait for the thread whatever the interrupted code was doing.
    """

    def __init__(self, settings: WriterSettings, facts: RunFacts) -> None:
        self._settings = settings
        self._process = os.getpid()
        # of the callers
        self._closed = False
        self._dropped = False
        self._interrupted = False
        # of the thread
        self._facts = RunFacts(status=RUNNING)
        self._facts.update(facts)
        self._started_at: datetime | None = None
        self._completed_at: datetime | None = None
        self._ended = False
        self._interruption: str | None = None
        self._taken: list[_Request] = []
        # between them
        self._requests: SimpleQueue[_Request] = SimpleQueue()
        self._life = threading.RLock()  # whether there is a thread
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
        return not self._closed

    @property
    def is_interrupted(self) -> bool:
        """Whether the process was asked to end while the run went on."""
        return self._interrupted

    @property
    def is_of_this_process(self) -> bool:
        """Whether the run started here; false in a forked child."""
        return self._process == os.getpid()

    def start(self) -> Promise[bool]:
        """Write that the run is running, and go on beating."""
        shutdown.opened(self)
        return self._ask(_Request())

    def beat(self, news: RunFacts) -> Promise[bool]:
        """Write what is new."""
        return self._ask(_Request(news))

    def end(self, status: str, news: RunFacts) -> Promise[bool]:
        """Write how the run ended, and stop beating."""
        self._closed = True
        shutdown.closed(self)
        final = replace(news, status=FAILED if status == RUNNING else status)
        return self._ask(_Request(final, ends=True))

    def interrupt(self, reason: str) -> Promise[bool] | None:
        """Write that the run failed, and beat no more by itself. The run may still end, and say how."""
        if self._closed or self._interrupted:
            return None
        self._interrupted = True
        return self._ask(_Request(interruption=reason))

    def abandon(self) -> None:
        """Nobody can end this run any more: write that it failed. Does not wait."""
        if self._interrupted:
            shutdown.closed(self)
        elif self.is_open and self.is_of_this_process:
            self.end(FAILED, RunFacts(status_message="the run was dropped without stop()"))

    def drop(self) -> Promise[bool]:
        """Write nothing more: another run takes over the document. Answered when no write is under way."""
        self._closed = self._dropped = True
        shutdown.closed(self)
        return self._ask(_Request(ends=True))

    def join(self) -> None:
        """Wait until the thread is gone, if it is about to go."""
        if (self._closed or self._interrupted) and self._last_thread is not None:
            self._last_thread.join(_LAST_STEP)

    def late(self) -> bool:
        """Report that the document was not written in time. False, for the caller to return."""
        return self._settings.alarm.raised(TimeoutError(f"not written within {self.budget:.3g} s"))

    def after_fork(self) -> None:
        """The thread and its callers stayed in the parent."""
        self._life = threading.RLock()
        self._requests, self._taken, self._thread, self._last_thread = SimpleQueue(), [], None, None

    def _ask(self, request: _Request) -> Promise[bool]:
        with self._life:
            self._requests.put(request)
            if self._thread is None:
                self._thread = self._last_thread = threading.Thread(
                    target=self._serve, name="heartbeat-run", daemon=True
                )
                try:
                    self._thread.start()
                except RuntimeError:  # no more threads, or the interpreter is exiting: write in this one
                    self._thread = self._last_thread = None
                    self._serve_once(0)
        return request.answer

    def _serve(self) -> None:
        while True:
            self._serve_once(self._settings.beats_every if self._beats() else 0)
            if not self._beats() and self._retires():
                return

    def _retires(self) -> bool:
        """Whether the thread may go. A caller that has the lock is about to make a request, so look again then."""
        if not self._life.acquire(timeout=_LOOK_AGAIN):
            return False
        try:
            if not self._requests.empty():
                return False
            self._thread = None
            return True
        finally:
            self._life.release()

    def _beats(self) -> bool:
        return not self._ended and self._interruption is None and self.is_of_this_process

    def _serve_once(self, timeout: float | None) -> None:
        """Wait for requests; write, by request or because it is time to; and answer."""
        if not self._take(timeout) and not self._beats():
            return
        try:
            written = self._write()
        except BaseException as error:  # noqa: BLE001 - an order to stop is for whoever asked for the write
            for request in self._taken:
                request.answer.fail(error)
        else:
            for request in self._taken:
                request.answer.give(written)
        self._taken.clear()

    def _take(self, timeout: float | None) -> bool:
        """Take over the requests that arrive within the timeout; the first one ends the wait. Whether any came."""
        known = len(self._taken)
        try:
            self._take_over(self._requests.get(timeout=timeout))
            while True:
                self._take_over(self._requests.get_nowait())
        except Empty:
            return len(self._taken) > known

    def _take_over(self, request: _Request) -> None:
        self._taken.append(request)
        self._facts.update(request.news)
        if request.ends:
            self._ended, self._interruption, self._completed_at = True, None, None
        elif not self._ended:
            self._interruption = request.interruption or self._interruption

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
                if self._take(pause):
                    tries = self._tries()
            else:
                return settings.alarm.worked()
        return False

    def _tries(self) -> Tries:
        return Tries(self._settings.budget * _OWN_SHARE, self._settings.first_pause)

    def _fields(self) -> dict[str, object]:
        facts, settings, now = self._facts, self._settings, self._settings.clock()
        interrupted = self._interruption is not None
        fields = heartbeat_fields(
            processor_name=settings.processor_name,
            at=now,
            status=FAILED if interrupted else str(facts.status),
            run_id=facts.run_id,
            progress=facts.progress,
            commit=settings.commit,
            revision=settings.revision,
        )
        self._started_at = self._started_at or now
        if self._ended or interrupted:
            self._completed_at = self._completed_at or now
        return fields | run_fields(
            at=now,
            data_date=facts.data_date,
            total=facts.total,
            status_message=self._interruption or facts.status_message,
            started_at=self._started_at,
            completed_at=self._completed_at,
            beats_every=settings.beats_every,
        )
