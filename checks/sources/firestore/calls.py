"""The calls of a census: all of them as of one moment, each retried and within the budget, and what they are billed."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    RunQueryRequest,
)
from google.protobuf.timestamp_pb2 import Timestamp

from checks.sources.budget import Budget, ask
from checks.sources.errors import SourceError
from checks.sources.firestore.answers import (
    NO_FIRESTORE,
    AnswerReader,
    check_moment,
    practice_time,
    read_all,
    read_document,
    total_of,
    untimely,
)
from checks.sources.firestore.channel import Connection
from checks.sources.firestore.document_fields import micros_of
from checks.sources.firestore.queries import CollectionPlace, DocumentQuery, Ids, stamp
from checks.sources.firestore.tally import HeartbeatDocument
from checks.sources.times import Micros

ROLE: Final = "roles/datastore.viewer"
_ENTRIES_A_READ: Final = 1_000


@dataclass(slots=True)
class Reads:
    """One census's way to Firestore.

    Attributes:
        connection: the open way to the database.
        place: the collection.
        budget: what all calls together may take.
        read_time: the moment that every call sees, once the first has been answered or somebody chose one.
        billed: document reads that production bills for the calls so far.
        here: what the clock said that the first answer is compared with; this machine's, unless practice has its own.
        untimely: why the answers are not of now, where they bear another moment that nobody chose.
    """

    connection: Connection
    place: CollectionPlace
    budget: Budget
    read_time: Timestamp | None = None
    billed: int = field(default=0)
    here: datetime | None = None
    untimely: SourceError | None = None

    @property
    def now(self) -> Micros:
        """The moment that every call sees.

        Raises:
            SourceError: no answer bore one.
        """
        if self.read_time is None:
            raise SourceError("the answer bears no read time", NO_FIRESTORE)
        return micros_of(self.read_time)

    async def count(self, ids: Ids = Ids(), *, up_to: int | None = None, at: Micros | None = None) -> int:  # noqa: B008 - frozen
        """How many documents a range of ids holds, or held at an earlier moment.

        Raises:
            SourceError: there is no answer, or none that is a number.
        """
        return await ask(lambda: self._count(ids, up_to, at), self.budget, role=ROLE)

    def abandon(self, count: int) -> None:
        """We stopped waiting for this count; assume that it was billed in full."""
        self.billed += -(-count // _ENTRIES_A_READ)

    async def documents(
        self, query: DocumentQuery, take: Callable[[HeartbeatDocument], None], *, long: bool = False
    ) -> int:
        """Hand over the documents of a query as they come; how many there were. Not retried: some may have been taken.

        Their details are not read yet: most documents are only counted.

        Args:
            query: which documents.
            take: is handed each of them.
            long: many thousands may come: worth a channel of their own.

        Raises:
            exceptions.GoogleAPICallError: the stream broke.
            TimeoutError: it kept silent for too long.
            SourceError: the answer is no Firestore's, or one to another question.
        """
        seen, answered, asked = 0, False, self.read_time
        reader, told, at = AnswerReader(self.place, query), None, 0
        request = RunQueryRequest(parent=self.place.parent, structured_query=query.message, read_time=asked or None)
        answers = self._long(request) if long else self._short(request)
        try:
            async with self.budget.patience() as patience, aclosing(answers):
                async for batch in answers:
                    for answer in batch:
                        if (read_time := answer.read_time) != told:
                            at, told = self._moment(read_time, asked), read_time
                            answered = True
                        if answer.HasField("document"):
                            take(reader.read(answer.document, at))
                            seen += 1
                    self.budget.extend(patience)
        finally:
            self.billed += seen
        if not answered:
            raise SourceError("the server ended the stream without an answer", NO_FIRESTORE)
        self.billed += seen == 0
        return seen

    async def _short(self, request: RunQueryRequest) -> AsyncGenerator[list[Any]]:
        stream = await self.connection.run_query(request, **self._stream_terms(request))
        async for answer in stream:
            await self._hear_clock(stream)
            yield [answer]

    def _long(self, request: RunQueryRequest) -> AsyncGenerator[list[Any]]:
        return self.connection.run_long_query(request, **self._stream_terms(request))

    def _stream_terms(self, request: RunQueryRequest) -> dict[str, Any]:
        routing = to_grpc_metadata((("parent", request.parent),))
        return {"timeout": self.budget.deadline(), "metadata": (*self.connection.metadata, routing)}

    async def few(self, query: DocumentQuery) -> list[HeartbeatDocument]:
        """The documents of a query that has a low limit.

        Raises:
            SourceError: there is no answer.
        """

        async def attempt() -> list[HeartbeatDocument]:
            found: list[HeartbeatDocument] = []
            await self.documents(query, lambda document: found.append(self.place.fields.details(document)))
            return found

        return await ask(attempt, self.budget, role=ROLE)

    async def get(self, document_ids: Iterable[str]) -> list[HeartbeatDocument]:
        """Those of these documents that exist.

        Raises:
            SourceError: there is no answer.
        """
        names = [self.place.document(each) for each in document_ids]
        return await ask(lambda: self._get(names), self.budget, role=ROLE) if names else []

    async def _count(self, ids: Ids, up_to: int | None, at: Micros | None) -> int:
        asked = self.read_time if at is None else stamp(at)
        request = RunAggregationQueryRequest(
            parent=self.place.parent,
            structured_aggregation_query=self.place.count(ids, up_to=up_to),
            read_time=asked or None,
        )
        async with self.budget.patience():
            stream = await self.connection.api.run_aggregation_query(request, **self._terms())
            answers: list[Any] = [RunAggregationQueryResponse.pb(each) async for each in stream]
            await self._hear_clock(stream)
        for answer in answers:
            if answer.HasField("read_time"):
                self._moment(answer.read_time, asked)
        total = total_of(answers, up_to)
        self.billed += max(1, -(-total // _ENTRIES_A_READ))
        return total

    async def _get(self, names: list[str]) -> list[HeartbeatDocument]:
        fields, asked = self.place.fields, self.read_time
        request = BatchGetDocumentsRequest(
            database=self.place.database, documents=names, mask=fields.mask, read_time=asked or None
        )
        async with self.budget.patience():
            stream = await self.connection.api.batch_get_documents(request, **self._terms())
            answers: list[Any] = [BatchGetDocumentsResponse.pb(each) async for each in stream]
        self.billed += len(answers)

        def read(answer: Any) -> HeartbeatDocument:  # noqa: ANN401 - protobuf's own classes are made at run time
            at = self._moment(answer.read_time, asked)
            return fields.details(read_document(fields, self.place.name, answer.found, at))

        return read_all(names, [each for each in answers if each.WhichOneof("result")], read)

    async def _hear_clock(self, stream: Any) -> None:  # noqa: ANN401 - Google types it for every kind of call at once
        if self.read_time is None and self.connection.target.practice:
            self.here = await practice_time(stream)

    def _terms(self) -> dict[str, Any]:
        return {"retry": None, "timeout": self.budget.deadline(), "metadata": self.connection.metadata}

    def _moment(self, told: Timestamp, asked: Timestamp | None) -> Micros:
        """The moment that an answer is of; the first one is that of all calls that follow.

        Raises:
            SourceError: it is of none, or of another than was asked for.
        """
        if not told.seconds:
            return self.now
        check_moment(told, asked, self.read_time)
        if self.read_time is None:
            self.read_time = told
            self.untimely = untimely(micros_of(told), self.here)
        return micros_of(told)
