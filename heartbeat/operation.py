"""Says that one long operation started, that it is still running, and that it ended: START without END is a hang.

    with HeartbeatLogger("Loading historical games"):
        games = load_historical_games()

The lines go to the logger ``heartbeat.operation`` with severity INFO, and ERROR for a failure. They are heard even
where the application set no logging up, or listens to warnings only: an END without its START would mislead. Whoever
wants less sets the level of that logger.
"""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from heartbeat.text import one_line

_MAX_NAME: Final = 200

_log = logging.getLogger(__name__)

Wait = Callable[[threading.Event, float], bool]
"""Waits until the event is set, at most that many seconds; returns whether it is set."""


class HeartbeatLogger:
    """One operation, told about from start to end by ``with`` or ``async with``. Serves once.

    Args:
        operation: what is being done. Line breaks and control characters are escaped.
        interval: seconds from one "still running" to the next, and before the first.
        monotonic: seconds on a clock that never goes back.
        wait: how the next line is waited for.

    Raises:
        ValueError: the interval is no positive time that can be waited for.
    """

    def __init__(
        self,
        operation: str,
        interval: float = 300.0,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Wait = threading.Event.wait,
    ) -> None:
        if not 0 < interval <= threading.TIMEOUT_MAX:
            raise ValueError(f"interval={interval} seconds: give a positive time, such as 300")
        self._operation = one_line(operation, _MAX_NAME)
        self._interval = interval
        self._monotonic = monotonic
        self._wait = wait
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._started_at = 0.0

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise RuntimeError(f"this HeartbeatLogger already told about {self._operation!r}: make one per operation")
        _be_heard()
        self._thread = threading.Thread(target=self._tell_until_ended, name="heartbeat-operation", daemon=True)
        self._started_at = self._monotonic()
        _log.info("HEARTBEAT START: %s", self._operation)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is None or self._ended.is_set():
            raise RuntimeError(f"this HeartbeatLogger is not telling about {self._operation!r}: enter it with `with`")
        self._ended.set()
        self._thread.join()  # so that nothing is "still running" after the END
        if error is None:
            _log.info("HEARTBEAT END: %s completed in %.1f min", self._operation, self._minutes())
        else:
            _log.error("HEARTBEAT END (ERROR): %s failed after %.1f min", self._operation, self._minutes())

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _tell_until_ended(self) -> None:
        while not self._wait(self._ended, self._interval):
            _log.info("HEARTBEAT: %s still running (%.1f min elapsed)", self._operation, self._minutes())

    def _minutes(self) -> float:
        return (self._monotonic() - self._started_at) / 60


def _be_heard() -> None:
    if _log.level == logging.NOTSET:
        _log.setLevel(logging.INFO)
    if not _log.hasHandlers():
        _log.addHandler(logging.StreamHandler())
