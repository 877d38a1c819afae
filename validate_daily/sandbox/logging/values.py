"""How one value of an entry compares with what a filter says. A value that cannot be compared matches nothing."""

import operator
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.logging import stamps
from validate_daily.sandbox.logging.messages import SEVERITIES
from validate_daily.sandbox.logging.regex import compile_re2

Scalar = str | float | bool | None
"""A text, a number, a truth value, or the null of JSON."""

Test = Callable[[Scalar], bool]

_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|NaN|-?Infinity", re.ASCII)
_RFC3339: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Literal:
    """The right side of a comparison."""

    text: str
    quoted: bool

    @property
    def null(self) -> bool:
        """Whether it stands for the null of JSON."""
        return self.text == "NULL_VALUE" and not self.quoted


def test(name: str, literal: Literal) -> Test:
    """The test of an operator for any value: the value's type decides how the literal is read."""
    if name in {"=~", "!~"}:
        return _matches(name, literal)
    text, number, truth = _fold(literal.text), _number(literal.text), _truth(literal.text)

    def holds(value: Scalar) -> bool:
        match value:
            case bool():
                return truth is not None and name in {":", "=", "!="} and _compare(name, value, truth)
            case str():
                return not literal.null and (
                    text in _fold(value) if name == ":" else _compare(name, _fold(value), text)
                )
            case None:
                return literal.null and name in {":", "="}
            case _:
                return number is not None and _compare(name, value, number)

    if literal.null and name == "!=":
        return lambda value: value is not None
    return holds


def severity(name: str, literal: Literal) -> Test:
    """The test of a severity, which are in order."""
    if name not in _ORDER:
        unimplemented(f"the operator {name} for severity")
    level = SEVERITIES.get(literal.text.upper())
    if level is None:
        invalid(f"Unparseable filter: {literal.text[:40]!r} is no severity")
    return lambda value: _compare(name, value, level)


def moment(name: str, literal: Literal) -> Test:
    """The test of a time, to the nanosecond."""
    if name not in _ORDER:
        unimplemented(f"the operator {name} for times")
    at = nanoseconds(literal.text)
    return lambda value: _compare(name, value, at)


def nanoseconds(text: str) -> int:
    """The nanoseconds since 1970 of a time as RFC 3339 has it."""
    match = _RFC3339.fullmatch(text)
    whole = None
    with suppress(ValueError, OverflowError):
        whole = match and stamps.from_datetime(datetime.fromisoformat(f"{match[1]}T{match[2]}{match[4].upper()}"))
    if match is None or whole is None:
        invalid(f"Unparseable filter: {text[:40]!r} is no time of RFC 3339, such as 2026-02-01T12:00:00Z")
    return whole + int((match[3] or "").ljust(9, "0"))


def _matches(name: str, literal: Literal) -> Test:
    if not literal.quoted:
        invalid(f"Unparseable filter: the regular expression {literal.text[:40]!r} needs double quotes")
    pattern = compile_re2(literal.text)
    wanted = name == "=~"
    return lambda value: isinstance(value, str) and (pattern.search(value) is not None) == wanted


def _compare(name: str, value: object, other: object) -> bool:
    return _ORDER["=" if name == ":" else name](value, other)


def _fold(text: str) -> str:
    return text.casefold()


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())
