"""Times as Firestore keeps them: whole microseconds. Inside the store they are plain integers."""

from datetime import UTC, datetime, timedelta
from typing import Final

from validate_daily.sandbox.errors import invalid
from validate_daily.sandbox.firestore.messages import Timestamp

SECOND: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)


def from_datetime(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _MICRO


def from_timestamp(stamp: Timestamp) -> int:
    """Microseconds since 1970; anything finer is cut off."""
    return stamp.seconds * SECOND + stamp.nanos // 1_000


def exactly(stamp: Timestamp) -> int:
    """Microseconds of a time that a client asks for; anything finer is refused."""
    if stamp.nanos % 1_000:
        invalid("timestamp cannot have more than microseconds precision")
    return from_timestamp(stamp)


def to_timestamp(micros: int) -> Timestamp:
    """The protobuf message."""
    return Timestamp(seconds=micros // SECOND, nanos=micros % SECOND * 1_000)
