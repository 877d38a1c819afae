"""When to try a write again: while the failure is a passing one and the budget lasts."""

import random
import time
from typing import Final

from heartbeat.diagnosis import is_transient

_ATTEMPTS_PER_BUDGET: Final = 2
_SHORTEST_ATTEMPT: Final = 0.001
_LONGEST_PAUSE: Final = 4.0


class Tries:
    """The attempts at one write. The budget starts now.

    Args:
        budget: seconds for all attempts and the pauses between them.
        first_pause: the longest first pause in seconds. Pauses double and are jittered.
    """

    def __init__(self, budget: float, first_pause: float) -> None:
        self._budget = budget
        self._deadline = time.monotonic() + budget
        self._pause = first_pause

    def timeout(self) -> float:
        """Seconds for the next attempt: what is left, but never so much that a stalled one precludes another."""
        return max(min(self._deadline - time.monotonic(), self._budget / _ATTEMPTS_PER_BUDGET), _SHORTEST_ATTEMPT)

    def pause_after(self, error: Exception) -> float | None:
        """Seconds to wait before the next attempt; None to give up."""
        pause = random.uniform(0, self._pause)  # noqa: S311 - no secret
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        if is_transient(error) and time.monotonic() + pause < self._deadline:
            return pause
        return None
