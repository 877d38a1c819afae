"""What the YAML files of the practice cloud have in common: exact keys, frozen, and durations such as ``2h30m``."""

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict

_DURATION: Final = re.compile(
    r"(?P<sign>-)?(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s)?"
)


class Strict(BaseModel):
    """A part of a file: immutable, and exact about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def duration(text: object) -> timedelta:
    """Read ``5d``, ``2h30m``, ``0s`` or ``-3h``.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None or match.lastgroup in {None, "sign"}:
        raise ValueError(f"{text!r} is no duration: write it as 5d, 2h30m, 15m or 40s")
    parts = {unit: int(count) for unit, count in match.groupdict().items() if unit != "sign" and count}
    length = timedelta(**parts)
    return -length if match["sign"] else length


Duration = Annotated[timedelta, BeforeValidator(duration)]
