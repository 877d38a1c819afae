"""Moments in microseconds, as Google's services tell them, and as datetimes."""

from datetime import UTC, datetime, timedelta
from typing import Final

Micros = int
"""A moment, in microseconds since 1970 UTC: Firestore's own precision, and cheap to compare."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(micros: Micros) -> datetime:
    """The same moment as a timezone-aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=micros)


def micros(when: datetime) -> Micros:
    """The opposite: microseconds since 1970."""
    return (when - _EPOCH) // timedelta(microseconds=1)
