"""Reads whole documents by name, and commits moves: each as raw messages, so that every type stays what it is."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

from google.api_core import exceptions
from google.cloud.firestore_v1 import types

from checks.sources.budget import Budget, ask
from checks.sources.errors import SourceError
from checks.sources.firestore.answers import NOT_BETWEEN
from checks.sources.firestore.channel import Connection
from checks.sources.google_errors import explain
from checks.text.plural import counted, form
from checks.text.show import show
from validate_daily.repairs.stores.bill import Bill
from validate_daily.repairs.stores.timestamps import Nanos, nanos, timestamp

ROLE: Final = "roles/datastore.user"
COMMIT_SECONDS: Final = 20.0
_types: Any = types
Fields = Mapping[str, Any]
"""A document's fields as Firestore's own messages."""

_Document: Final = _types.Document.pb()
_CommitRequest: Final = _types.CommitRequest.pb()


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it is stored: Firestore's own message, and its version."""

    document: Any
    version: Nanos

    @property
    def fields(self) -> Fields:
        """Its fields."""
        return self.document.fields

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.document.ByteSize()

    def same_fields(self, other: Any) -> bool:  # noqa: ANN401 - protobuf's own classes are made at run time
        """Whether it holds exactly what another document's message does, type for type and bit for bit."""
        return _bytes(self.fields) == _bytes(other.fields)


@dataclass(frozen=True, slots=True)
class Move:
    """One document on its way: deleted at ``source`` if its version is this, and created at ``target``.

    Attributes:
        document: Firestore's message with the fields to create; None until the source has been read.
    """

    source: str
    version: Nanos
    target: str
    document: Any = None


class MoveFailure(Enum):
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

    def __init__(self, failure: MoveFailure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure


_KINDS: Final[dict[type[exceptions.GoogleAPICallError], MoveFailure]] = {
    exceptions.FailedPrecondition: MoveFailure.REFUSED,
    exceptions.AlreadyExists: MoveFailure.REFUSED,
    exceptions.NotFound: MoveFailure.REFUSED,
    exceptions.InvalidArgument: MoveFailure.UNFIT,
    exceptions.OutOfRange: MoveFailure.UNFIT,
    exceptions.PermissionDenied: MoveFailure.DENIED,
    exceptions.Unauthenticated: MoveFailure.DENIED,
    exceptions.MethodNotImplemented: MoveFailure.DENIED,
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
        missing = set[str]()
        async with self.budget.patience() as patience:
            stream = await self.connection.api.batch_get_documents(
                request, retry=None, timeout=self.budget.deadline(), metadata=self.connection.metadata
            )
            async for response in stream:
                answer: Any = types.BatchGetDocumentsResponse.pb(response)
                self.budget.extend(patience)
                if answer.HasField("found"):
                    document = answer.found
                    found[document.name] = Stored(document, nanos(document.update_time))
                else:
                    missing.add(answer.missing)
        self.bill.read(len(found) + len(missing))
        if strange := (found.keys() | missing) - set(names) or found.keys() & missing:
            raise SourceError(f"{show(min(strange), limit=200)} was told of otherwise than asked", NOT_BETWEEN)
        if unanswered := set(names) - found.keys() - missing:
            asked = counted(len(names), "document")
            were = form(len(unanswered), "was", "were")
            raise exceptions.ServiceUnavailable(f"{len(unanswered)} of {asked} {were} not answered for")
        return found

    async def commit(self, moves: Sequence[Move], note: Any = None) -> None:  # noqa: ANN401 - as above
        """Make moves in one commit: all of them or none.

        Args:
            moves: which.
            note: Firestore's message of a document that is written with them, over what stands there; None writes none.

        Raises:
            CommitError: there is no acknowledgement.
        """
        raw = _CommitRequest(database=self.connection.target.resource)
        for move in moves:
            _add(raw.writes, move)
        if note is not None:
            raw.writes.add().update.CopyFrom(note)
        request = types.CommitRequest.wrap(raw)
        seconds = min(COMMIT_SECONDS, self.budget.remaining() / 2)  # the rest is for reading what became of it
        try:
            async with asyncio.timeout(seconds):
                await self.connection.api.commit(
                    request, retry=None, timeout=seconds + 1, metadata=self.connection.metadata
                )
        except exceptions.GoogleAPICallError as error:
            kind = next((kind for each, kind in _KINDS.items() if isinstance(error, each)), MoveFailure.LOST)
            raise CommitError(kind, str(explain(error, role=ROLE))) from error
        except TimeoutError:
            raise CommitError(MoveFailure.LOST, f"no acknowledgement within {seconds:.0f} s") from None
        self.bill.moved(len(moves))
        self.bill.wrote(int(note is not None))


def _add(writes: Any, move: Move) -> None:  # noqa: ANN401 - as above
    """Add both halves of a move to the writes of a commit."""
    created = writes.add()
    created.update.CopyFrom(move.document)
    created.update.name = move.target
    created.current_document.exists = False
    deleted = writes.add()
    deleted.delete = move.source
    deleted.current_document.update_time.CopyFrom(timestamp(move.version))


def _bytes(fields: Fields) -> bytes:
    document = _Document()
    document.fields.MergeFrom(fields)
    return bytes(document.SerializeToString(deterministic=True))
