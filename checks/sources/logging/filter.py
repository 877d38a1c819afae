"""Builds filters in Cloud Logging's language from typed parts: values are always quoted, no text is taken as syntax.

OR binds tighter than AND there, and NOT tightest: every group stands in parentheses, so that nobody has to know.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

MAX_FILTER: Final = 20_000
"""Characters that Cloud Logging accepts."""

_FIELD: Final = re.compile(r'[A-Za-z_]\w{0,99}(?:\.(?:[A-Za-z_]\w{0,99}|"[\w./-]{1,200}")){0,9}', re.ASCII)
_UNSENT: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Compare:
    """One field against one value.

    Attributes:
        field: a path such as ``resource.labels.service_name`` or ``labels."run.googleapis.com/execution_name"``.
        operator: ``:`` is "contains", whatever the case; ``=~`` takes a regular expression of RE2, case and all.
        value: any text that holds no control characters.
    """

    field: str
    operator: Literal["=", "!=", ":", "=~", "<", "<=", ">", ">="]
    value: str

    def __post_init__(self) -> None:
        if _FIELD.fullmatch(self.field) is None:
            raise ValueError(f"{self.field!r} is no field path: use names, dots, and quotes around a special key")
        if _UNSENT.search(self.value):
            raise ValueError(f"{self.value!r} cannot be searched for: it holds a control character or half a character")

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.field}{self.operator}"{value}"'


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of its parts holds."""

    parts: tuple["FilterPart", ...]

    def __str__(self) -> str:
        return _joined(" OR ", self.parts)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Each of its parts holds."""

    parts: tuple["FilterPart", ...]

    def __str__(self) -> str:
        return _joined(" AND ", self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """Its part does not hold; true also where the field is missing."""

    part: "FilterPart"

    def __str__(self) -> str:
        return f"NOT ({self.part})"


FilterPart = Compare | AnyOf | AllOf | Not


def log_filter(since: datetime, until: datetime, part: FilterPart) -> str:
    """The whole filter, between two moments: without them Cloud Logging searches all that it keeps.

    Raises:
        ValueError: the bounds have no zone or are out of order, or the filter is longer than Cloud Logging accepts.
    """
    if since.tzinfo is None or until.tzinfo is None or since > until:
        raise ValueError(f"since ({since}) and until ({until}) must bear a zone and be in order")
    bounds = (Compare("timestamp", ">=", _stamp(since)), Compare("timestamp", "<=", _stamp(until)))
    text = " AND ".join(str(each) for each in (*bounds, AllOf((part,))))
    if len(text) > MAX_FILTER:
        raise ValueError(f"the filter has {len(text):,} characters and {MAX_FILTER:,} are accepted: ask for less")
    return text


def anywhere(text: str, *fields: str, operator: Literal[":", "=~"] = ":") -> AnyOf:
    """A text, whatever its case, or a regular expression in at least one of these fields."""
    return AnyOf(tuple(Compare(field, operator, text) for field in fields))


def _joined(word: str, parts: tuple[FilterPart, ...]) -> str:
    if not parts:
        raise ValueError("a group without parts says nothing")
    return f"({word.join(str(part) for part in parts)})"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
