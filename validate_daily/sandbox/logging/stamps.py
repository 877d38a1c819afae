"""Times as Cloud Logging keeps them: whole nanoseconds since 1970. Inside the store they are plain integers."""

from datetime import UTC, datetime, timedelta
from typing import Final

from validate_daily.sandbox.logging.messages import Timestamp

SECOND: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)


def from_datetime(moment: datetime) -> int:
    """Nanoseconds since 1970."""
    return (moment - _EPOCH) // _MICRO * 1_000


def from_timestamp(stamp: Timestamp) -> int:
    """Nanoseconds since 1970."""
    return stamp.seconds * SECOND + stamp.nanos


def to_timestamp(nanos: int) -> Timestamp:
    """The protobuf message."""
    return Timestamp(seconds=nanos // SECOND, nanos=nanos % SECOND)
