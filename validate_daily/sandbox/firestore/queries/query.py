"""Plans, run against a collection as of a moment."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.firestore import fields
from validate_daily.sandbox.firestore.documents import Collection, IdRange, Ranks, Version
from validate_daily.sandbox.firestore.messages import Cursor, Document, Value
from validate_daily.sandbox.firestore.queries import values
from validate_daily.sandbox.firestore.queries.plan import Ordering, Plan

Row = tuple[str, Version]
_BOUNDS: Final[dict[str, Callable[[values.Key, values.Key, values.Key], tuple[values.Key, values.Key]]]] = {
    "<": lambda bound, least, _: (least, bound),
    "<=": lambda bound, least, _: (least, _next(bound)),
    ">": lambda bound, _, most: (_next(bound), most),
    ">=": lambda bound, _, most: (bound, most),
}
"""What of an order a condition leaves, from one key to another, given the least key of its type and of the next."""
_NOTHING: Final = IdRange(high="", high_open=True)


def _next(key: values.Key) -> values.Key:
    """Less than every key that is more than this one."""
    return key[0], (*key[1], ())


def run(wanted: Plan, collection: Collection, at: int) -> Iterator[Row]:
    """The rows of a query, in order, before offset and limit are taken off."""
    rows = _ordered(wanted, collection, at)
    stop = None if wanted.limit is None else wanted.offset + wanted.limit
    return islice(rows, stop)


def count(wanted: Plan, collection: Collection, at: int, up_to: int | None) -> int:
    """How many rows a query has; a range of names is counted without looking at a document."""
    stop = min((n for n in (wanted.limit, up_to) if n is not None), default=None)
    if wanted.by_name and not wanted.filters and _chosen(wanted, collection) is None:
        total = max(0, collection.count(_range(wanted, collection), at) - wanted.offset)
        return total if stop is None else min(total, stop)
    return sum(1 for _ in islice(_ordered(wanted, collection, at), wanted.offset, _plus(wanted.offset, stop)))


def _plus(offset: int, stop: int | None) -> int | None:
    return None if stop is None else offset + stop


def _id_of(value: Value, collection: Collection) -> str:
    name = value.reference_value
    if value.WhichOneof("value_type") != "reference_value":
        invalid("__key__ filter value must be a Key")
    if not name.startswith(collection.prefix) or "/" in (text := name.removeprefix(collection.prefix)) or not text:
        invalid(f'"{name}" is no document of {collection.prefix.removesuffix("/")}')
    return text


def _chosen(wanted: Plan, collection: Collection) -> set[str] | None:
    chosen: set[str] | None = None
    for condition in wanted.names:
        if condition.op in {"==", "in"}:
            operands = condition.operand.array_value.values if condition.op == "in" else [condition.operand]
            ids = {_id_of(operand, collection) for operand in operands}
            chosen = ids if chosen is None else chosen & ids
        elif condition.op == "!=":
            unimplemented("!= on __name__")
        elif condition.op not in {"<", "<=", ">", ">="}:
            invalid("__key__ filter value must be a Key")
    return chosen


def _range(wanted: Plan, collection: Collection) -> IdRange:
    """The names between all bounds: conditions, and cursors when the name is the order."""
    bounds = [
        (condition.op, _id_of(condition.operand, collection)) for condition in wanted.names if condition.op[0] in "<>"
    ]
    if wanted.by_name:
        forwards, backwards = ("<", ">") if wanted.descending else (">", "<")
        for cursor, way, shut in ((wanted.start, forwards, False), (wanted.end, backwards, True)):
            if cursor is not None and cursor.values:
                op = way if cursor.before == shut else f"{way}="
                bounds.append((op, _id_of(cursor.values[0], collection)))
            elif cursor is not None and cursor.before == shut:
                return _NOTHING
    lows = [(text, op == ">") for op, text in bounds if op[0] == ">"]
    highs = [(text, op != "<") for op, text in bounds if op[0] == "<"]
    low, low_open = max(lows, default=(None, False))
    high, high_closed = min(highs, default=(None, True))
    return IdRange(low, high, low_open=low_open, high_open=not high_closed)


def _candidates(wanted: Plan, collection: Collection, at: int) -> Iterator[Row]:
    within, chosen = _range(wanted, collection), _chosen(wanted, collection)
    if chosen is None:
        yield from collection.scan(within, at, reverse=wanted.descending)
        return
    ids = sorted(chosen)
    first, last = within.slice(ids)
    for document_id in sorted(ids[first:last], reverse=wanted.descending):
        if (version := collection.get(document_id, at)) is not None:
            yield document_id, version


def _ordered(wanted: Plan, collection: Collection, at: int) -> Iterator[Row]:
    ranks = _ranks(wanted, collection)
    if ranks is not None:
        return _ranked(wanted, collection, ranks, at)
    rows = _candidates(wanted, collection, at)
    if wanted.by_name:
        if not wanted.filters:
            return rows
        return (row for row in rows if all(condition.matches(_read(row)) for condition in wanted.filters))
    return iter(_sorted(wanted, collection, rows))


def _ranks(wanted: Plan, collection: Collection) -> Ranks | None:
    """The collection's own order, where a query asks for one field's and for nothing but ranges of it."""
    paths_ = {order.path for order in wanted.orders[:-1]} | {condition.path for condition in wanted.filters}
    plain = not wanted.names and all(condition.op in _BOUNDS for condition in wanted.filters)
    return collection.ranked(paths_.pop()) if len(paths_) == 1 and plain else None


def _ranked(wanted: Plan, collection: Collection, ranks: Ranks, at: int) -> Iterator[Row]:
    first, last = 0, len(ranks)
    for condition in wanted.filters:
        bound = values.key(condition.operand)
        of_its_type = (bound[0], ()), (bound[0] + 1, ())
        low, high = _BOUNDS[condition.op](bound, *of_its_type)
        first = max(first, bisect_left(ranks, low, key=_key_of))
        last = min(last, bisect_left(ranks, high, key=_key_of))
    start, end = (_cursor(wanted, collection, cursor) for cursor in (wanted.start, wanted.end))
    places = range(first, last)
    for place in reversed(places) if wanted.descending else places:
        found, document_id = ranks[place]
        version = collection.get(document_id, at)
        if version is not None and _between((found,), document_id, start, end):
            yield document_id, version


def _key_of(rank: tuple[values.Key, str]) -> values.Key:
    return rank[0]


def _read(row: Row) -> MutableMapping[str, Value]:
    return Document.FromString(row[1].fields or b"").fields


def _sorted(wanted: Plan, collection: Collection, rows: Iterator[Row]) -> list[Row]:
    keyed: list[tuple[tuple[values.Key, ...], Row]] = []
    paths_ = [order.path for order in wanted.orders[:-1]]
    for row in rows:
        document = _read(row)
        found = [value for path in paths_ if (value := fields.find(document, path)) is not None]
        if len(found) == len(paths_) and all(condition.matches(document) for condition in wanted.filters):
            keyed.append((tuple(values.key(value) for value in found), row))
    for place, order in reversed(list(enumerate(wanted.orders[:-1]))):
        keyed.sort(key=lambda entry, place=place: entry[0][place], reverse=order.descending)
    first = _cursor(wanted, collection, wanted.start)
    last = _cursor(wanted, collection, wanted.end)
    return [row for keys, row in keyed if _between(keys, row[0], first, last)]


@dataclass(frozen=True, slots=True)
class _Edge:
    """Where a cursor points in a result that fields order."""

    keys: tuple[values.Key | str, ...]
    before: bool
    orders: tuple[Ordering, ...]

    def compare(self, keys: tuple[values.Key, ...], document_id: str) -> int:
        for mine, theirs, order in zip(self.keys, (*keys, document_id), self.orders, strict=False):
            if mine != theirs:
                return -1 if (theirs < mine) != order.descending else 1  # pyright: ignore[reportOperatorIssue]
        return 0


def _between(keys: tuple[values.Key, ...], document_id: str, first: _Edge | None, last: _Edge | None) -> bool:
    return (first is None or first.compare(keys, document_id) >= (0 if first.before else 1)) and (
        last is None or last.compare(keys, document_id) <= (-1 if last.before else 0)
    )


def _cursor(wanted: Plan, collection: Collection, cursor: Cursor | None) -> _Edge | None:
    if cursor is None:
        return None
    keys = tuple(
        _id_of(value, collection) if order.path == fields.NAME else values.key(value)
        for value, order in zip(cursor.values, wanted.orders, strict=False)
    )
    return _Edge(keys, cursor.before, wanted.orders)
