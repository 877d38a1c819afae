"""Durations as people write them: ``90s``, ``15m``, ``2h``, ``5d``."""

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer

_PARTS: Final = re.compile(r"(\d{1,9})(s|m|h|d)", re.ASCII)
_UNIT: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def parse_duration(text: object) -> timedelta:
    """Read ``"90s"``, ``"15m"``, ``"2h"``, ``"5d"``, or several in a row: ``"1h 30m"``.

    Raises:
        ValueError: anything else, a number without a unit included.
    """
    if isinstance(text, timedelta):
        return text
    parts = [_PARTS.fullmatch(part) for part in text.split()] if isinstance(text, str) else []
    try:
        total = sum((int(part[1]) * _UNIT[part[2]] for part in parts if part), timedelta())
    except OverflowError:
        raise ValueError(f"{text} is longer than a calendar holds") from None
    if None in parts or not total:
        raise ValueError('a duration is a whole number above 0 and a unit, as in "90s", "15m", "2h" or "5d"')
    return total


def format_duration(duration: timedelta, *, units: int = 2) -> str:
    """Write a duration in its largest units, rounded down: ``5d 3h``, ``2h 10m``, ``45s``."""
    sign = "-" if duration < timedelta() else ""
    rest = abs(duration)
    parts: list[str] = []
    for name in ("d", "h", "m", "s"):
        count, rest = divmod(rest, _UNIT[name])
        if count:
            parts.append(f"{count}{name}")
    return sign + (" ".join(parts[:units]) or "0s")


def _exact(duration: timedelta) -> str:
    return format_duration(duration, units=len(_UNIT))


Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(_exact, return_type=str)]
"""A settings value such as ``"2h"``; a ``timedelta`` inside, and the same short form in reports."""
