"""A structured query, read once into a plan, in which everything that a query leaves out is said."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.firestore import fields, paths
from validate_daily.sandbox.firestore.messages import Cursor, StructuredQuery
from validate_daily.sandbox.firestore.queries.filters import Condition, conditions

_DESCENDING: Final = 2
_NEGATIONS: Final = frozenset({"!=", "is not nan", "is not null"})


@dataclass(frozen=True, slots=True)
class Ordering:
    """One term of an order."""

    path: fields.Path
    descending: bool


@dataclass(frozen=True)
class Plan:
    """A query that can be run.

    Attributes:
        collection: the path of the collection.
        names: conditions on the document's name.
        filters: conditions on its fields.
        orders: the complete order, which always ends with the name.
        start, end: cursors, as far as the order is concerned.
        mask: the fields to return, or None for all.
        offset, limit: rows to skip and to return.
    """

    collection: str
    names: tuple[Condition, ...]
    filters: tuple[Condition, ...]
    orders: tuple[Ordering, ...]
    start: Cursor | None
    end: Cursor | None
    mask: tuple[fields.Path, ...] | None
    offset: int
    limit: int | None

    @cached_property
    def by_name(self) -> bool:
        """Whether the name alone orders the result, so that it streams."""
        return len(self.orders) == 1

    @property
    def summary(self) -> str:
        """The query in a line."""
        terms = [f"{'.'.join(condition.path)} {condition.op}" for condition in (*self.names, *self.filters)]
        terms += [f"by {'.'.join(order.path)}{' desc' if order.descending else ''}" for order in self.orders]
        if self.limit is not None:
            terms.append(f"limit {self.limit}")
        return f"{self.collection}: {', '.join(terms)}"

    @property
    def descending(self) -> bool:
        """The direction of the name."""
        return self.orders[-1].descending


def read(parent: str, query: StructuredQuery) -> Plan:
    """Read a query that starts at a parent's path."""
    if len(query.from_) > 1:
        invalid("StructuredQuery.from cannot have more than one collection selector.")
    if not query.from_:
        unimplemented("queries of all collections")
    if query.from_[0].all_descendants:
        unimplemented("collection group queries")
    if query.HasField("find_nearest"):
        unimplemented("find_nearest")
    if query.offset < 0:
        invalid("offset is negative")
    if query.HasField("limit") and query.limit.value < 0:
        invalid("limit is negative")
    found = tuple(conditions(query.where))
    if sum(condition.op in _NEGATIONS for condition in found) > 1:
        invalid("Only a single 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NAN', or 'IS_NOT_NULL' filter allowed per query.")
    filters = tuple(condition for condition in found if condition.path != fields.NAME)
    mask = tuple(fields.parse(field.field_path) for field in query.select.fields) if query.HasField("select") else None
    return Plan(
        collection=paths.child(parent, query.from_[0].collection_id),
        names=tuple(condition for condition in found if condition.path == fields.NAME),
        filters=filters,
        orders=_orders(query, filters),
        start=query.start_at if query.HasField("start_at") else None,
        end=query.end_at if query.HasField("end_at") else None,
        mask=mask,
        offset=query.offset,
        limit=query.limit.value if query.HasField("limit") else None,
    )


def _orders(query: StructuredQuery, filters: tuple[Condition, ...]) -> tuple[Ordering, ...]:
    orders = [
        Ordering(fields.parse(order.field.field_path), order.direction == _DESCENDING) for order in query.order_by
    ]
    given = [order.path for order in orders]
    for place, path in enumerate(given):
        if path in given[:place]:
            invalid(f"order by clause cannot contain duplicate fields {'.'.join(path)}")
    last = orders[-1].descending if orders else False
    implied = sorted({condition.path for condition in filters if condition.inequality} - set(given))
    if fields.NAME in given and (implied or given[-1] != fields.NAME):
        invalid("order by clause cannot contain more fields after the key")
    for cursor in (query.start_at, query.end_at):
        if len(cursor.values) > len(orders):
            invalid("Cursor has too many values.")
    if fields.NAME not in given:
        orders += [Ordering(path, last) for path in (*implied, fields.NAME)]
    return tuple(orders)
