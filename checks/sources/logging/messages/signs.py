"""Reads a line of a HeartbeatLogger: which operation it is about, and whether that started, still runs, or ended.

The words count only at the beginning of a message (``heads``). What a formatter writes behind them is taken off the
name: a place in the code, a thread, a logger, pairs of keys that formatters use.
"""

import re
from enum import IntEnum
from typing import Final, NamedTuple

from checks.sources.logging.lines import LogLine
from checks.sources.logging.messages.heads import first_line, head_before, plain
from checks.sources.times import Micros
from checks.text.redact import excerpt

MINUTE: Final[Micros] = 60_000_000
_WORD: Final = "HEARTBEAT"
_START: Final = re.compile(r"HEARTBEAT START: (?P<name>\S.{0,499})")
_STILL: Final = re.compile(
    r"HEARTBEAT: (?P<name>\S.{0,499}) still running(?: \((?P<minutes>\d{1,9}\.\d) min elapsed\))?(?P<tail>.{0,200})"
)
_END: Final = re.compile(
    r"HEARTBEAT END(?: \(ERROR\))?: (?P<name>\S.{0,499}) (?:completed in|failed after) "
    r"(?P<minutes>\d{1,9}\.\d) min(?P<tail>.{0,200})"
)
_LOOKED_AT: Final = 2_000
_TRIED: Final = 3
_LONGEST: Final = 5_256_000.0
"""Minutes: ten years, for as long as which logs can be kept at most."""

_NAME: Final = 200
_PLACE: Final = (
    r"[\w./\\<>$-]{1,120}\.(?:py|java|kt|go|js|ts|rb|scala|cc|cpp|rs)[:, ]{1,2}(?:line )?\d{1,6}(?::[\w<>]{1,60})?"
)
_THREAD: Final = (
    r"(?:[Mm]ain)?[Tt]hread(?:[-_#][\w-]{1,40})?(?: \(\w{1,60}\))?|MainProcess|main|heartbeat[.\w-]{0,40}"
    r"|[\w-]{0,30}(?:exec|pool)-\d[\w-]{0,20}"
)
_PAIR: Final = (
    r"(?:time|ts|timestamp|level|severity|logger|logger_name|thread|thread_name|threadName|process|processName|pid|"
    r"module|func|func_name|function|lineno|line|file|filename|pathname|caller|taskName|task|trace|trace_id|span|span_id|"
    r"operation|operation_id|service|version|env)=(?:'[^']{0,120}'|\"[^\"]{0,120}\"|\S{1,120})"
)
_BEHIND: Final = re.compile(
    rf"(?:\s+(?:[-|@~]\s+|(?:at|in)\s+)?"
    rf"(?:[\[({{<]\s*(?:{_PLACE}|{_THREAD})\s*[\])}}>]|{_PLACE}|{_PAIR}|\{{.{{0,400}}\}})\s*)+$"
)


class SignKind(IntEnum):
    """What a line says of its operation. In this order where two have the same time: a START comes first."""

    START = 0
    STILL = 1
    END = 2


class Sign(NamedTuple):
    """One sign of life.

    Attributes:
        name: the operation, redacted and bounded.
        written: the same with what a formatter may have written behind it; of a START, nobody knows where it ends.
        began: when the operation began, as the line tells by its minutes; None where it tells none.
        tail: what a formatter wrote behind the words.
        logger: who wrote it, where a field or the formatter tells it.
        operation_id: the same in all lines of one operation; old lines have none.
        line: where it stands.
    """

    kind: SignKind
    name: str
    written: str
    began: Micros | None
    tail: str
    logger: str | None
    operation_id: str | None
    line: LogLine

    @property
    def at(self) -> Micros:
        """When it was given."""
        return self.line.at


def read_sign(line: LogLine) -> Sign | None:
    """The sign that a line gives; None where it gives none."""
    if _WORD not in line.text or not line.begins:
        return None
    text = plain(first_line(line.text[:_LOOKED_AT]))
    place = -1
    for _ in range(_TRIED):
        place = text.find(_WORD, place + 1)
        if place < 0:
            return None
        if found := _match(text, place):
            break
    else:
        return None
    kind, match = found
    head = head_before(text, place)
    if head is None:
        return None
    minutes = match.groupdict().get("minutes")
    known = minutes is not None and float(minutes) <= _LONGEST
    whole = match["name"].strip()
    short = _clean(whole) if kind is SignKind.START else whole
    name = excerpt(short, _NAME)
    return Sign(
        kind=kind,
        name=name,
        written=name if short == whole else excerpt(whole, _NAME),
        began=line.at - int(float(minutes) * MINUTE) if known and minutes else None,
        tail=(match.groupdict().get("tail") or "").rstrip(),
        logger=line.logger or head.logger,
        operation_id=line.facts.operation_id,
        line=line,
    )


def _match(text: str, place: int) -> tuple[SignKind, re.Match[str]] | None:
    for kind, pattern in ((SignKind.START, _START), (SignKind.STILL, _STILL), (SignKind.END, _END)):
        if match := pattern.match(text, place):
            return kind, match
    return None


def _clean(name: str) -> str:
    """A name without what a formatter wrote behind it."""
    return (_BEHIND.sub("", name) or name).strip()
