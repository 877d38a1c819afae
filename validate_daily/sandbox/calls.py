"""What the practice cloud was asked, and what production would have billed for it."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

KEPT: Final = 10_000

Side = Literal["firestore", "run", "logging", "registry"]
"""Which of the practice cloud's services."""


@dataclass(slots=True)
class Call:
    """One call of one method.

    Attributes:
        method: its short name, such as ``RunQuery``.
        at: when it arrived, in the world's time.
        request: what it asked for, in a line.
        billed_reads: document reads that production bills for it.
        status: how it ended, once it has.
        service: which service was asked.
    """

    method: str
    at: datetime
    request: str = ""
    billed_reads: int = 0
    status: str | None = None
    service: Side = "firestore"


Calls = deque[Call]


def recorder() -> Calls:
    """An empty record, which keeps the latest calls."""
    return deque(maxlen=KEPT)
