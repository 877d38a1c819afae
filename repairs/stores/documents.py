"""Reads whole documents by name, and commits moves: each as raw messages, so that every type stays what it is."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

from google.api_core import exceptions
from google.cloud.firestore_v1 import types

from checks.sources.firestore_channel import Connection
from checks.sources.reading import Budget, ask, explain
from repairs.stores.bill import Bill
from repairs.stores.stamps import Nanos, nanos, timestamp

ROLE: Final = "roles/datastore.user"
COMMIT_SECONDS: Final = 20.0
_types: Any = types
Fields = Mapping[str, Any]
"""A document's fields as Firestore's own messages."""

_Write: Final = _types.Write.pb()
_CommitRequest: Final = _types.CommitRequest.pb()


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it is stored: its version, its birth, its fields, and its size in bytes."""

    version: Nanos
    created: Nanos
    fields: Fields
    size: int

    def same_fields(self, other: Fields) -> bool:
        """Whether it holds exactly these, type for type and bit for bit."""
        return _bytes(self.fields) == _bytes(other)


@dataclass(frozen=True, slots=True)
class Move:
    """One document on its way: created at ``target`` with ``fields``, deleted at ``source`` if its version is this."""

    source: str
    version: Nanos
    target: str
    fields: Fields


class Failure(Enum):
    """Why a commit failed, as far as it matters for what to do next."""

    REFUSED = auto()
    """A precondition does not hold."""
    UNFIT = auto()
    """Firestore cannot store what was sent."""
    DENIED = auto()
    """Nothing of this kind will succeed."""
    LOST = auto()
    """It may have taken effect, or not."""


class CommitError(Exception):
    """A commit without an acknowledgement."""

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure


_KINDS: Final[dict[type[exceptions.GoogleAPICallError], Failure]] = {
    exceptions.FailedPrecondition: Failure.REFUSED,
    exceptions.AlreadyExists: Failure.REFUSED,
    exceptions.NotFound: Failure.REFUSED,
    exceptions.InvalidArgument: Failure.UNFIT,
    exceptions.OutOfRange: Failure.UNFIT,
    exceptions.PermissionDenied: Failure.DENIED,
    exceptions.Unauthenticated: Failure.DENIED,
    exceptions.MethodNotImplemented: Failure.DENIED,
}


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents of one database, by their full names."""

    connection: Connection
    budget: Budget
    bill: Bill

    async def read(self, names: Iterable[str], at: datetime | None = None) -> dict[str, Stored]:
        """The documents that exist, now or as of a moment.

        Raises:
            SourceError: not all could be asked for.
        """
        asked = list(names)
        return await ask(lambda: self._read(asked, at), self.budget, role=ROLE)

    async def _read(self, names: list[str], at: datetime | None) -> dict[str, Stored]:
        request = types.BatchGetDocumentsRequest(
            database=self.connection.target.resource,
            documents=names,
            read_time=None if at is None else timestamp(at),
        )
        found = dict[str, Stored]()
        answered = set[str]()
        async with self.budget.patience() as patience:
            stream = await self.connection.api.batch_get_documents(
                request, retry=None, timeout=self.budget.deadline(), metadata=self.connection.metadata
            )
            async for response in stream:
                answer: Any = types.BatchGetDocumentsResponse.pb(response)
                self.budget.extend(patience)
                if answer.HasField("found"):
                    found[answer.found.name] = _stored(answer.found)
                answered.add(answer.found.name or answer.missing)
        self.bill.read(len(answered))
        if missing := set(names) - answered:
            raise exceptions.ServiceUnavailable(f"{len(missing)} of {len(names)} documents were not answered for")
        return found

    async def commit(self, moves: Iterable[Move]) -> None:
        """Make moves in one commit: all of them or none.

        Raises:
            CommitError: there is no acknowledgement.
        """
        writes = [write for move in moves for write in _writes(move)]
        raw = _CommitRequest(database=self.connection.target.resource, writes=writes)
        request = types.CommitRequest.wrap(raw)
        seconds = min(COMMIT_SECONDS, self.budget.remaining() / 2)  # the rest is for reading what became of it
        try:
            async with asyncio.timeout(seconds):
                await self.connection.api.commit(
                    request, retry=None, timeout=seconds + 1, metadata=self.connection.metadata
                )
        except exceptions.GoogleAPICallError as error:
            kind = next((kind for each, kind in _KINDS.items() if isinstance(error, each)), Failure.LOST)
            raise CommitError(kind, str(explain(error, role=ROLE))) from error
        except TimeoutError:
            raise CommitError(Failure.LOST, f"no acknowledgement within {seconds:.0f} s") from None
        self.bill.moved(len(writes) // 2)


def trash_fields(stored: Stored, *, path: str, **more: str | datetime) -> Fields:
    """The fields of a document in the trash.

    Args:
        stored: the original.
        path: where it was, below the database's root.
        more: what else to keep, by name.
    """
    value = _types.Value.pb()
    original = value()
    original.map_value.SetInParent()
    for name, held in stored.fields.items():
        original.map_value.fields[name].CopyFrom(held)
    told = {
        name: value(string_value=held) if isinstance(held, str) else value(timestamp_value=timestamp(held))
        for name, held in more.items()
    }
    return {
        "document": original,
        "path": value(string_value=path),
        "created_at": value(timestamp_value=timestamp(stored.created)),
        "updated_at": value(timestamp_value=timestamp(stored.version)),
        **told,
    }


def below_root(name: str) -> str:
    """A document's path below the root of its database."""
    return name.split("/", 5)[5]


def text(fields: Fields, name: str) -> str:
    """A string in the trash; empty where there is none."""
    return fields[name].string_value if name in fields else ""


def original_fields(trashed: Fields) -> Fields | None:
    """The fields that a document had before it was moved to the trash; None where the trash does not hold any."""
    if "document" not in trashed or trashed["document"].WhichOneof("value_type") != "map_value":
        return None
    return trashed["document"].map_value.fields


def _stored(document: Any) -> Stored:  # noqa: ANN401 - protobuf's own classes are made at run time
    return Stored(
        version=nanos(document.update_time),
        created=nanos(document.create_time),
        fields=document.fields,
        size=document.ByteSize(),
    )


def _writes(move: Move) -> Iterable[Any]:
    created = _Write()
    created.update.name = move.target
    for name, value in move.fields.items():
        created.update.fields[name].CopyFrom(value)
    created.current_document.exists = False
    deleted = _Write(delete=move.source)
    deleted.current_document.update_time.CopyFrom(timestamp(move.version))
    return created, deleted


def _bytes(fields: Fields) -> bytes:
    document = _types.Document.pb()()
    for name, value in fields.items():
        document.fields[name].CopyFrom(value)
    return bytes(document.SerializeToString(deterministic=True))
