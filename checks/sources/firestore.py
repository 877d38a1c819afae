"""Reads the heartbeat collection as of one moment: a count, then a listing of what a heartbeat check needs of each.

The listing streams raw messages and projects the fields that are judged. A projection bills the same as a whole
document, but junk in a document never crosses the wire, and the high-level client's snapshots, which cost three times
the raw message, are never built. Every request is pinned to the read time of the first.
"""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
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
from google.protobuf.timestamp_pb2 import Timestamp

from checks.errors import SourceError
from checks.evidence import Census, Gap, Target
from checks.pipeline import Pipeline
from checks.progress import Progress
from checks.sources.firestore_channel import Connection, connect
from checks.sources.login import Login
from checks.sources.reading import Budget, ask, patient
from checks.sources.tally import Document, Micros, Tally, micros, moment
from checks.text import show

SOURCE: Final = "firestore"
ROLE: Final = "roles/datastore.viewer"
_FIELD: Final = "last_heartbeat"
_WRITER: Final = ("revision", "commit")
_WRITER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_ENTRIES_A_READ: Final = 1_000
_CHUNK: Final = 256


@dataclass(frozen=True, slots=True)
class Reading:
    """What a census brought home. ``read_time`` and ``census`` are None where nothing at all could be read."""

    read_time: datetime | None
    census: Census | None
    gaps: tuple[Gap, ...]


async def read_heartbeats(
    pipeline: Pipeline,
    target: Target,
    budget: Budget,
    progress: Progress,
    *,
    login: Login | None = None,
    as_of: datetime | None = None,
) -> Reading:
    """One census of the pipeline's heartbeat collection, now or as of a read time; whatever fails is a gap in it."""
    try:
        async with patient(budget, connect(target, login or Login())) as connection:
            reader = HeartbeatReader(
                connection, pipeline.heartbeats.collection, pipeline.heartbeats.registered, budget, progress
            )
            return await reader.read(as_of)
    except SourceError as error:
        return Reading(None, None, (error.gap(SOURCE),))


