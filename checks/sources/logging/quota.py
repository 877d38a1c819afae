"""Keeps reads below a quota that cannot be raised: 60 a minute and project for Cloud Logging, every page being one."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Final

READS: Final = 60
MINUTE: Final = 60.0


class RateLimit:
    """At most ``reads`` in any ``period`` seconds; all may come at once. Safe for threads and event loops.

    Args:
        reads: how many.
        period: in how many seconds.
        clock: seconds on a clock that never goes back.
        sleep: how a turn is waited for.
    """

    def __init__(
        self,
        reads: int = READS,
        period: float = MINUTE,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._period = period
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._turns = [float("-inf")] * reads  # when each of the last reads was or will be, oldest at ``_next``
        self._next = 0

    async def turn(self, patience: float) -> bool:
        """Wait for a turn. False, at once, if it would take longer than ``patience`` seconds: then it is nobody's."""
        with self._lock:
            now = self._clock()
            at = max(now, self._turns[self._next] + self._period)
            if at - now > patience:
                return False
            self._turns[self._next] = at
            self._next = (self._next + 1) % len(self._turns)
        if at > now:
            await self._sleep(at - now)
        return True


@cache
def shared_limit(address: str, project: str) -> RateLimit:
    """The one limit of a project behind an address, for everybody in this process."""
    del address, project
    return RateLimit()
