"""The clock of this machine, which plans of services and the lines of the audit go by."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Tells the time."""


def machine_time() -> datetime:
    """The time by the clock of this machine."""
    return datetime.now(UTC)
