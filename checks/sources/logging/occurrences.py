"""The runs of one operation, by when they began: which of them a line is about."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from checks.sources.logging.lines import LogLine
from checks.sources.logging.messages.signs import MINUTE, Sign, SignKind
from checks.sources.times import Micros

SLACK: Final[Micros] = MINUTE
"""How far the minutes that a line tells may be off: they are rounded, and clocks differ."""

_TWIN: Final[Micros] = 10_000
"""Two handlers of the same form: STARTs that are no further apart are one, if only one of them goes on."""

_LOOKED_AT: Final = 100
"""Runs that are compared with one line at most, on each side of when it says that its own began."""

_LIBRARY: Final = "heartbeat"


@dataclass(slots=True, eq=False)
class Occurrence:
    """One run of an operation.

    Attributes:
        line: its first line, which says where it runs.
        logger: who wrote that.
        began: when it told of its START, or as its signs count back.
        last_sign: when it last said that it runs.
        ids: what the library calls it.
        printed: lines without an id tell of it.
        ended: when it told of its END.
    """

    line: LogLine
    logger: str | None
    began: Micros
    last_sign: Micros
    ids: set[str] = field(default_factory=set[str])
    printed: bool = True
    ended: Micros | None = None


class Occurrences:
    """All runs of one operation of one service or job."""

    def __init__(self) -> None:
        self._open: list[Occurrence] = []
        self._over: list[Occurrence] = []
        self._by_id: dict[str, Occurrence] = {}

    def __iter__(self) -> Iterator[Occurrence]:
        yield from self._open
        yield from self._over

    def add(self, one: Occurrence) -> None:
        """A run began."""
        insort(self._open, one, key=_began)
        self._by_id |= dict.fromkeys(one.ids, one)

    def tell(self, one: Occurrence, sign: Sign, ids: set[str], *, printed: bool) -> None:
        """A run gave a sign, or came to its END."""
        one.ids |= ids
        one.printed |= printed
        self._by_id |= dict.fromkeys(ids, one)
        if sign.kind is SignKind.STILL:
            one.last_sign = max(one.last_sign, sign.at)
            if one.ended is not None:
                self._move(one, self._over, self._open)
                one.ended = None
        elif sign.kind is SignKind.END:
            if one.ended is None:
                self._move(one, self._open, self._over)
            one.ended = sign.at

    def own(self, sign: Sign, ids: set[str], since: Micros) -> Occurrence | None:
        """The run that a line is about: with its id, else the one that began nearest to when the line says.

        Args:
            sign: what the line says.
            ids: of the run, as the line and its copies have them.
            since: where the window begins; an END whose START would lie before it closes no other.
        """
        if known := next((self._by_id[each] for each in ids if each in self._by_id), None):
            return known
        if sign.kind is SignKind.START:
            return None
        if sign.began is None:
            last = (each for each in reversed(self._open[-_LOOKED_AT:]) if _may_tell(each, sign, ids))
            return next(last, None)
        began = sign.began
        nearest = _nearest(self._open, sign, ids, began)
        if nearest and abs(nearest.began - began) <= SLACK:
            return nearest
        over = _nearest(self._over, sign, ids, began)
        if over and abs(over.began - began) <= SLACK:
            return over if sign.kind is SignKind.STILL or not nearest else None
        return None if began < since + SLACK or ids else nearest

    def close_twins(self) -> None:
        """A START that was told twice in the same form ended with its twin, where it gave no sign of its own since."""
        for each in [one for one in self._open if not one.ids]:
            place = bisect_left(self._over, each.began - _TWIN, key=_began)
            near = self._over[place : place + _LOOKED_AT]
            if twin := next((one for one in near if _is_twin(one, each)), None):
                self._move(each, self._open, self._over)
                each.ended = twin.ended

    def _move(self, one: Occurrence, here: list[Occurrence], there: list[Occurrence]) -> None:
        place = bisect_left(here, one.began, key=_began)
        while here[place] is not one:
            place += 1
        del here[place]
        insort(there, one, key=_began)


def same_place(one: LogLine, other: LogLine) -> bool:
    """Whether two lines may come from the same process: they differ in nothing that both say."""
    return (
        (one.revision == other.revision or one.revision is None or other.revision is None)
        and (one.instance == other.instance or one.instance is None or other.instance is None)
        and (one.task == other.task or one.task is None or other.task is None)
        and (one.attempt == other.attempt or one.attempt is None or other.attempt is None)
    )


def _began(one: Occurrence) -> Micros:
    return one.began


def _nearest(known: list[Occurrence], sign: Sign, ids: set[str], began: Micros) -> Occurrence | None:
    place = bisect_left(known, began, key=_began)
    before = (each for each in reversed(known[max(0, place - _LOOKED_AT) : place]) if _may_tell(each, sign, ids))
    after = (each for each in known[place : place + _LOOKED_AT] if _may_tell(each, sign, ids))
    two = (next(before, None), next(after, None))
    return min(filter(None, two), key=lambda each: abs(each.began - began), default=None)


def _may_tell(one: Occurrence, sign: Sign, ids: set[str]) -> bool:
    """Whether a line may be about a run: neither has an id that the other lacks, and place and logger agree."""
    if one.ids if ids else not one.printed:
        return False
    return same_place(one.line, sign.line) and _same_logger(one.logger, sign.logger)


def _same_logger(started: str | None, other: str | None) -> bool:
    """Whether the logger of a START may have written the other line too; a line without a logger is anybody's."""
    return other is None or other == started or other.startswith(_LIBRARY)


def _is_twin(over: Occurrence, other: Occurrence) -> bool:
    near = abs(over.began - other.began) <= _TWIN and over.ended is not None and other.last_sign <= over.ended
    return near and same_place(over.line, other.line)
