"""The notes that a restore leaves beside the trash, one in each of its commits: what it moved back.

A note and the documents of its commit have the same time to the microsecond, so a document that somebody wrote
afterwards is never taken for one that was moved back.
"""

from dataclasses import dataclass
from typing import Any, Final

from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.cloud.firestore_v1.types import RunQueryRequest, StructuredQuery, Value
from google.protobuf.timestamp_pb2 import Timestamp

from checks.sources.budget import Budget, ask
from checks.sources.errors import SourceError
from checks.sources.firestore.channel import Connection
from checks.sources.firestore.document_fields import micros_of
from checks.sources.firestore.restores import Restored, Restores
from checks.sources.times import Micros

AT: Final = "at"
"""When the restore began, a little before the note's own time: the index that notes are found by."""
DOCUMENTS: Final = "documents"
ID: Final = "id"
CREATED: Final = "created_at"
TRASHED: Final = "trashed_at"

_LONGEST_RESTORE: Final[Micros] = 2 * 3_600_000_000
_MOST: Final = 2_000
"""Notes that are read at most; each is of some 250 documents."""
_ROLE: Final = "roles/datastore.viewer"


@dataclass(slots=True)
class RestoreNotes:
    """Where a pipeline's notes are, and what reading them was billed.

    Attributes:
        connection: the open way to the database.
        collection: the id of their collection.
        budget: what the call may take.
        read_time: the moment to read as of; None takes the server's now.
        billed: document reads.
    """

    connection: Connection
    collection: str
    budget: Budget
    read_time: Timestamp | None = None
    billed: int = 0

    async def read(self, since: Micros) -> Restores:
        """The documents that were moved back since a moment.

        Raises:
            SourceError: there is no answer, or there are more notes than are read.
        """
        found = await ask(lambda: self._read(since), self.budget, role=_ROLE)
        return Restores(tuple(found))

    async def _read(self, since: Micros) -> list[Restored]:
        parent = f"{self.connection.target.resource}/documents"
        request = RunQueryRequest(parent=parent, structured_query=self._query(since), read_time=self.read_time or None)
        routing = to_grpc_metadata((("parent", parent),))
        terms: dict[str, Any] = {
            "timeout": self.budget.deadline(),
            "metadata": (*self.connection.metadata, routing),
        }
        found, notes, answered = list[Restored](), 0, False
        try:
            async with self.budget.patience() as patience:
                async for answer in await self.connection.run_query(request, **terms):
                    answered = True
                    if answer.document.name:
                        notes += 1
                        found += _restored(answer.document)
                    self.budget.extend(patience)
        finally:
            self.billed += max(notes, int(answered))
        if not answered:
            raise SourceError("the server ended the stream without an answer", "try again")
        if notes > _MOST:
            raise SourceError(
                f"more than {_MOST:,} notes of restores are in {self.collection}",
                "wait a day: then what was restored is no longer new",
            )
        return found

    def _query(self, since: Micros) -> StructuredQuery:
        earliest = since - _LONGEST_RESTORE
        stamp = Timestamp(seconds=earliest // 1_000_000, nanos=earliest % 1_000_000 * 1_000)
        return StructuredQuery(
            from_=[StructuredQuery.CollectionSelector(collection_id=self.collection)],
            where=StructuredQuery.Filter(
                field_filter=StructuredQuery.FieldFilter(
                    field=StructuredQuery.FieldReference(field_path=AT),
                    op=StructuredQuery.FieldFilter.Operator.GREATER_THAN,
                    value=Value(timestamp_value=stamp),
                )
            ),
            limit=_MOST + 1,
        )


def _restored(note: Any) -> list[Restored]:  # noqa: ANN401 - protobuf's own classes are made at run time
    moved, documents = micros_of(note.update_time), note.fields.get(DOCUMENTS)
    found = list[Restored]()
    for each in () if documents is None else documents.array_value.values:
        fields = each.map_value.fields
        if {ID, CREATED, TRASHED} <= set(fields):
            created, trashed = (micros_of(fields[name].timestamp_value) for name in (CREATED, TRASHED))
            found.append(Restored(fields[ID].string_value, moved, created, trashed))
    return found