@dataclass(slots=True)
class HeartbeatReader:
    """One census of one collection; make a new reader for the next.

    Attributes:
        connection: the open way to the database.
        collection: the collection's id.
        registered: ids that are canonical because the settings name them.
        budget: what all calls together may take.
        progress: told how far the listing is.
    """

    connection: Connection
    collection: str
    registered: frozenset[str]
    budget: Budget
    progress: Progress
    _read_time: Timestamp | None = None
    _counted: int | None = None
    _tally: Tally | None = None
    _last: str = ""
    _billed: int = 0

    async def read(self, as_of: datetime | None = None) -> Reading:
        """Count, then list. Never raises for what the server does: each failure is a gap, and the rest is kept."""
        if as_of is not None:
            self._read_time = stamp(micros(as_of))
        count, listing = await self._attempt(self._count), await self._attempt(self._list)
        census = None
        if self._counted is not None or self._tally is not None:
            census = self._census(listed=listing is None)
        gaps = _gaps(show(self.collection), count, listing)
        return Reading(moment(micros_of(self._read_time)) if self._read_time else None, census, gaps)

    def _census(self, *, listed: bool) -> Census:
        return Census(
            collection=f"{self._parent}/{self.collection}",
            total=max(self._counted or 0, self._seen),
            counted=self._counted is not None,
            listed=listed,
            families=self._tally.families() if self._tally else (),
            billed_reads=self._billed,
        )

    @property
    def _seen(self) -> int:
        return self._tally.seen if self._tally else 0

    async def _attempt(self, call: Callable[[], Coroutine[Any, Any, None]]) -> SourceError | None:
        try:
            await ask(call, self.budget, role=ROLE)
        except SourceError as error:
            failure = error
        else:
            return None
        if self._seen:
            return SourceError(f"{failure}, after {self._seen:,} documents", failure.next_step)
        return failure

    async def _count(self) -> None:
        self.progress("counting heartbeats", 0, None)
        total: int | None = None
        async with self.budget.patience():
            stream = await self.connection.api.run_aggregation_query(
                self._count_request(), retry=None, timeout=self.budget.deadline(), metadata=self.connection.metadata
            )
            async for response in stream:
                answer = RunAggregationQueryResponse.pb(response)
                fields = answer.result.aggregate_fields
                total = fields["total"].integer_value if "total" in fields else None  # to look is to make, in a map
                self._pin(answer.read_time)
        if total is None or total < 0:
            raise SourceError(f"the answer holds no total ({total})", NO_FIRESTORE)
        self._billed += max(1, -(-total // _ENTRIES_A_READ))
        self._counted = total

    async def _list(self) -> None:
        """List from after the last document that was seen, so that a retry bills and counts none of them twice."""
        before = self._seen
        try:
            async with self.budget.patience() as patience:
                stream = await self.connection.api.run_query(
                    self._listing_request(),
                    retry=None,
                    timeout=self.budget.deadline(),
                    metadata=self.connection.metadata,
                )
                async for response in stream:
                    self._take(RunQueryResponse.pb(response))
                    if self._seen % _CHUNK == 0:
                        self.budget.extend(patience)
                        self.progress("listing heartbeats", self._seen, self._counted)
        finally:
            self._billed += self._seen - before
        if self._tally is None:
            raise SourceError("the server ended the stream without an answer", NO_FIRESTORE)
        self._billed += self._seen == before
        if self._counted not in {None, self._seen}:
            raise SourceError(
                f"{self._seen:,} documents were listed where {self._counted:,} were counted as of the same moment",
                "try again; if it stays so, something between here and Firestore drops or repeats answers",
            )

    def _take(self, answer: Any) -> None:  # noqa: ANN401 - protobuf's own classes are made at run time
        if self._tally is None:
            self._pin(answer.read_time)
            if self._read_time is None:
                raise SourceError("the answer bears no read time", NO_FIRESTORE)
            self._tally = Tally(micros_of(self._read_time), self.registered)
        if answer.document.name:
            self._tally.add(document_of(answer.document))
            self._last = answer.document.name

    def _pin(self, read_time: Timestamp) -> None:
        if self._read_time is None and read_time.seconds > 0:
            self._read_time = read_time

    def _count_request(self) -> RunAggregationQueryRequest:
        aggregation = StructuredAggregationQuery.Aggregation
        return RunAggregationQueryRequest(
            parent=self._parent,
            read_time=self._read_time or None,
            structured_aggregation_query=StructuredAggregationQuery(
                structured_query=StructuredQuery(from_=[self._selector]),
                aggregations=[aggregation(alias="total", count=aggregation.Count())],
            ),
        )

    def _listing_request(self) -> RunQueryRequest:
        by_name = StructuredQuery.FieldReference(field_path="__name__")
        query = StructuredQuery(
            from_=[self._selector],
            select=projection(),
            order_by=[StructuredQuery.Order(field=by_name, direction=StructuredQuery.Direction.ASCENDING)],
        )
        if self._last:
            query.start_at = Cursor(values=[Value(reference_value=self._last)], before=False)
        return RunQueryRequest(parent=self._parent, structured_query=query, read_time=self._read_time or None)

    @property
    def _parent(self) -> str:
        return f"{self.connection.target.resource}/documents"

    @property
    def _selector(self) -> StructuredQuery.CollectionSelector:
        return StructuredQuery.CollectionSelector(collection_id=self.collection)


def _gaps(collection: str, count: SourceError | None, listing: SourceError | None) -> tuple[Gap, ...]:
    """One gap per failed read; one for both, where they failed alike."""
    if count and listing and str(count) == str(listing):
        failed = [("count and listing", count)]
    else:
        failed = [(what, failure) for what, failure in (("count", count), ("listing", listing)) if failure]
    return tuple(
        Gap(source=SOURCE, reason=f"{what} of {collection}: {failure}", next_step=failure.next_step)
        for what, failure in failed
    )


NO_FIRESTORE: Final = "check that the address is a Firestore's, or its emulator's"


def projection() -> StructuredQuery.Projection:
    """The fields of a heartbeat that are judged."""
    return StructuredQuery.Projection(
        fields=[StructuredQuery.FieldReference(field_path=name) for name in (_FIELD, *_WRITER)]
    )


def stamp(moment: Micros) -> Timestamp:
    """A moment as Firestore's own clients send it."""
    return Timestamp(seconds=moment // 1_000_000, nanos=moment % 1_000_000 * 1_000)


def micros_of(timestamp: Timestamp) -> Micros:
    """The opposite of ``stamp``."""
    return timestamp.seconds * 1_000_000 + timestamp.nanos // 1_000


def document_of(document: Any) -> Document:  # noqa: ANN401 - protobuf's own classes are made at run time
    """What a listed document shows of a heartbeat."""
    beat: Micros | None = None
    unparsable: str | None = None
    if _FIELD not in document.fields:
        unparsable = f"there is no {_FIELD}"
    else:
        value = document.fields[_FIELD]
        kind = value.WhichOneof("value_type")
        if kind == "timestamp_value":
            beat = micros_of(value.timestamp_value)
        else:
            unparsable = f"{_FIELD} is no timestamp but a {str(kind).removesuffix('_value')}"
    return Document(
        doc=document.name.rpartition("/")[2],
        beat=beat,
        unparsable=unparsable,
        created=micros_of(document.create_time),
        updated=micros_of(document.update_time),
        revision=_writer(document, "revision"),
        commit=_writer(document, "commit"),
    )


def _writer(document: Any, name: str) -> str | None:  # noqa: ANN401 - protobuf's own classes are made at run time
    if name not in document.fields:
        return None
    text = document.fields[name].string_value
    return text if _WRITER_NAME.fullmatch(text) else None
