"""The world's clock: the only place in the practice cloud that knows the real time."""

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that can be set ahead and made to run fast, slow or not at all. Never runs backwards.

    Args:
        start: the world's time at this moment, timezone-aware; the real time unless given.
        speed: seconds that pass in the world per real second; 0 stops it.
    """

    def __init__(self, start: datetime | None = None, *, speed: float = 1.0) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("the practice world's clock needs a start with a timezone, such as 2026-02-01T12:00:00Z")
        if speed < 0:
            raise ValueError(f"time runs forwards: speed {speed} is below 0")
        self.speed = speed
        self._origin = (start or datetime.now(UTC)).astimezone(UTC)
        self._since = time.monotonic()
        self._ahead = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The world's time, in UTC."""
        elapsed = timedelta(seconds=(time.monotonic() - self._since) * self.speed)
        with self._lock:
            return self._origin + self._ahead + elapsed

    def advance(self, by: timedelta) -> datetime:
        """Set the clock ahead and return the new time."""
        if by < timedelta():
            raise ValueError(f"time runs forwards: cannot advance by {by}")
        with self._lock:
            self._ahead += by
        return self.now()
