"""What is asked of a heartbeat collection, as Firestore's own messages.

All queries are answered by the indexes that every collection has. They project the fields that are judged: a projection
bills the same as a whole document, but junk in a document never crosses the wire.
"""

from dataclasses import dataclass
from typing import Final, Self

from google.cloud.firestore_v1.types import Cursor, StructuredAggregationQuery, StructuredQuery, Value
from google.protobuf.timestamp_pb2 import Timestamp

from checks.sources.firestore.document_fields import DEFAULT, DocumentFields
from checks.sources.firestore.tally import HeartbeatDocument
from checks.sources.times import Micros

_NAME: Final = "__name__"
_Operator = StructuredQuery.FieldFilter.Operator
_Direction = StructuredQuery.Direction


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of a range, in Firestore's order, which is that of their UTF-8 bytes. No bound where there is None.

    Attributes:
        low: the first id that may be in it; with ``after``, the last one before it.
        high: the first id beyond it.
    """

    low: str | None = None
    high: str | None = None
    after: bool = False

    @classmethod
    def beginning_with(cls, prefix: str) -> Self:
        """Every id that begins with a prefix whose last letter is ASCII, so that the letter after it comes next."""
        return cls(prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1))

    def beyond(self, document_id: str) -> Self:
        """What is left of it after a document."""
        return type(self)(document_id, self.high, after=True)

    @property
    def empty(self) -> bool:
        """Whether no id can be in it."""
        return self.low is not None and self.low == self.high


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """What is asked, and what the documents of its answer must be.

    Attributes:
        message: the query.
        ids: the range of ids that it reads in their order; None where it reads heartbeats, the newest first.
        limit: how many documents it may return.
        since: heartbeats are later than this.
        until: heartbeats are not later than this.
        after: the document before the first of them.
    """

    message: StructuredQuery
    ids: Ids | None = None
    limit: int | None = None
    since: Micros | None = None
    until: Micros | None = None
    after: HeartbeatDocument | None = None


@dataclass(frozen=True, slots=True)
class CollectionPlace:
    """A collection: the database's full resource name, the collection's id, and what its documents hold where."""

    database: str
    collection: str
    fields: DocumentFields = DEFAULT

    @property
    def parent(self) -> str:
        """What requests name as the parent."""
        return f"{self.database}/documents"

    @property
    def name(self) -> str:
        """The collection's full resource name."""
        return f"{self.parent}/{self.collection}"

    def within(self, ids: Ids, *, limit: int | None = None) -> DocumentQuery:
        """The documents of a range in the order of their ids."""
        query = StructuredQuery(
            from_=[self._selector],
            select=self.fields.projection,
            order_by=[_order(_NAME, _Direction.ASCENDING)],
            limit=limit,
        )
        if ids.low is not None:
            query.start_at = Cursor(values=[self._reference(ids.low)], before=not ids.after)
        if ids.high is not None:
            query.end_at = Cursor(values=[self._reference(ids.high)], before=True)
        return DocumentQuery(query, ids=ids, limit=limit)

    def count(self, ids: Ids, *, up_to: int | None = None) -> StructuredAggregationQuery:
        """How many documents a range holds; with ``up_to``, at most so many are counted, and billed."""
        bounds = [
            _filter(_NAME, operator, self._reference(bound))
            for operator, bound in ((_Operator.GREATER_THAN_OR_EQUAL, ids.low), (_Operator.LESS_THAN, ids.high))
            if bound is not None
        ]
        aggregation = StructuredAggregationQuery.Aggregation
        counted = aggregation.Count() if up_to is None else aggregation.Count(up_to=up_to)
        return StructuredAggregationQuery(
            structured_query=StructuredQuery(from_=[self._selector], where=_all(bounds) if bounds else None),
            aggregations=[aggregation(alias="total", count=counted)],
        )

    def newest(self, until: Micros, limit: int, *, after: HeartbeatDocument | None = None) -> DocumentQuery:
        """The documents with heartbeats until a moment, newest first; or those that come after one of them."""
        query = self._by_beat(_filter(self.fields.time.path, _Operator.LESS_THAN_OR_EQUAL, _timestamp(until)), limit)
        if after is not None and after.beat is not None:
            query.start_at = Cursor(values=[_timestamp(after.beat), self._reference(after.doc)], before=False)
        return DocumentQuery(query, limit=limit, until=until, after=after)

    def newer_than(self, since: Micros, limit: int) -> DocumentQuery:
        """The documents with heartbeats after ``since``, newest first."""
        query = self._by_beat(_filter(self.fields.time.path, _Operator.GREATER_THAN, _timestamp(since)), limit)
        return DocumentQuery(query, limit=limit, since=since)

    def document(self, document_id: str) -> str:
        """A document's full resource name."""
        return f"{self.name}/{document_id}"

    def _by_beat(self, where: StructuredQuery.Filter, limit: int) -> StructuredQuery:
        return StructuredQuery(
            from_=[self._selector],
            select=self.fields.projection,
            where=where,
            order_by=[_order(self.fields.time.path, _Direction.DESCENDING), _order(_NAME, _Direction.DESCENDING)],
            limit=limit,
        )

    def _reference(self, document_id: str) -> Value:
        return Value(reference_value=self.document(document_id))

    @property
    def _selector(self) -> StructuredQuery.CollectionSelector:
        return StructuredQuery.CollectionSelector(collection_id=self.collection)


def stamp(moment: Micros) -> Timestamp:
    """A moment as Firestore's own clients send it; the opposite of ``micros_of``."""
    return Timestamp(seconds=moment // 1_000_000, nanos=moment % 1_000_000 * 1_000)


def _timestamp(moment: Micros) -> Value:
    return Value(timestamp_value=stamp(moment))


def _filter(path: str, operator: _Operator, value: Value) -> StructuredQuery.Filter:
    field = StructuredQuery.FieldReference(field_path=path)
    return StructuredQuery.Filter(field_filter=StructuredQuery.FieldFilter(field=field, op=operator, value=value))


def _all(filters: list[StructuredQuery.Filter]) -> StructuredQuery.Filter:
    both = StructuredQuery.CompositeFilter(op=StructuredQuery.CompositeFilter.Operator.AND, filters=filters)
    return StructuredQuery.Filter(composite_filter=both)


def _order(path: str, direction: _Direction) -> StructuredQuery.Order:
    return StructuredQuery.Order(field=StructuredQuery.FieldReference(field_path=path), direction=direction)
