"""Firestore's times as whole numbers, exact to what it says: a version that is rounded is no version."""

from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

Nanos = int
"""A moment, in nanoseconds since 1970 UTC."""

_SECOND: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def nanos(stamp: Timestamp) -> Nanos:
    """A protobuf time as a number."""
    return stamp.seconds * _SECOND + stamp.nanos


def nanos_of(moment: datetime) -> Nanos:
    """A time of people and settings as a number."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


def timestamp(moment: Nanos | datetime) -> Timestamp:
    """A moment as Firestore takes it."""
    if isinstance(moment, datetime):
        moment = nanos_of(moment)
    return Timestamp(seconds=moment // _SECOND, nanos=moment % _SECOND)


def moment(stamp: Timestamp | Nanos) -> datetime:
    """A time for people and settings, in whole microseconds."""
    value = stamp if isinstance(stamp, int) else nanos(stamp)
    return _EPOCH + timedelta(microseconds=value // 1_000)
