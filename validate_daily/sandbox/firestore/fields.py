"""Field paths: ``status``, ``details.attempt``, and what stands between backticks."""

import re
from collections.abc import Iterable, MutableMapping
from typing import Final

from validate_daily.sandbox.errors import invalid
from validate_daily.sandbox.firestore.messages import Document, MapValue, Value

Path = tuple[str, ...]

NAME: Final[Path] = ("__name__",)
"""The document's own name, which queries treat as a field."""

_PLAIN: Final = r"[a-zA-Z_][a-zA-Z_0-9]*"
_QUOTED: Final = r"`(?:[^`\\]|(?:\\.))+`"
_SEGMENT: Final = re.compile(rf"({_PLAIN}|{_QUOTED})(\.|$)", re.DOTALL)


def parse(text: str) -> Path:
    """Read a field path."""
    segments: list[str] = []
    position, more = 0, True
    while more:
        match = _SEGMENT.match(text, position)
        if match is None:
            invalid(
                f'Invalid property path "{text}". Unquoted property paths must match regex ({_PLAIN}), '
                f"and quoted property paths must match regex ({_QUOTED})"
            )
        segment = match[1]
        segments.append(re.sub(r"\\(.)", r"\1", segment[1:-1]) if segment.startswith("`") else segment)
        position, more = match.end(), match[2] == "."
    return tuple(segments)


def find(fields: MutableMapping[str, Value], path: Path) -> Value | None:
    """The value at a path, or None."""
    for depth, segment in enumerate(path):
        if segment not in fields:
            return None
        value = fields[segment]
        if depth == len(path) - 1:
            return value
        if value.WhichOneof("value_type") != "map_value":
            return None
        fields = value.map_value.fields
    return None


def put(fields: MutableMapping[str, Value], path: Path, value: Value | None) -> None:
    """Set the value at a path, or remove it; maps on the way come into being when there is something to set."""
    *way, last = path
    for segment in way:
        if segment not in fields or fields[segment].WhichOneof("value_type") != "map_value":
            if value is None:
                return
            fields[segment].CopyFrom(Value(map_value=MapValue()))
        fields = fields[segment].map_value.fields
    if value is None:
        fields.pop(last, None)
    else:
        fields[last].CopyFrom(value)


def project(document: Document, paths: Iterable[Path]) -> Document:
    """A copy with the fields of a mask only, and the times."""
    chosen = Document(name=document.name)
    chosen.create_time.CopyFrom(document.create_time)
    chosen.update_time.CopyFrom(document.update_time)
    for path in paths:
        if (value := find(document.fields, path)) is not None:
            put(chosen.fields, path, value)
    return chosen
