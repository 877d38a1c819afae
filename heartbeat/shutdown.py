"""Ends the runs that are still open when the process ends: at SIGTERM, and when the interpreter exits.

A run that only stops beating looks alive for minutes. SIGKILL, ``os._exit`` and a lost machine cannot be caught; for
those, each document says how often beats were promised.
"""

import atexit
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Final, Protocol

from heartbeat.background import Promise
from heartbeat.fork import renew_after_fork

LAST_WORDS: Final = 5.0
"""Seconds that all open runs together may take to say that they ended. Cloud Run kills 10 s after SIGTERM."""

_Handler = Callable[[int, FrameType | None], object]


class OpenRun(Protocol):
    """A run whose document still says "running"."""

    def interrupt(self, reason: str) -> Promise[bool] | None:
        """Have the document say that the run failed, for this reason. None where it has ended by itself."""
        ...

    def late(self) -> bool:
        """Report that the document was not written in time."""
        ...


class _OpenRuns:
    """All open runs of this process. It has no lock: a signal handler comes here whatever its own thread is doing."""

    def __init__(self) -> None:
        self._runs: list[OpenRun] = []
        self._handler: _Handler | None = None
        self._previous: signal.Handlers | _Handler | int | None = None
        self._always = False
        self._at_exit = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """The parent's runs are not the child's to end."""
        self._runs = []

    def add(self, run: OpenRun) -> None:
        self._runs.append(run)
        if not self._at_exit:
            self._at_exit = True
            atexit.register(self.interrupt_all, "the interpreter exited before the run ended")
        self.catch_sigterm(always=False)

    def remove(self, run: OpenRun) -> None:
        with suppress(ValueError):  # it ended before
            self._runs.remove(run)
        if not self._runs and not self._always:
            self._release_sigterm()

    def interrupt_all(self, reason: str) -> None:
        deadline = time.monotonic() + LAST_WORDS
        for run, answer in [(run, run.interrupt(reason)) for run in list(self._runs)]:
            if answer is not None:
                try:
                    answer.result(max(deadline - time.monotonic(), 0))
                except TimeoutError:
                    run.late()
                except BaseException:  # noqa: BLE001, S110 - the process is ending, and the other runs have last words too
                    pass

    def catch_sigterm(self, *, always: bool) -> bool:
        """Put a handler before the present one. False where that is impossible, or SIGTERM is ignored."""
        if threading.current_thread() is not threading.main_thread():
            return False
        self._always = self._always or always
        previous = signal.getsignal(signal.SIGTERM)
        if previous is self._handler and previous is not None:
            return True
        if previous is None or previous is signal.SIG_IGN:
            return False

        def on_sigterm(number: int, frame: FrameType | None) -> None:
            self.interrupt_all("the process was asked to end (SIGTERM)")
            if callable(previous):
                previous(number, frame)
            else:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)

        try:
            signal.signal(signal.SIGTERM, on_sigterm)
        except ValueError:  # a subinterpreter
            return False
        self._handler, self._previous = on_sigterm, previous
        return True

    def _release_sigterm(self) -> None:
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and self._handler is not None and signal.getsignal(signal.SIGTERM) is self._handler:
            signal.signal(signal.SIGTERM, self._previous)
            self._handler = self._previous = None


_open_runs: Final = _OpenRuns()


def opened(run: OpenRun) -> None:
    """A run's document says "running" from now on."""
    _open_runs.add(run)


def closed(run: OpenRun) -> None:
    """The run ended, and whoever ended it says so."""
    _open_runs.remove(run)


def end_runs_on_sigterm() -> bool:
    """Catch SIGTERM for as long as the process lives. For hosts whose runs start in other threads than the main one.

    A run that starts in the main thread does this by itself, until it ends. The handler that was there before is still
    called. Call this in the main thread, after the host has set its own handlers.

    Returns:
        Whether SIGTERM is caught. It is not in another thread, nor where the process ignores SIGTERM.
    """
    return _open_runs.catch_sigterm(always=True)
