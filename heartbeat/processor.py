"""How a processor says that it is alive: one Firestore document per processor, written often, and never in silence.

    heartbeat = ProcessorHeartbeat("PlayerGameSummaryProcessor")
    with heartbeat.run(run_id=run_id, data_date="2026-02-01", total=450) as run:
        run.beat(progress=12)

While a run lasts, a beat is written every minute, and the document says so. A processor without runs calls
``heartbeat.beat()`` whenever it likes, and promises nothing.

A beat that cannot be written says so on standard error and returns False. It never raises: a heartbeat tells about a
processor, and must not be what stops it.
"""

import os
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Final, Generic, Self, TextIO, TypeVar

from heartbeat.alarm import Alarm
from heartbeat.background import Promise, in_time
from heartbeat.diagnosis import Failure, Reason, diagnose
from heartbeat.document_id import canonical_id
from heartbeat.fields import ProgressValue, heartbeat_fields, optional_text
from heartbeat.retry import Tries
from heartbeat.run import AsyncProcessorRun, ProcessorRun
from heartbeat.run_writer import COMPLETED, RUNNING, RunFacts, WriterSettings
from heartbeat.store import AsyncFirestoreStore, AsyncHeartbeatStore, BlockingStore, FirestoreStore, HeartbeatStore

_OFF: Final = frozenset({"false", "0", "no", "off"})

_Store = TypeVar("_Store")
_Run = TypeVar("_Run", ProcessorRun, AsyncProcessorRun)


