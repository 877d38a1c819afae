"""How a document becomes one of the trash, and how it becomes again what it was."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from google.cloud.firestore_v1 import types

from checks.sources.firestore.restore_notes import AT, CREATED, DOCUMENTS, ID, TRASHED
from validate_daily.repairs.documents.mover import MEMBERS
from validate_daily.repairs.plans.plan import CleanupPlan, RestorePlan
from validate_daily.repairs.stores.documents import Move, Stored
from validate_daily.repairs.stores.timestamps import timestamp

_types: Any = types
_Document: Final = _types.Document.pb()
NOTED_MEMBERS: Final = MEMBERS - 1
"""Documents of one commit that writes a note as well."""
_HASHED: Final = 40


@dataclass(frozen=True, slots=True)
class IntoTrash:
    """A heartbeat becomes a document of the trash.

    Attributes:
        plan: which cleanup's.
        head: the head of the audit's chain before it.
        members: documents of one commit at most.
    """

    plan: CleanupPlan
    head: str
    members: int = MEMBERS

    def target(self, path: str) -> str:
        """Where in the trash a document goes: no other plan and no other document has this id."""
        return f"{self.plan.trash}/{self.plan.id}_{hashlib.sha256(path.encode()).hexdigest()[:_HASHED]}"

    def document(self, stored: Stored, move: Move) -> Any:  # noqa: ANN401 - protobuf's classes have no types
        """The original inside, and where, when and by which cleanup it was."""
        trashed = type(stored.document)()
        fields = trashed.fields
        original = fields["document"].map_value
        original.SetInParent()
        original.fields.MergeFrom(stored.fields)
        fields["created_at"].timestamp_value.CopyFrom(stored.document.create_time)
        fields["updated_at"].timestamp_value.CopyFrom(stored.document.update_time)
        fields["path"].string_value = _below_root(move.source)
        fields["cleanup"].string_value = self.plan.id
        fields["audit"].string_value = self.head
        if self.plan.undo_until is not None:
            fields["expires_at"].timestamp_value.CopyFrom(timestamp(self.plan.undo_until))
        return trashed

    def note(self, moves: Sequence[Move]) -> None:
        """None: the trash itself says what was moved there."""

    def is_ours(self, target: Stored, move: Move) -> bool:
        """It bears this cleanup's id and the path: an earlier start of it wrote another head."""
        return (_text(target, "cleanup"), _text(target, "path")) == (self.plan.id, _below_root(move.source))


@dataclass(frozen=True, slots=True)
class FromTrash:
    """A document of the trash becomes what it was; a note beside the trash says when it was created before.

    Attributes:
        homes: where each path of the trash came from.
        plan: which restore's.
        notes: the id of the collection of the notes.
        at: when the restore began.
        expires: how long a note is kept, where the settings say so.
        members: documents of one commit at most.
    """

    homes: Mapping[str, str]
    plan: RestorePlan
    notes: str
    at: datetime
    expires: timedelta | None = None
    members: int = NOTED_MEMBERS
    _origins: dict[str, tuple[Any, Any]] = field(default_factory=dict[str, tuple[Any, Any]])

    def target(self, path: str) -> str:
        """Where a document of the trash came from."""
        return self.homes[path]

    def document(self, stored: Stored, move: Move) -> Any | None:  # noqa: ANN401 - protobuf's classes have no types
        """The original; None where the trash does not hold any."""
        fields, trashed = stored.fields, stored.document.create_time
        created = fields["created_at"].timestamp_value if "created_at" in fields else trashed
        self._origins[move.source] = (created, trashed)
        if "document" not in fields or fields["document"].WhichOneof("value_type") != "map_value":
            return None
        original = type(stored.document)()
        original.fields.MergeFrom(fields["document"].map_value.fields)
        return original

    def note(self, moves: Sequence[Move]) -> Any:  # noqa: ANN401 - protobuf's classes have no types
        """Which documents these are: a census reads it, because Firestore's create time is now that of the move."""
        note: Any = _Document()
        root = moves[0].target.split("/documents/", 1)[0]
        sources = hashlib.sha256("\n".join(move.source for move in moves).encode()).hexdigest()[:_HASHED]
        note.name = f"{root}/documents/{self.notes}/{self.plan.id}_{sources}"
        note.fields["restore"].string_value = self.plan.id
        note.fields["cleanup"].string_value = self.plan.cleanup
        note.fields[AT].timestamp_value.CopyFrom(timestamp(self.at))
        if self.expires is not None:
            note.fields["expires_at"].timestamp_value.CopyFrom(timestamp(self.at + self.expires))
        for move in moves:
            created, trashed = self._origins[move.source]
            fields = note.fields[DOCUMENTS].array_value.values.add().map_value.fields
            fields[ID].string_value = move.target.rpartition("/")[2]
            fields[CREATED].timestamp_value.CopyFrom(created)
            fields[TRASHED].timestamp_value.CopyFrom(trashed)
        return note

    def is_ours(self, target: Stored, move: Move) -> bool:
        """It holds exactly what the original held."""
        return target.same_fields(move.document)


def _below_root(name: str) -> str:
    """A document's path below the root of its database."""
    return name.split("/", 5)[5]


def _text(stored: Stored, name: str) -> str:
    """A string in the trash; empty where there is none."""
    return stored.fields[name].string_value if name in stored.fields else ""
