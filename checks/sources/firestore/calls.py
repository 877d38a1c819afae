"""The calls of a census: all of them as of one moment, each retried and within the budget, and what they are billed."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    RunQueryRequest,
    StructuredQuery,
)
from google.protobuf.timestamp_pb2 import Timestamp

from checks.sources.budget import Budget, ask
from checks.sources.errors import SourceError
from checks.sources.firestore.channel import Connection
from checks.sources.firestore.document_fields import micros_of
from checks.sources.firestore.queries import CollectionPlace, Ids, stamp
from checks.sources.firestore.tally import HeartbeatDocument
from checks.sources.times import Micros
from checks.text.plural import counted

ROLE: Final = "roles/datastore.viewer"
NO_FIRESTORE: Final = "check that the address is a Firestore's, or its emulator's"
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
    """

    connection: Connection
    place: CollectionPlace
    budget: Budget
    read_time: Timestamp | None = None
    billed: int = field(default=0)

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
        self, query: StructuredQuery, take: Callable[[HeartbeatDocument], None], *, long: bool = False
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
            SourceError: the answer is no Firestore's.
        """
        seen, answered = 0, False
        request = RunQueryRequest(parent=self.place.parent, structured_query=query, read_time=self.read_time or None)
        answers = self._long(request) if long else self._short(request)
        try:
            async with self.budget.patience() as patience, aclosing(answers):
                async for batch in answers:
                    for answer in batch:
                        if not answered:
                            self._pin(answer.read_time)
                            answered = self.now > 0
                        if answer.document.name:
                            take(self.place.fields.read(answer.document))
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
            yield [answer]

    def _long(self, request: RunQueryRequest) -> AsyncGenerator[list[Any]]:
        return self.connection.run_long_query(request, **self._stream_terms(request))

    def _stream_terms(self, request: RunQueryRequest) -> dict[str, Any]:
        routing = to_grpc_metadata((("parent", request.parent),))
        return {"timeout": self.budget.deadline(), "metadata": (*self.connection.metadata, routing)}

    async def few(self, query: StructuredQuery) -> list[HeartbeatDocument]:
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
        request = RunAggregationQueryRequest(
            parent=self.place.parent,
            structured_aggregation_query=self.place.count(ids, up_to=up_to),
            read_time=(self.read_time or None) if at is None else stamp(at),
        )
        total: int | None = None
        async with self.budget.patience():
            stream = await self.connection.api.run_aggregation_query(request, **self._terms())
            async for response in stream:
                answer = RunAggregationQueryResponse.pb(response)
                fields = answer.result.aggregate_fields
                total = fields["total"].integer_value if "total" in fields else None  # to look is to make, in a map
                self._pin(answer.read_time)
        if total is None or total < 0:
            raise SourceError(f"the answer holds no total ({total})", NO_FIRESTORE)
        self.billed += max(1, -(-total // _ENTRIES_A_READ))
        return total

    async def _get(self, names: list[str]) -> list[HeartbeatDocument]:
        fields = self.place.fields
        request = BatchGetDocumentsRequest(
            database=self.place.database, documents=names, mask=fields.mask, read_time=self.read_time or None
        )
        found: list[HeartbeatDocument] = []
        answered = 0
        async with self.budget.patience():
            stream = await self.connection.api.batch_get_documents(request, **self._terms())
            async for response in stream:
                answer = BatchGetDocumentsResponse.pb(response)
                answered += bool(answer.found.name or answer.missing)
                if answer.found.name:
                    found.append(fields.details(fields.read(answer.found)))
        if answered != len(names):
            asked = counted(len(names), "document was", "documents were")
            raise SourceError(f"{asked} asked for, and {answered} told of", NO_FIRESTORE)
        self.billed += answered
        return found

    def _terms(self) -> dict[str, Any]:
        return {"retry": None, "timeout": self.budget.deadline(), "metadata": self.connection.metadata}

    def _pin(self, read_time: Timestamp) -> None:
        if self.read_time is None and read_time.seconds > 0:
            self.read_time = read_time