class _Writer(ABC, Generic[_Store, _Run]):
    """What the synchronous and the asynchronous heartbeat share: everything but the waiting."""

    def __init__(
        self,
        processor_name: str,
        *,
        registered: bool = False,
        store: _Store | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        commit: str | None = None,
        budget: float = 10.0,
        first_pause: float = 0.25,
        beats_every: float | None = 60,
        stream: TextIO | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Never fails: what is wrong is told on ``stream``, and every beat then returns False.

        Args:
            processor_name: the processor's plain name, which becomes the id of its one document. A run-scoped name is
                refused: nothing is ever written under it.
            registered: the pipeline's settings list this very name, so it is right although it looks run-scoped.
            store: where heartbeats go; Firestore unless given.
            clock: tells the time, with a timezone.
            commit: what the processor was built from; else ``COMMIT_SHA`` of the environment.
            budget: seconds that one beat may take, retries included.
            first_pause: most seconds to wait before the first retry. Pauses double and are jittered.
            beats_every: seconds from one beat of a run to the next. None, or no positive time: a run beats only when
                it is told to, and promises nothing.
            stream: where the lines about failures go; standard error unless given.
            environment: the environment variables of what runs the processor; this process's own unless given.
        """
        environment = os.environ if environment is None else environment
        self.processor_name = processor_name
        self.document_id, refusal = _admitted(processor_name, environment, registered=registered)
        self._target = self.document_id if refusal is None else None
        self._store = self._default_store() if store is None else store
        self._clock = clock
        self._commit = optional_text(commit or environment.get("COMMIT_SHA"))
        self._revision = optional_text(environment.get("K_REVISION") or environment.get("CLOUD_RUN_EXECUTION"))
        self._budget = budget
        self._first_pause = first_pause
        self._beats_every = beats_every if beats_every and 0 < beats_every <= threading.TIMEOUT_MAX else None
        self._started: _Run | None = None
        self._runs: list[weakref.ref[_Run]] = []
        self._alarm = Alarm(
            processor_name=processor_name, document=self.document_id, revision=self._revision, stream=stream
        )
        if refusal is not None:
            self._alarm.failed(refusal)

    def run(
        self,
        *,
        run_id: str | None = None,
        data_date: date | str | None = None,
        total: int | None = None,
        progress: ProgressValue = None,
        status_message: str | None = None,
    ) -> _Run:
        """A run to enter by ``with``: ``failed`` if an exception leaves the block, else ``completed``.

        Two runs at the same time share the processor's one document: whichever wrote last is what it says.

        Args:
            run_id: which run it is.
            data_date: the day whose data it works on.
            total: what ``progress`` counts towards.
            progress: how far it is: a number, a text, or a flat mapping of such.
            status_message: what it is doing.
        """
        run = self._make_run(self._writer_settings(), RunFacts(run_id, data_date, total, progress, status_message))
        self._runs = [known for known in self._runs if known() is not None] + [weakref.ref(run)]
        return run

    @abstractmethod
    def _default_store(self) -> _Store:
        """Where heartbeats go unless the one who makes this says otherwise."""

    @abstractmethod
    def _blocking_store(self) -> HeartbeatStore:
        """The store, as the thread of a run calls it."""

    @abstractmethod
    def _make_run(self, settings: WriterSettings | None, facts: RunFacts) -> _Run:
        """A run that did not start yet."""

    def _writer_settings(self) -> WriterSettings | None:
        if self._target is None:
            return None
        return WriterSettings(
            document_id=self._target,
            store=self._blocking_store(),
            processor_name=self.processor_name,
            commit=self._commit,
            revision=self._revision,
            clock=self._clock,
            budget=self._budget,
            first_pause=self._first_pause,
            beats_every=self._beats_every,
            alarm=self._alarm,
        )

    def _open_run(self) -> _Run | None:
        """The newest run that goes on."""
        return next((run for known in reversed(self._runs) if (run := known()) is not None and run.is_open), None)

    def _replaced(self) -> Promise[bool] | None:
        """Make room for a run by ``start()``: one that was started before and never stopped has no end to tell."""
        return None if self._started is None else self._started.drop()

    def _fields(self, news: RunFacts) -> dict[str, object]:
        """The document of a beat without a run."""
        fields = heartbeat_fields(
            processor_name=self.processor_name,
            at=self._clock(),
            status=news.status or RUNNING,
            run_id=news.run_id,
            progress=news.progress,
            commit=self._commit,
            revision=self._revision,
        )
        more = {"total": news.total, "status_message": optional_text(news.status_message)}
        return fields | {name: value for name, value in more.items() if value is not None}

    def _tries(self) -> Tries:
        return Tries(self._budget, self._first_pause)


class ProcessorHeartbeat(_Writer[HeartbeatStore, ProcessorRun]):
    """One processor's heartbeat. All threads of the processor may share it.

    ``with heartbeat:`` is one run as well, for a processor that has nothing to say about its runs.
    """

    def __enter__(self) -> Self:
        if self._open_run() is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (run := self._open_run()) is not None:
            run.__exit__(kind, error, trace)

    def start(
        self,
        *,
        run_id: str | None = None,
        data_date: date | str | None = None,
        total: int | None = None,
        progress: ProgressValue = None,
        status_message: str | None = None,
    ) -> bool:
        """Start a run: write that it is running, and go on beating until ``stop()``.

        Where a run that was started like this is still open, this one takes its place. The arguments are those of
        ``run()``, which is better where an exception may come between start and stop.

        Returns:
            Whether it was written. Where it was not, standard error has said why, once.
        """
        if (replaced := self._replaced()) is not None:
            with suppress(TimeoutError):
                replaced.result(self._budget)
        self._started = self.run(
            run_id=run_id, data_date=data_date, total=total, progress=progress, status_message=status_message
        )
        return self._started.start()

    def beat(
        self,
        status: str = RUNNING,
        *,
        run_id: str | None = None,
        progress: ProgressValue = None,
        total: int | None = None,
        status_message: str | None = None,
    ) -> bool:
        """Write "alive, as of now" to the processor's document, replacing what it said.

        While a run lasts, this beats for the newest one: what is left out stays as it was, and ``completed``,
        ``success``, ``failed`` and ``error`` end it. Without a run it promises no further beat.

        Args:
            status: one word such as ``running``, ``success`` or ``failed``.
            run_id: the run that this belongs to.
            progress: how far it is: a number, a text, or a flat mapping of such.
            total: what ``progress`` counts towards.
            status_message: what it is doing.

        Returns:
            Whether it was written. Where it was not, standard error has said why, once.
        """
        if (run := self._open_run()) is not None:
            return run.beat(status, run_id=run_id, progress=progress, total=total, status_message=status_message)
        if self._target is None:
            return False
        try:
            self._send(self._target, self._fields(RunFacts(run_id, None, total, progress, status_message, status)))
        except Exception as error:  # noqa: BLE001 - whatever breaks a heartbeat is told aloud and never stops a processor
            return self._alarm.raised(error)
        return self._alarm.worked()

    def stop(
        self, status: str = COMPLETED, *, progress: ProgressValue = None, status_message: str | None = None
    ) -> bool:
        """End the newest run, as ``completed`` or ``failed``, and stop beating. Returns whether it was written."""
        if (run := self._open_run()) is not None:
            return run.stop(status, progress=progress, status_message=status_message)
        return self.beat(status, progress=progress, status_message=status_message)

    def _send(self, document_id: str, fields: dict[str, object]) -> None:
        tries = self._tries()
        while True:
            try:
                return self._store.write(document_id, fields, timeout=tries.timeout())
            except Exception as error:
                pause = tries.pause_after(error)
                if pause is None:
                    raise
            time.sleep(pause)

    def _default_store(self) -> HeartbeatStore:
        return FirestoreStore()

    def _blocking_store(self) -> HeartbeatStore:
        return self._store

    def _make_run(self, settings: WriterSettings | None, facts: RunFacts) -> ProcessorRun:
        return ProcessorRun(settings, facts)


class AsyncProcessorHeartbeat(_Writer[AsyncHeartbeatStore, AsyncProcessorRun]):
    """The same for asyncio: awaiting a beat leaves the event loop free, and never waits for the loop's executor."""

    async def __aenter__(self) -> Self:
        if self._open_run() is None:
            await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (run := self._open_run()) is not None:
            await run.__aexit__(kind, error, trace)

    async def start(
        self,
        *,
        run_id: str | None = None,
        data_date: date | str | None = None,
        total: int | None = None,
        progress: ProgressValue = None,
        status_message: str | None = None,
    ) -> bool:
        """As ``ProcessorHeartbeat.start``."""
        if (replaced := self._replaced()) is not None:
            with suppress(TimeoutError):
                await replaced.result_async(self._budget)
        self._started = self.run(
            run_id=run_id, data_date=data_date, total=total, progress=progress, status_message=status_message
        )
        return await self._started.start()

    async def beat(
        self,
        status: str = RUNNING,
        *,
        run_id: str | None = None,
        progress: ProgressValue = None,
        total: int | None = None,
        status_message: str | None = None,
    ) -> bool:
        """As ``ProcessorHeartbeat.beat``. Cancelling it cancels it: that is no failure and is not told."""
        if (run := self._open_run()) is not None:
            return await run.beat(status, run_id=run_id, progress=progress, total=total, status_message=status_message)
        if self._target is None:
            return False
        try:
            await self._send(
                self._target, self._fields(RunFacts(run_id, None, total, progress, status_message, status))
            )
        except Exception as error:  # noqa: BLE001 - whatever breaks a heartbeat is told aloud and never stops a processor
            return self._alarm.raised(error)
        return self._alarm.worked()

    async def stop(
        self, status: str = COMPLETED, *, progress: ProgressValue = None, status_message: str | None = None
    ) -> bool:
        """As ``ProcessorHeartbeat.stop``."""
        if (run := self._open_run()) is not None:
            return await run.stop(status, progress=progress, status_message=status_message)
        return await self.beat(status, progress=progress, status_message=status_message)

    async def _send(self, document_id: str, fields: dict[str, object]) -> None:
        import asyncio  # noqa: PLC0415 - a processor without asyncio never pays for it

        tries = self._tries()
        while True:
            try:
                timeout = tries.timeout()
                return await in_time(self._store.write(document_id, fields, timeout=timeout), timeout)
            except Exception as error:
                pause = tries.pause_after(error)
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    def _default_store(self) -> AsyncHeartbeatStore:
        return AsyncFirestoreStore()

    def _blocking_store(self) -> HeartbeatStore:
        return self._store.blocking if isinstance(self._store, AsyncFirestoreStore) else BlockingStore(self._store)

    def _make_run(self, settings: WriterSettings | None, facts: RunFacts) -> AsyncProcessorRun:
        return AsyncProcessorRun(settings, facts)


def _admitted(
    processor_name: str, environment: Mapping[str, str], *, registered: bool
) -> tuple[str | None, Failure | None]:
    """The document's id, and why it must not be written."""
    try:
        document_id = canonical_id(processor_name, registered=registered)
    except (AttributeError, TypeError, ValueError) as error:
        return None, Failure(Reason.WRONG_NAME, type(error).__name__, diagnose(error).detail)
    if (switch := environment.get("ENABLE_HEARTBEATS", "")).strip().lower() in _OFF:
        return document_id, Failure(Reason.DISABLED, "ENABLE_HEARTBEATS", f"ENABLE_HEARTBEATS={switch.strip()}")
    return document_id, None
