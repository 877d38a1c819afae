"""Plain Python values as Firestore keeps them, for what the world itself writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from validate_daily.sandbox.firestore import stamps
from validate_daily.sandbox.firestore.messages import ArrayValue, Document, MapValue, Value


def fields(values: Mapping[str, object]) -> bytes:
    """The fields of a document, as the store keeps them."""
    return document(values).SerializeToString(deterministic=True)


def document(values: Mapping[str, object]) -> Document:
    """A document without a name."""
    return Document(fields={name: value(one) for name, one in values.items()})


def value(one: object) -> Value:  # noqa: PLR0911 - one line for each type
    """A value, by its Python type."""
    match one:
        case None:
            return Value(null_value=0)
        case bool():
            return Value(boolean_value=one)
        case int():
            return Value(integer_value=one)
        case float():
            return Value(double_value=one)
        case str():
            return Value(string_value=one)
        case bytes():
            return Value(bytes_value=one)
        case datetime():
            return Value(timestamp_value=stamps.to_timestamp(stamps.from_datetime(one)))
        case Mapping():
            entries = cast("Mapping[str, object]", one)
            return Value(map_value=MapValue(fields={name: value(inner) for name, inner in entries.items()}))
        case Sequence():
            return Value(array_value=ArrayValue(values=[value(inner) for inner in cast("Sequence[object]", one)]))
        case _:
            raise TypeError(f"Firestore has no type for {type(one).__name__}")
