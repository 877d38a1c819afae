"""Puts the lines of a HeartbeatLogger together: each START with its signs of life and its END, if it has one.

Several instances and tasks may do the same thing at the same time. Lines with an operation id belong to the START with
the same id. An older line says how long its operation has run, so it belongs to the START that is nearest to that
moment, in the same revision, instance and task as far as both lines say, and of the same logger.
A sign whose START lies before the window proves an operation of its own. A sign after an END proves that the END was
another's. The same line in two forms, as two handlers write it, counts once.
"""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from checks.evidence.logs import Operation
from checks.sources.logging.lines import LogLine
from checks.sources.logging.messages.signs import Sign, SignKind, read_sign
from checks.sources.logging.occurrences import Occurrence, Occurrences, same_place
from checks.sources.times import Micros, moment
from checks.text.redact import excerpt

_SAME: Final[Micros] = 1_000_000
"""How far apart two handlers of one program write the same line."""

_ALIKE: Final = 100
"""Lines of the same second that one is compared with at most."""

Key = tuple[str, str]


@dataclass(slots=True)
class _Told:
    """A sign, and what its copies add to it."""

    sign: Sign
    ids: set[str]
    printed: bool


def fold_operations(lines: Iterable[LogLine], since: Micros) -> tuple[Operation, ...]:
    """Every operation that the lines tell of, oldest first.

    Args:
        lines: in any order.
        since: where the window begins; an END whose START would lie before it closes no other.
    """
    signs = _named(sorted(filter(None, map(read_sign, _each_once(lines))), key=lambda each: (each.at, each.kind)))
    seen: dict[Key, Occurrences] = defaultdict(Occurrences)
    for told in _told(signs):
        sign = told.sign
        known = seen[sign.name, sign.line.source]
        if own := known.own(sign, told.ids, since):
            known.tell(own, sign, told.ids, printed=told.printed)
        elif sign.kind is SignKind.START or (sign.kind is SignKind.STILL and sign.began is not None):
            began = sign.at if sign.began is None else sign.began
            known.add(Occurrence(sign.line, sign.logger, began, sign.at, told.ids, told.printed))
    for known in seen.values():
        known.close_twins()
    found = sorted(((key, each) for key, known in seen.items() for each in known), key=lambda pair: pair[1].began)
    return tuple(_evidence(key, each) for key, each in found)


def _each_once(lines: Iterable[LogLine]) -> Iterable[LogLine]:
    """The lines without those that a search gave twice."""
    seen = set[tuple[str, Micros, str]]()
    for line in lines:
        if line.insert_id:
            entry = (line.insert_id, line.at, line.source)
            if entry in seen:
                continue
            seen.add(entry)
        yield line


def _named(signs: Sequence[Sign]) -> list[Sign]:
    """The same, each START under the name that later lines of its service have, where there are any.

    Else it is without the words that the formatter of its program writes behind every line.
    """
    tails: dict[str, set[str]] = defaultdict(set)
    later = {(sign.line.source, sign.name) for sign in signs if sign.kind is not SignKind.START}
    for sign in signs:
        if sign.tail:
            tails[sign.line.source].add(re.sub(r"\d+", r"\\d+", re.escape(sign.tail)))
    patterns = {source: re.compile(f"(?:{'|'.join(sorted(each)[:20])})$") for source, each in tails.items()}

    def name(sign: Sign) -> str:
        if (sign.line.source, sign.written) in later:
            return sign.written
        pattern = patterns.get(sign.line.source)
        return (pattern and pattern.sub("", sign.name).strip()) or sign.name

    return [sign._replace(name=name(sign)) if sign.kind is SignKind.START else sign for sign in signs]


def _told(signs: Iterable[Sign]) -> Iterator[_Told]:
    """The signs, a line that two handlers wrote in two forms counted once."""
    told: list[_Told] = []
    recent: dict[tuple[object, ...], deque[_Told]] = defaultdict(deque)
    for sign in signs:
        ids = {sign.operation_id} if sign.operation_id else set[str]()
        minutes = None if sign.began is None else (sign.at - sign.began) // 1_000_000
        alike = recent[sign.kind, sign.name, sign.line.source, minutes]
        while alike and sign.at - alike[0].sign.at > _SAME:
            alike.popleft()
        if first := next((each for each in islice(alike, _ALIKE) if _is_copy(each, sign)), None):
            first.ids |= ids
            first.printed |= not ids
            alike.remove(first)
            continue
        told.append(_Told(sign, ids, printed=not ids))
        alike.append(told[-1])
    yield from told


def _is_copy(first: _Told, sign: Sign) -> bool:
    one, other = first.sign.line, sign.line
    return (
        (one.log, one.severity, one.form) != (other.log, other.severity, other.form)
        and same_place(one, other)
        and not (first.ids and sign.operation_id and sign.operation_id not in first.ids)
    )


def _evidence(key: Key, occurrence: Occurrence) -> Operation:
    name, source = key
    return Operation(
        name=name,
        source=source,
        revision=occurrence.line.revision,
        started=moment(occurrence.began),
        last_sign=moment(occurrence.last_sign),
        ended=occurrence.ended is not None,
        task=occurrence.line.task,
        attempt=occurrence.line.attempt,
        operation_id=excerpt(min(occurrence.ids)) if occurrence.ids else None,
    )
