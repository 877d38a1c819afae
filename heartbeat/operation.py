"""Says that one long operation started, that it is still running, and that it ended: START without END is a hang.

    with HeartbeatLogger("Loading historical games"):
        games = load_historical_games()

The lines go to the logger ``heartbeat.operation`` with severity INFO, and ERROR for a failure. They are heard even
where the application set no logging up, disabled existing loggers, or has handlers for warnings only: a line that no
handler takes goes to standard error, since an END without its START would mislead. Whoever wants less sets the level of
that logger.

Each record has ``heartbeat = {"operation": name, "operation_id": id}``. JSON formatters write such an extra by
themselves; for Google's handlers it is in ``json_fields``, too. It becomes ``jsonPayload.heartbeat.operation_id``, the
same in all lines of one operation. The text has no id.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self

from heartbeat.text import one_line

_MAX_NAME: Final = 200

_log = logging.getLogger(__name__)


class _LastVoice(logging.Handler):
    """Writes to standard error what no other handler takes."""

    def emit(self, record: logging.LogRecord) -> None:
        if _is_taken(record):
            return
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - as every handler of the standard library does
            self.handleError(record)


_last_voice = _LastVoice()

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
        self.operation_id = os.urandom(8).hex()
        self._interval = interval
        self._monotonic = monotonic
        self._wait = wait
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._started_at = 0.0

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise RuntimeError(f"this HeartbeatLogger already told about {self._operation!r}: make one per operation")
        self._thread = threading.Thread(target=self._tell_until_ended, name="heartbeat-operation", daemon=True)
        self._started_at = self._monotonic()
        self._say(logging.INFO, "HEARTBEAT START: %s", self._operation)
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
            self._say(logging.INFO, "HEARTBEAT END: %s completed in %.1f min", self._operation, self._minutes())
        else:
            self._say(
                logging.ERROR, "HEARTBEAT END (ERROR): %s failed after %.1f min", self._operation, self._minutes()
            )

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _tell_until_ended(self) -> None:
        while not self._wait(self._ended, self._interval):
            self._say(logging.INFO, "HEARTBEAT: %s still running (%.1f min elapsed)", self._operation, self._minutes())

    def _minutes(self) -> float:
        return (self._monotonic() - self._started_at) / 60

    def _say(self, level: int, text: str, *values: object) -> None:
        _be_heard()
        if not _log.isEnabledFor(level):
            return
        file, line, function, _ = _log.findCaller(stacklevel=2)
        record = _log.makeRecord(_log.name, level, file, line, text, values, None, function)
        facts = {"operation": self._operation, "operation_id": self.operation_id}
        known: object = getattr(record, "json_fields", None)  # the application's own, by its record factory
        others: dict[str, object] = {**known} if isinstance(known, Mapping) else {}
        record.__dict__ |= {"heartbeat": facts, "json_fields": others | {"heartbeat": facts}}
        _log.handle(record)


def _be_heard() -> None:
    """Undo what ``dictConfig`` and ``fileConfig`` do to existing loggers by default, however late they are called."""
    _log.disabled = False
    if _log.level == logging.NOTSET:
        _log.setLevel(logging.INFO)
    if _last_voice not in _log.handlers:
        _log.addHandler(_last_voice)


def _is_taken(record: logging.LogRecord) -> bool:
    """Whether a handler of the application takes this record."""
    logger: logging.Logger | None = _log
    while logger is not None:
        for handler in logger.handlers:
            deaf = handler is _last_voice or isinstance(handler, logging.NullHandler)
            if not deaf and record.levelno >= handler.level:
                return True
        logger = logger.parent if logger.propagate else None
    return False
