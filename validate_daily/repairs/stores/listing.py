"""Lists the names, create and update times of a collection as of one moment, completely or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from google.cloud.firestore_v1.types import (
    Cursor,
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    RunQueryRequest,
    RunQueryResponse,
    StructuredAggregationQuery,
    StructuredQuery,
    Value,
)

from checks.sources.budget import Budget, ask
from checks.sources.errors import SourceError
from checks.sources.firestore.answers import (
    NO_FIRESTORE,
    NOT_BETWEEN,
    check_moment,
    check_next,
    id_of,
    practice_time,
    total_of,
    untimely,
)
from checks.sources.firestore.channel import Connection
from checks.sources.firestore.document_fields import DocumentFields, micros_of
from checks.sources.firestore.queries import Ids
from checks.sources.progress import Progress
from checks.text.plural import counted
from checks.text.show import show
from validate_daily.repairs.stores.bill import Bill
from validate_daily.repairs.stores.timestamps import Nanos, moment, nanos, timestamp

ROLE: Final = "roles/datastore.viewer"
_CHUNK: Final = 256
_PATH: Final = "path"
_FIELD: Final = StructuredQuery.FieldReference(field_path=_PATH)
_NAME: Final = StructuredQuery.FieldReference(field_path="__name__")


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """One document of a listing; of one in the trash also the ``path`` that it came from.

    ``name`` is what a heartbeat calls its writer, where that was asked for.
    """

    id: str
    created: Nanos
    updated: Nanos
    path: str = ""
    name: str | None = None


@dataclass(frozen=True, slots=True)
class CollectionListing:
    """All documents of a collection, or of a range of ids, as of a moment."""

    read_time: datetime
    rows: tuple[ListedDocument, ...]


@dataclass(slots=True)
class Lister:
    """One listing of one collection; make a new one for the next.

    Attributes:
        connection: the open way to the database.
        collection: the collection's id.
        budget: what all calls together may take.
        progress: told how far it is.
        bill: what it costs is added here.
        read_time: the moment to list as of; None takes the server's now.
        prefix: only ids that begin with this; "" means all.
        paths: read the field ``path`` too.
        fields: where documents hold what they call their writer, to read that too.
    """

    connection: Connection
    collection: str
    budget: Budget
    progress: Progress
    bill: Bill
    read_time: datetime | None = None
    prefix: str = ""
    paths: bool = False
    fields: DocumentFields | None = None
    _rows: list[ListedDocument] = field(default_factory=list[ListedDocument])
    _last: str = ""
    _name: str = field(init=False)
    _ids: Ids = field(init=False)

    def __post_init__(self) -> None:
        self._name = f"{self._parent}/{self.collection}"
        self._ids = Ids.beginning_with(self.prefix) if self.prefix else Ids()

    async def list(self) -> CollectionListing:
        """All of it.

        Raises:
            SourceError: it could not be listed to its end.
        """
        self.read_time, total = await ask(self.count, self.budget, role=ROLE)
        await ask(self._stream, self.budget, role=ROLE)
        if len(self._rows) != total:
            raise SourceError(
                f"{counted(len(self._rows), 'document was', 'documents were')} listed where {total:,} "
                "were counted as of the same moment",
                "try again; if it stays so, something between here and Firestore drops or repeats answers",
            )
        return CollectionListing(self.read_time, tuple(self._rows))

    async def count(self) -> tuple[datetime, int]:
        """The moment of the listing, the server's now unless one is set, and how many documents there were then.

        Raises:
            SourceError: the answer holds neither.
            GoogleAPICallError: there is none.
        """
        aggregation = StructuredAggregationQuery.Aggregation
        query = StructuredAggregationQuery(
            structured_query=self._query(whole=True),
            aggregations=[aggregation(alias="total", count=aggregation.Count())],
        )
        request = RunAggregationQueryRequest(
            parent=self._parent, structured_aggregation_query=query, read_time=self._at
        )
        async with self.budget.patience():
            stream = await self._call(self.connection.api.run_aggregation_query, request)
            answers: list[Any] = [RunAggregationQueryResponse.pb(each) async for each in stream]
            here = await practice_time(stream) if self.connection.target.practice else None
        total = total_of(answers, None)
        self.bill.read(max(1, -(-total // 1_000)))
        return self._moment(answers[-1].read_time, here), total

    async def _stream(self) -> None:
        """List from after the last document that was seen, so that a retry bills and lists none of them twice."""
        before, answered = len(self._rows), False
        try:
            async with self.budget.patience() as patience:
                query = self._query()
                at = self._at
                request = RunQueryRequest(parent=self._parent, structured_query=query, read_time=at)
                async for response in await self._call(self.connection.api.run_query, request):
                    answered, answer = True, RunQueryResponse.pb(response)
                    if answer.read_time.seconds:
                        check_moment(answer.read_time, at, None)
                    if answer.HasField("document"):
                        self._take(answer.document, nanos(at))
                    if len(self._rows) % _CHUNK == 0:
                        self.budget.extend(patience)
                        self.progress(f"listing {self.collection}", len(self._rows), None)
        finally:
            self.bill.read(max(1, len(self._rows) - before))
        if not answered:
            raise SourceError("the server ended the stream without an answer", NO_FIRESTORE)

    def _moment(self, told: Any, here: datetime | None) -> datetime:  # noqa: ANN401 - protobuf's own class
        """The moment of the listing.

        Raises:
            SourceError: the answer is of another, or of none.
        """
        if not told.seconds:
            raise SourceError("the answer bears no read time", NO_FIRESTORE)
        check_moment(told, self._at, None)
        if self.read_time is not None:
            return self.read_time
        if (error := untimely(micros_of(told), here)) is not None:
            raise error
        return moment(told)

    def _take(self, document: Any, at: Nanos) -> None:  # noqa: ANN401 - protobuf's own classes are made at run time
        """Take the next document, as of a moment.

        Raises:
            SourceError: it is none of those that were asked for.
        """
        document_id = id_of(self._name, document.name)
        check_next(self._rows[-1].id if self._rows else None, document_id, self._ids)
        created, updated = nanos(document.create_time), nanos(document.update_time)
        if not (0 < created <= updated and updated // 1_000 <= at // 1_000):
            raise SourceError(f"{show(document_id, limit=200)} was created or updated after it was read", NOT_BETWEEN)
        self._last = document.name
        path = document.fields[_PATH].string_value if _PATH in document.fields else ""
        name = None if self.fields is None else self.fields.name_of(document)
        self._rows.append(ListedDocument(document_id, created, updated, path, name))

    async def _call(self, method: Callable[..., Any], request: object) -> Any:  # noqa: ANN401 - Google's stream
        return await method(request, retry=None, timeout=self.budget.deadline(), metadata=self.connection.metadata)

    def _query(self, *, whole: bool = False) -> StructuredQuery:
        query = StructuredQuery(
            from_=[StructuredQuery.CollectionSelector(collection_id=self.collection)],
            order_by=[StructuredQuery.Order(field=_NAME, direction=StructuredQuery.Direction.ASCENDING)],
        )
        if not whole:
            query.select = StructuredQuery.Projection(fields=[self._read])
        if self._last and not whole:
            query.start_at = Cursor(values=[Value(reference_value=self._last)], before=False)
        elif self.prefix:
            query.start_at = Cursor(values=[self._bound(self.prefix)], before=True)
        if self.prefix:
            # The last of its characters, raised by one, ends the range: a prefix here is plain ASCII.
            beyond = self.prefix[:-1] + chr(ord(self.prefix[-1]) + 1)
            query.end_at = Cursor(values=[self._bound(beyond)], before=True)
        return query

    @property
    def _read(self) -> StructuredQuery.FieldReference:
        """The one field that is read; without any, only names and times are."""
        if self.fields is not None:
            return StructuredQuery.FieldReference(field_path=self.fields.name.path)
        return _FIELD if self.paths else _NAME

    def _bound(self, document_id: str) -> Value:
        return Value(reference_value=f"{self._name}/{document_id}")

    @property
    def _at(self) -> Any:  # noqa: ANN401 - protobuf's own class, which Google's types take for a datetime
        return None if self.read_time is None else timestamp(self.read_time)

    @property
    def _parent(self) -> str:
        return f"{self.connection.target.resource}/documents"
