"""What Firestore refuses to store, and what it rounds before it stores it."""

import re
from collections.abc import MutableMapping
from typing import Final

from validate_daily.sandbox.errors import invalid
from validate_daily.sandbox.firestore.messages import Document, Value
from validate_daily.sandbox.firestore.queries.values import is_vector

MAX_DOCUMENT_BYTES: Final = 1_048_576
_MAX_VALUE_BYTES: Final = 1_048_487
_MAX_DEPTH: Final = 20
_RESERVED: Final = re.compile(r"__.*__", re.DOTALL)
_FIXED: Final = {"null_value": 1, "boolean_value": 1, "integer_value": 8, "double_value": 8, "timestamp_value": 8}
_GEO_POINT_BYTES: Final = 16
_NAME_OVERHEAD: Final = 16
_DOCUMENT_OVERHEAD: Final = 32


def settle(document: Document) -> None:
    """Check a document that is about to be stored, and cut its times to microseconds."""
    size = _DOCUMENT_OVERHEAD + _NAME_OVERHEAD
    size += sum(len(part.encode()) + 1 for part in document.name.split("/")[5:])
    size += _fields(document.fields, "", depth=0)
    if size > MAX_DOCUMENT_BYTES:
        invalid(
            f"Document '{document.name}' cannot be written because its size ({size:,} bytes) exceeds "
            f"the maximum allowed size of {MAX_DOCUMENT_BYTES:,} bytes."
        )


def _fields(fields: MutableMapping[str, Value], where: str, depth: int) -> int:
    size = 0
    for name, value in fields.items():
        if not name:
            invalid("The property.name is the empty string.")
        if _RESERVED.fullmatch(name):
            invalid(f"field name {name} is reserved")
        size += len(name.encode()) + 1 + _value(value, where or name, depth)
    return size


def _value(value: Value, where: str, depth: int) -> int:
    kind = value.WhichOneof("value_type")
    match kind:
        case "timestamp_value":
            value.timestamp_value.nanos -= value.timestamp_value.nanos % 1_000
        case "string_value" | "bytes_value" | "reference_value":
            return _text(value, where)
        case "geo_point_value":
            return _GEO_POINT_BYTES
        case "array_value":
            return sum(_element(element, where, depth) for element in value.array_value.values)
        case "map_value":
            if is_vector(value):
                return 8 * len(value.map_value.fields["value"].array_value.values)
            if depth == _MAX_DEPTH:
                invalid(f"Property {where} contains an invalid nested entity.")
            return _fields(value.map_value.fields, where, depth + 1)
        case None:
            invalid("Cannot convert firestore.v1.Value with type unset.")
        case _:
            pass
    return _FIXED.get(kind, 0)


def _element(value: Value, where: str, depth: int) -> int:
    if value.WhichOneof("value_type") == "array_value":
        invalid("Cannot convert an array value in an array value.")
    return _value(value, where, depth)


def _text(value: Value, where: str) -> int:
    size = len(value.bytes_value) or len((value.string_value or value.reference_value).encode())
    if size > _MAX_VALUE_BYTES:
        invalid(f'The value of property "{where}" is longer than {_MAX_VALUE_BYTES} bytes.')
    return size + 1
