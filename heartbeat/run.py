"""One run of a processor: it starts, beats, and ends as completed or failed. ``ProcessorHeartbeat.run`` makes it."""

import weakref
from types import TracebackType
from typing import Final, Self

from heartbeat.background import Promise
from heartbeat.fields import ProgressValue
from heartbeat.run_writer import COMPLETED, FAILED, RunFacts, RunWriter, WriterSettings

_ENDINGS: Final = frozenset({COMPLETED, FAILED, "success", "error"})
"""Words that end a run even where a beat says them."""


class _Handle:
    """What both kinds of run share: everything but the waiting."""

    def __init__(self, settings: WriterSettings | None, facts: RunFacts) -> None:
        """A run that did not start yet. Without settings it writes nothing."""
        self._writer = None if settings is None else RunWriter(settings, facts)
        self._started = False

    @property
    def is_open(self) -> bool:
        """Whether the run started and goes on."""
        return self._started and self._writer is not None and self._writer.is_open

    def drop(self) -> Promise[bool] | None:
        """Write nothing more: another run takes over the document. Done when no write is under way."""
        return self._writer.drop() if self._writer is not None and self.is_open else None

    def _start(self) -> Promise[bool] | None:
        if self._writer is None or self._started:
            return None
        self._started = True
        weakref.finalize(self, self._writer.abandon).atexit = False
        return self._writer.start()

    def _beat(self, news: RunFacts) -> Promise[bool] | None:
        if self._writer is None:
            return None
        self._start()
        if news.status in _ENDINGS:
            return self._writer.end(news.status, news)
        return self._writer.beat(news)

    def _stop(self, status: str, news: RunFacts) -> Promise[bool] | None:
        return None if self._writer is None else self._writer.end(status, news)

    def _leave(self, error: BaseException | None) -> Promise[bool] | None:
        """The end of a ``with`` block: the run failed if an exception leaves it. A forked child ends nothing."""
        writer = self._writer
        if writer is None or not self.is_open or not writer.is_of_this_process:
            return None
        if error is None or (isinstance(error, SystemExit) and not error.code and not writer.is_interrupted):
            return writer.end(COMPLETED, RunFacts())
        return writer.end(FAILED, RunFacts(status_message=_reason(error)))


class ProcessorRun(_Handle):
    """A run that ``ProcessorHeartbeat.run()`` made. Enter it by ``with``; all threads may share it."""

    def __enter__(self) -> Self:
        self._wait(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait(self._leave(error))

    def start(self) -> bool:
        """Write that the run is running, and beat from now on, without ``with``. ``stop()`` must follow."""
        return self._wait(self._start())

    def beat(
        self,
        status: str | None = None,
        *,
        progress: ProgressValue = None,
        total: int | None = None,
        status_message: str | None = None,
        run_id: str | None = None,
    ) -> bool:
        """Write how far the run is. What is left out stays as it was. Returns whether it was written."""
        return self._wait(self._beat(RunFacts(run_id, None, total, progress, status_message, status)))

    def stop(
        self, status: str = COMPLETED, *, progress: ProgressValue = None, status_message: str | None = None
    ) -> bool:
        """Write that the run ended, as ``completed`` or ``failed``, and stop beating. Whether it was written."""
        return self._wait(self._stop(status, RunFacts(progress=progress, status_message=status_message)))

    def _wait(self, answer: Promise[bool] | None) -> bool:
        if answer is None or self._writer is None:
            return False
        try:
            written = answer.result(self._writer.budget)
        except TimeoutError:
            return self._writer.late()
        self._writer.join()
        return written


class AsyncProcessorRun(_Handle):
    """A run that ``AsyncProcessorHeartbeat.run()`` made. Enter it by ``async with``.

    It beats while the event loop is blocked, too: it writes in a thread of its own.
    """

    async def __aenter__(self) -> Self:
        await self._wait(self._start())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._wait(self._leave(error))

    async def start(self) -> bool:
        """As ``ProcessorRun.start``."""
        return await self._wait(self._start())

    async def beat(
        self,
        status: str | None = None,
        *,
        progress: ProgressValue = None,
        total: int | None = None,
        status_message: str | None = None,
        run_id: str | None = None,
    ) -> bool:
        """As ``ProcessorRun.beat``. If the caller is cancelled, the beat may be written all the same."""
        return await self._wait(self._beat(RunFacts(run_id, None, total, progress, status_message, status)))

    async def stop(
        self, status: str = COMPLETED, *, progress: ProgressValue = None, status_message: str | None = None
    ) -> bool:
        """As ``ProcessorRun.stop``. If the caller is cancelled, the end is written all the same."""
        return await self._wait(self._stop(status, RunFacts(progress=progress, status_message=status_message)))

    async def _wait(self, answer: Promise[bool] | None) -> bool:
        if answer is None or self._writer is None:
            return False
        try:
            written = await answer.result_async(self._writer.budget)
        except TimeoutError:
            return self._writer.late()
        self._writer.join()
        return written


def _reason(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}".rstrip(": ")
    except Exception:  # noqa: BLE001 - a stranger's __str__ may do anything
        return type(error).__name__
