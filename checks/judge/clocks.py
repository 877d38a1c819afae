"""Two clocks: what a heartbeat says of its own time, and when Firestore stored it.

A processor stores its heartbeat when it beats, so the two differ by seconds. A document that was stored just now with a
heartbeat that is hours away from that shows a writer with a wrong clock or time zone, and no silence.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from checks.evidence.snapshot import Census, Heartbeat

FURTHEST: Final = timedelta(hours=14)
"""No time zone is further from UTC than this."""

NEAREST: Final = timedelta(minutes=15)
"""A smaller difference may come from a slow write, and no time zone is nearer to UTC."""

JUST_NOW: Final = timedelta(minutes=15)
"""So lately a document must have been stored, where its offset is that of no time zone."""

_SLACK: Final = timedelta(seconds=90)
"""Firestore stores a heartbeat after the writer took its time: with retries, a minute later."""

_ONE_WRITE: Final = timedelta(seconds=1)
_HALVES: Final = (
    "-9:30",
    "-3:30",
    "-2:30",
    "3:30",
    "4:30",
    "5:30",
    "5:45",
    "6:30",
    "8:45",
    "9:30",
    "10:30",
    "12:45",
    "13:45",
)


def _offset(text: str) -> timedelta:
    hours, minutes = text.removeprefix("-").split(":")
    size = timedelta(hours=int(hours), minutes=int(minutes))
    return -size if text.startswith("-") else size


_ZONES: Final = (*(timedelta(hours=each) for each in range(-12, 15) if each), *(_offset(each) for each in _HALVES))


def stored_together(census: Census) -> frozenset[datetime]:
    """The moments at which Firestore stored more than one of the documents with the newest heartbeats.

    Processors do not write in one commit: a restore, a script or a test does, and that says nothing of any clock.
    """
    newest = [family.newest.updated_at for family in census.families if family.newest]
    several = {each.written for each in census.families if each.written and each.written_at_once > 1}
    return frozenset({moment for moment, count in Counter(newest).items() if count > 1} | several)


def clock_offset(
    newest: Heartbeat,
    *,
    timezone: str,
    taken_at: datetime,
    limits: tuple[timedelta, timedelta],
    together: bool,
) -> timedelta | None:
    """How far a writer's clock is off, below zero for behind; None where the document does not prove it.

    A heartbeat ahead of the moment at which it was stored proves it always. One behind proves it only where the
    document was stored lately. The offset of the pipeline's own time zone then is proof enough. Any other is proof only
    of a document that was stored alone and not for the first time, and whose heartbeat is not that of its run's start;
    it never excuses a heartbeat that counts as down, nor, without a time zone that it fits, one that counts as fresh.

    Args:
        newest: the processor's newest heartbeat.
        timezone: the pipeline's, by its IANA name.
        taken_at: now, by Firestore's clock.
        limits: from when on the processor is late, and down.
        together: other documents were stored at the same moment.
    """
    offset = offset_of(newest)
    if offset is None or abs(offset) < NEAREST:
        return None
    if offset > timedelta():
        return offset
    (late_after, down_after), stored, age = limits, taken_at - newest.updated_at, taken_at - _beat(newest)
    if -offset > FURTHEST or stored > late_after:
        return None
    if _is_own(offset, timezone, newest.updated_at):
        return offset
    if age > down_after or together or _stands_still(newest):
        return None
    return offset if _zone(offset) is not None or (age > late_after and stored <= JUST_NOW) else None


def offset_of(heartbeat: Heartbeat) -> timedelta | None:
    """From the moment at which a heartbeat was stored to the time that it says; below zero where it is behind."""
    return None if heartbeat.last_heartbeat is None else heartbeat.last_heartbeat - heartbeat.updated_at


def _beat(newest: Heartbeat) -> datetime:
    return newest.last_heartbeat or newest.updated_at


def _stands_still(newest: Heartbeat) -> bool:
    """Whether it was stored once, or bears the time of its run's start, and is stored again for other reasons."""
    if newest.updated_at - newest.created_at < _ONE_WRITE:
        return True
    return newest.started_at is not None and abs(_beat(newest) - newest.started_at) <= _SLACK


def explanation(offset: timedelta | None, timezone: str, at: datetime) -> str | None:
    """What an offset looks like, where it is that of a time zone.

    Args:
        offset: how far the writer's clock is ahead of Firestore's; None where nobody can tell.
        timezone: the pipeline's, by its IANA name.
        at: when the heartbeat was stored.
    """
    if offset is None:
        return None
    own = _own(timezone, at)
    if own and abs(offset - own) <= _SLACK:
        return f"looks like local time of {timezone} written as UTC"
    if own and abs(offset + own) <= _SLACK:
        return f"looks like UTC taken for local time of {timezone}"
    zone = _zone(offset)
    if zone is None:
        return None
    hours, minutes = divmod(abs(zone) // timedelta(minutes=1), 60)
    return f"looks like local time at UTC{'-' if zone < timedelta() else '+'}{hours:02}:{minutes:02} written as UTC"


def _own(timezone: str, at: datetime) -> timedelta:
    return ZoneInfo(timezone).utcoffset(at.astimezone(ZoneInfo(timezone))) or timedelta()


def _is_own(offset: timedelta, timezone: str, at: datetime) -> bool:
    own = _own(timezone, at)
    return bool(own) and min(abs(offset - own), abs(offset + own)) <= _SLACK


def _zone(offset: timedelta) -> timedelta | None:
    return next((each for each in _ZONES if abs(offset - each) <= _SLACK), None)
