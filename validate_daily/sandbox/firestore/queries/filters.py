"""The where clause: what it demands of the document's name, and what of its fields."""

import operator
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Final

from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.firestore import fields
from validate_daily.sandbox.firestore.messages import FieldFilter, Filter, UnaryFilter, Value
from validate_daily.sandbox.firestore.queries import values

Fields = MutableMapping[str, Value]

_AND: Final = 1
_RANGES: Final[dict[int, tuple[str, Callable[[values.Key, values.Key], bool]]]] = {
    1: ("<", operator.lt),
    2: ("<=", operator.le),
    3: (">", operator.gt),
    4: (">=", operator.ge),
}
_EQUAL, _NOT_EQUAL, _IN = 5, 6, 8
_NAMES: Final = {7: "array-contains", 9: "array-contains-any", 10: "not-in"}
_MAX_IN: Final = 30


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on one field.

    Attributes:
        path: the field.
        op: ``<``, ``==``, ``in`` and so on, in words where it has no sign.
        inequality: whether an index answers it with a range instead of a seek.
        operand: the value compared with, where there is one.
        holds: whether a value satisfies it.
    """

    path: fields.Path
    op: str
    inequality: bool
    operand: Value
    holds: Callable[[Value], bool]

    def matches(self, document: Fields) -> bool:
        """Whether a document's fields satisfy it; a missing field satisfies nothing."""
        value = fields.find(document, self.path)
        return value is not None and self.holds(value)


def conditions(where: Filter) -> Iterator[Condition]:
    """All conditions of a where clause; all must hold."""
    match where.WhichOneof("filter_type"):
        case "composite_filter":
            if where.composite_filter.op != _AND:
                unimplemented("OR filters")
            for part in where.composite_filter.filters:
                yield from conditions(part)
        case "field_filter":
            yield _field(where.field_filter)
        case "unary_filter":
            yield _unary(where.unary_filter)
        case _:
            pass


def _field(filter_: FieldFilter) -> Condition:
    path, operand = fields.parse(filter_.field.field_path), filter_.value
    if filter_.op in _NAMES:
        unimplemented(f"{_NAMES[filter_.op]} filters")
    if filter_.op == _IN:
        members = _members(operand)
        return Condition(
            path, "in", inequality=False, operand=operand, holds=lambda value: values.key(value) in members
        )
    target = values.key(operand)
    if filter_.op == _EQUAL:
        return Condition(path, "==", inequality=False, operand=operand, holds=lambda value: values.key(value) == target)
    if filter_.op == _NOT_EQUAL:
        return Condition(path, "!=", inequality=True, operand=operand, holds=_differs(target))
    if filter_.op not in _RANGES:
        invalid("Unknown FieldFilter operator.")
    name, op = _RANGES[filter_.op]
    return Condition(path, name, inequality=True, operand=operand, holds=_within(op, target))


def _within(op: Callable[[values.Key, values.Key], bool], target: values.Key) -> Callable[[Value], bool]:
    def holds(value: Value) -> bool:
        found = values.key(value)
        return found[0] == target[0] and op(found, target)

    return holds


def _differs(target: values.Key) -> Callable[[Value], bool]:
    return lambda value: value.WhichOneof("value_type") != "null_value" and values.key(value) != target


def _members(operand: Value) -> set[values.Key]:
    members = operand.array_value.values
    if not members:
        invalid("'IN' requires an non-empty ArrayValue.")
    if len(members) > _MAX_IN:
        invalid(f"'IN' supports up to {_MAX_IN} comparison values.")
    return {values.key(member) for member in members}


def _unary(filter_: UnaryFilter) -> Condition:
    if filter_.op not in _UNARY:
        invalid("Unknown UnaryFilter operator.")
    op, inequality, holds = _UNARY[filter_.op]
    return Condition(fields.parse(filter_.field.field_path), op, inequality=inequality, operand=Value(), holds=holds)


def _is_null(value: Value) -> bool:
    return value.WhichOneof("value_type") == "null_value"


def _is_not_null(value: Value) -> bool:
    return not _is_null(value)


def _is_not_nan(value: Value) -> bool:
    return not values.is_nan(value) and not _is_null(value)


_UNARY: Final[dict[int, tuple[str, bool, Callable[[Value], bool]]]] = {
    2: ("is nan", False, values.is_nan),
    3: ("is null", False, _is_null),
    4: ("is not nan", True, _is_not_nan),
    5: ("is not null", True, _is_not_null),
}
