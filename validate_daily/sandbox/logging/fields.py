"""The fields of a log entry that a filter can name, and the values that they have in one entry."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.logging import stamps
from validate_daily.sandbox.logging.messages import Descriptor, FieldDescriptor, LogEntry, Message, Struct, Value
from validate_daily.sandbox.logging.values import Scalar

_STRUCT: Final = "google.protobuf.Struct"
_TIME: Final = "google.protobuf.Timestamp"
_DURATION: Final = "google.protobuf.Duration"
_UNSUPPORTED: Final = frozenset({"google.protobuf.Any", _DURATION})
_BARE: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Shape(Enum):
    """What a field holds."""

    VALUE = auto()
    SEVERITY = auto()
    TIME = auto()
    PAYLOAD = auto()
    LABEL = auto()
    MESSAGE = auto()


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of a field's path, quoted in the filter or not."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A field. ``steps`` lead to it through the messages, ``keys`` from there through labels or a JSON payload."""

    name: str
    shape: Shape
    steps: tuple[FieldDescriptor, ...]
    keys: tuple[str, ...] = ()

    def values(self, entry: LogEntry, *, deep: bool = False) -> Iterator[Scalar]:
        """Its values in an entry: none where it is missing, several in an array; ``deep`` looks into objects."""
        held: Any = entry
        for step in self.steps:
            held = getattr(held, step.name)
        match self.shape:
            case Shape.PAYLOAD:
                for value in _under(held, self.keys):
                    yield from _leaves(value) if deep else _leaf(value)
            case Shape.LABEL:
                if self.keys[0] in held:
                    yield held[self.keys[0]]
            case Shape.TIME:
                yield stamps.from_timestamp(held)
            case _:
                yield held

    def present(self, entry: LogEntry) -> bool:
        """Whether an entry says anything about it."""
        parent: Any = entry
        for step in self.steps[:-1]:
            parent = getattr(parent, step.name)
        last = self.steps[-1]
        if self.shape is Shape.LABEL:
            return self.keys[0] in getattr(parent, last.name)
        if self.shape is Shape.PAYLOAD and self.keys:
            return any(True for _ in _under(getattr(parent, last.name), self.keys))
        return bool(parent.HasField(last.name) if last.has_presence else getattr(parent, last.name))


def resolve(path: Sequence[Segment]) -> Field:
    """The field of a path; one that no entry can have is refused."""
    name = ".".join(segment.text for segment in path)
    steps: list[FieldDescriptor] = []
    within: Descriptor | None = LogEntry.DESCRIPTOR
    for segment in path:
        if not (segment.quoted or _BARE.fullmatch(segment.text)):
            invalid(f"Unparseable filter: the field {name!r} needs quotes around {segment.text!r}")
    for place, segment in enumerate(path):
        found = None if within is None else _find(within, segment.text)
        if found is None:
            invalid(f"Field not found: {name!r}")
        steps.append(found)
        within = found.message_type
        shape = _shape(found, name)
        if shape is Shape.PAYLOAD or (shape is Shape.MESSAGE and _is_map(found)):
            return _keyed(name, tuple(steps), path[place + 1 :])
        if shape is not Shape.MESSAGE:
            within = None
    return Field(name, _shape(steps[-1], name), tuple(steps))


def texts(message: Message) -> Iterator[str]:
    """Everything in an entry that a search term can be found in."""
    for field, value in message.ListFields():
        if _is_map(field):
            yield from value.values()
        elif isinstance(value, Struct):
            yield from map(_spelled, _in_object(value))
        elif field.message_type is not None:
            if field.message_type.full_name not in {_TIME, _DURATION}:
                yield from texts(value)
        elif field.enum_type is not None:
            yield field.enum_type.values_by_number[value].name
        else:
            yield _spelled(value)


def _find(within: Descriptor, name: str) -> FieldDescriptor | None:
    wanted = name.lower()
    return next((field for field in within.fields if wanted in {field.name, field.json_name.lower()}), None)


def _shape(field: FieldDescriptor, name: str) -> Shape:
    if field.enum_type is not None:
        return Shape.SEVERITY
    if field.message_type is None:
        return Shape.VALUE
    kind = field.message_type.full_name
    if kind in _UNSUPPORTED:
        unimplemented(f"{name} in filters")
    return {_STRUCT: Shape.PAYLOAD, _TIME: Shape.TIME}.get(kind, Shape.MESSAGE)


def _keyed(name: str, steps: tuple[FieldDescriptor, ...], rest: Sequence[Segment]) -> Field:
    keys = tuple(segment.text for segment in rest)
    if not _is_map(steps[-1]):
        return Field(name, Shape.PAYLOAD, steps, keys)
    if len(keys) > 1:
        invalid(f"Field not found: {name!r}; a label's key that has dots needs quotes")
    return Field(name, Shape.LABEL if keys else Shape.MESSAGE, steps, keys)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _under(held: Struct, keys: Sequence[str]) -> Iterator[Value]:
    if not keys:
        yield from held.fields.values()
    elif keys[0] in held.fields:
        yield from _inside(held.fields[keys[0]], keys[1:])


def _inside(value: Value, keys: Sequence[str]) -> Iterator[Value]:
    match value.WhichOneof("kind"):
        case "list_value":
            for item in value.list_value.values:
                yield from _inside(item, keys)
        case "struct_value" if keys:
            yield from _under(value.struct_value, keys)
        case _ if not keys:
            yield value
        case _:
            pass


def _leaf(value: Value) -> Iterator[Scalar]:
    match value.WhichOneof("kind"):
        case "string_value":
            yield value.string_value
        case "number_value":
            yield value.number_value
        case "bool_value":
            yield value.bool_value
        case "null_value":
            yield None
        case _:
            pass


def _leaves(value: Value) -> Iterator[Scalar]:
    for inner in _inside(value, ()):
        if inner.WhichOneof("kind") == "struct_value":
            yield from _in_object(inner.struct_value)
        else:
            yield from _leaf(inner)


def _in_object(held: Struct) -> Iterator[Scalar]:
    for value in held.fields.values():
        yield from _leaves(value)


def _spelled(value: Scalar) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
