"""Puts the lines of a HeartbeatLogger together: each START with its signs of life and its END, if it has one.

Several instances may do the same thing at the same time. A later line says how long its operation has run, so it
belongs to the START that is nearest to that moment; an END whose START lies before the window belongs to none.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from checks.evidence.logs import Operation
from checks.sources.logging.lines import LogLine
from checks.sources.times import Micros, moment
from checks.text.redact import excerpt

_START: Final = re.compile(r"HEARTBEAT START: (?P<name>[^\r\n]{1,500})")
_STILL: Final = re.compile(
    r"HEARTBEAT: (?P<name>[^\r\n]{1,500}) still running(?: \((?P<minutes>\d{1,9}\.\d) min elapsed\))?"
)
_END: Final = re.compile(
    r"HEARTBEAT END(?: \(ERROR\))?: (?P<name>[^\r\n]{1,500}) (?:completed in|failed after) (?P<minutes>\d{1,9}\.\d) min"
)
_MINUTE: Final[Micros] = 60_000_000
_SLACK: Final[Micros] = _MINUTE
"""How far the minutes that a line tells may be off: they are rounded, and clocks differ."""

_NAME: Final = 200
_LOOKED_AT: Final = 2_000
Key = tuple[str, str, str | None]


@dataclass(slots=True)
class _Occurrence:
    started: Micros
    last_sign: Micros
    ended: bool = False


def fold_operations(lines: Iterable[LogLine], since: Micros) -> tuple[Operation, ...]:
    """Every operation that told of its START, oldest first.

    Args:
        lines: in any order.
        since: where the window begins; an END whose START would lie before it closes no other.
    """
    seen: dict[Key, list[_Occurrence]] = {}
    for line in sorted(lines, key=lambda line: line.at):
        text = line.text[:_LOOKED_AT]
        if match := _START.search(text):
            seen.setdefault(_key(match, line), []).append(_Occurrence(line.at, line.at))
        elif match := _END.search(text):
            if own := _own(seen.get(_key(match, line), []), line.at, match["minutes"], since):
                own.ended = True
        elif (match := _STILL.search(text)) and (
            own := _own(seen.get(_key(match, line), []), line.at, match["minutes"], since)
        ):
            own.last_sign = max(own.last_sign, line.at)
    operations = [(key, each) for key, occurrences in seen.items() for each in occurrences]
    return tuple(_evidence(key, each) for key, each in sorted(operations, key=lambda pair: pair[1].started))


def _key(match: re.Match[str], line: LogLine) -> Key:
    return excerpt(match["name"].strip(), _NAME), line.source, line.revision


def _own(occurrences: list[_Occurrence], at: Micros, minutes: str | None, since: Micros) -> _Occurrence | None:
    """The occurrence that a later line is about: the one still open that began nearest to when the line says."""
    still_open = [each for each in occurrences if not each.ended]
    if not still_open:
        return None
    if minutes is None:
        return still_open[-1]
    began = at - int(float(minutes) * _MINUTE)
    nearest = min(still_open, key=lambda each: abs(each.started - began))
    if began < since + _SLACK and abs(nearest.started - began) > _SLACK:
        return None
    return nearest


def _evidence(key: Key, occurrence: _Occurrence) -> Operation:
    name, source, revision = key
    return Operation(
        name=name,
        source=source,
        revision=revision,
        started=moment(occurrence.started),
        last_sign=moment(occurrence.last_sign),
        ended=occurrence.ended,
    )
