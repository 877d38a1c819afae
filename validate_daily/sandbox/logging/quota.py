"""How often a project's logs may be read."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.errors import RefusedError

_MINUTE: Final = timedelta(minutes=1)


class Quota:
    """Counts the reads of each project in the last minute of the world's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reads: dict[str, deque[datetime]] = {}

    def spend(self, projects: list[str], per_minute: int | None) -> None:
        """Count one read for each project, or refuse it: what is refused is not counted.

        Raises:
            RefusedError: one of them has none left.
        """
        now = self._clock.now()
        for project in projects:
            reads = self._reads.setdefault(project, deque())
            while reads and reads[0] <= now - _MINUTE:
                reads.popleft()
            if per_minute is not None and len(reads) >= per_minute:
                raise RefusedError(
                    "RESOURCE_EXHAUSTED",
                    "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service "
                    f"'logging.googleapis.com' for consumer '{project}'.",
                )
        for project in projects:
            self._reads[project].append(now)
