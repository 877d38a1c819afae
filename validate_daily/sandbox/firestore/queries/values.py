"""How Firestore orders values: across types, and within one."""

import math
from collections.abc import Callable
from typing import Final

from validate_daily.sandbox.errors import invalid
from validate_daily.sandbox.firestore.messages import Value

Key = tuple[int, tuple[object, ...]]
"""The type's rank and what sorts a value within it. Compare keys only with keys."""

NUMBER: Final = 2
VECTOR: Final = 9
_VECTOR_MARK: Final = "__vector__"


def key(value: Value) -> Key:
    """What sorts this value among values of all types."""
    kind = value.WhichOneof("value_type")
    if kind is None:
        invalid("Cannot convert firestore.v1.Value with type unset.")
    if kind == "map_value" and is_vector(value):
        elements = value.map_value.fields["value"].array_value.values
        return VECTOR, (len(elements), *(key(element) for element in elements))
    rank, within = _ORDER[kind]
    return rank, within(value)


def is_vector(value: Value) -> bool:
    """Whether a map is Firestore's spelling of a vector."""
    fields = value.map_value.fields
    return "__type__" in fields and fields["__type__"].string_value == _VECTOR_MARK


def is_nan(value: Value) -> bool:
    """Whether this is the number that equals nothing."""
    return value.WhichOneof("value_type") == "double_value" and math.isnan(value.double_value)


def _double(value: Value) -> tuple[object, ...]:
    return (0, 0) if math.isnan(value.double_value) else (1, value.double_value)


def _map(value: Value) -> tuple[object, ...]:
    return tuple((name, key(value.map_value.fields[name])) for name in sorted(value.map_value.fields))


_ORDER: Final[dict[str, tuple[int, Callable[[Value], tuple[object, ...]]]]] = {
    "null_value": (0, lambda _: ()),
    "boolean_value": (1, lambda value: (value.boolean_value,)),
    "integer_value": (NUMBER, lambda value: (1, value.integer_value)),
    "double_value": (NUMBER, _double),
    "timestamp_value": (3, lambda value: (value.timestamp_value.seconds, value.timestamp_value.nanos)),
    "string_value": (4, lambda value: (value.string_value,)),
    "bytes_value": (5, lambda value: (value.bytes_value,)),
    "reference_value": (6, lambda value: tuple(value.reference_value.split("/"))),
    "geo_point_value": (7, lambda value: (value.geo_point_value.latitude, value.geo_point_value.longitude)),
    "array_value": (8, lambda value: tuple(key(element) for element in value.array_value.values)),
    "map_value": (10, _map),
}
