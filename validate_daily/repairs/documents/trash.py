"""How a document becomes one of the trash, and how it becomes again what it was."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from validate_daily.repairs.plans.plan import CleanupPlan
from validate_daily.repairs.stores.documents import Move, Stored
from validate_daily.repairs.stores.timestamps import timestamp

_HASHED: Final = 40


@dataclass(frozen=True, slots=True)
class IntoTrash:
    """A heartbeat becomes a document of the trash.

    Attributes:
        plan: which cleanup's.
        head: the head of the audit's chain before it.
    """

    plan: CleanupPlan
    head: str

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

    def is_ours(self, target: Stored, move: Move) -> bool:
        """It bears this cleanup's id and the path: an earlier start of it wrote another head."""
        return (_text(target, "cleanup"), _text(target, "path")) == (self.plan.id, _below_root(move.source))


@dataclass(frozen=True, slots=True)
class FromTrash:
    """A document of the trash becomes what it was.

    Attributes:
        homes: where each path of the trash came from.
    """

    homes: Mapping[str, str]

    def target(self, path: str) -> str:
        """Where a document of the trash came from."""
        return self.homes[path]

    def document(self, stored: Stored, move: Move) -> Any | None:  # noqa: ANN401 - protobuf's classes have no types
        """The original; None where the trash does not hold any."""
        del move
        fields = stored.fields
        if "document" not in fields or fields["document"].WhichOneof("value_type") != "map_value":
            return None
        original = type(stored.document)()
        original.fields.MergeFrom(fields["document"].map_value.fields)
        return original

    def is_ours(self, target: Stored, move: Move) -> bool:
        """It holds exactly what the original held."""
        return target.same_fields(move.document)


def _below_root(name: str) -> str:
    """A document's path below the root of its database."""
    return name.split("/", 5)[5]


def _text(stored: Stored, name: str) -> str:
    """A string in the trash; empty where there is none."""
    return stored.fields[name].string_value if name in stored.fields else ""
