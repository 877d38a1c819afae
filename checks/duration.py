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
    """Read ``"90s"``, ``"15m"``, ``"2h"`` or ``"5d"``.

    Raises:
        ValueError: anything else, a number without a unit included.
    """
    if isinstance(text, timedelta):
        return text
    match = _PARTS.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[1].strip("0") == "":
        raise ValueError('a duration is a whole number above 0 and a unit, as in "90s", "15m", "2h" or "5d"')
    try:
        return int(match[1]) * _UNIT[match[2]]
    except OverflowError:
        raise ValueError(f"{match[0]} is longer than a calendar holds") from None


def format_duration(duration: timedelta) -> str:
    """Write a duration in its two largest units, rounded down: ``5d 3h``, ``2h 10m``, ``45s``."""
    sign = "-" if duration < timedelta() else ""
    rest = abs(duration)
    parts: list[str] = []
    for name in ("d", "h", "m", "s"):
        count, rest = divmod(rest, _UNIT[name])
        if count:
            parts.append(f"{count}{name}")
    return sign + (" ".join(parts[:2]) or "0s")


Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str)]
"""A settings value such as ``"2h"``; a ``timedelta`` inside, and the same short form in reports."""
