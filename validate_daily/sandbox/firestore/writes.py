"""Commits: every write of one takes effect, or none does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from validate_daily.sandbox.errors import RefusedError, invalid, unimplemented
from validate_daily.sandbox.firestore import fields, limits, paths, stamps, wire
from validate_daily.sandbox.firestore.documents import Database, Version
from validate_daily.sandbox.firestore.messages import (
    Document,
    FieldTransform,
    Precondition,
    Timestamp,
    Value,
    Write,
    WriteResult,
)

_REQUEST_TIME: Final = 1
_MILLISECOND: Final = 1_000


@dataclass(slots=True)
class _Draft:
    """What a document will be after the commit; no body means deleted."""

    path: paths.DocumentPath
    before: Version | None
    body: Document | None
    touched: bool = False


@dataclass(slots=True)
class Committed:
    """A commit that took effect."""

    at: int
    results: list[WriteResult] = field(default_factory=list[WriteResult])

    @property
    def commit_time(self) -> Timestamp:
        """When it took effect."""
        return stamps.to_timestamp(self.at)


def name_of(write: Write) -> str:
    """The document that a write changes."""
    operation = write.WhichOneof("operation")
    if operation is None:
        invalid("empty write operation")
    if operation not in {"update", "delete"}:
        unimplemented(f"the write operation {operation}")
    return write.update.name if operation == "update" else write.delete


def commit(database: Database, writes: Sequence[Write]) -> Committed:
    """Apply writes in order, all or nothing."""
    drafts: dict[str, _Draft] = {}
    at = database.commit_time()
    done = Committed(at)
    turns = [_turn(database, drafts, write, at) for write in writes]
    versions = {name: _store(database, draft, at) for name, draft in drafts.items()}
    for name, transformed in turns:
        version = versions[name]
        stamp = {} if version is None else {"update_time": stamps.to_timestamp(version.updated)}
        done.results.append(WriteResult(**stamp, transform_results=transformed))
    return done


def check_distinct(writes: Iterable[Write]) -> None:
    """Refuse a batch that names a document twice."""
    names = [name_of(write) for write in writes]
    if len(set(names)) < len(names):
        invalid("the same document cannot be written more than once in a single request")


def locate(database: Database, name: str) -> paths.DocumentPath:
    """The place of a document that is about to be written."""
    path = paths.document(name)
    if path.database != database.name:
        invalid(f'Document name "{name}" is not in the database "{database.name}".')
    paths.check_id(path.id, name)
    return path


def _turn(database: Database, drafts: dict[str, _Draft], write: Write, at: int) -> tuple[str, list[Value]]:
    name = name_of(write)
    draft = drafts.get(name)
    if draft is None:
        path = locate(database, name)
        before = database.collection(path.collection).get(path.id, at)
        draft = drafts[name] = _Draft(path, before, None if before is None else wire.message(name, before))
    _check(write.current_document, draft)
    draft.touched = True
    if write.WhichOneof("operation") == "delete":
        draft.body = None
        return name, []
    draft.body = _updated(write, draft.body)
    transformed = [_transform(draft.body, transform, at) for transform in write.update_transforms]
    limits.settle(draft.body)
    return name, transformed


def _check(precondition: Precondition, draft: _Draft) -> None:
    exists = draft.body is not None
    match precondition.WhichOneof("condition_type"):
        case "exists" if precondition.exists and not exists:
            raise RefusedError("NOT_FOUND", f"no entity to update: {_label(draft.path)}")
        case "exists" if exists and not precondition.exists:
            raise RefusedError("ALREADY_EXISTS", f"entity already exists: {_label(draft.path)}")
        case "update_time":
            stored = 0 if draft.before is None or draft.body is None else draft.before.updated
            wanted = stamps.from_timestamp(precondition.update_time)
            if stored != wanted:
                raise RefusedError(
                    "FAILED_PRECONDITION",
                    f"the stored version ({stored}) does not match the required base version ({wanted})",
                )
        case _:
            pass


def _label(path: paths.DocumentPath) -> str:
    return f"{path.database}/documents/{path.collection}/{path.id}"


def _updated(write: Write, body: Document | None) -> Document:
    if not write.HasField("update_mask"):
        return Document(name=write.update.name, fields=write.update.fields)
    merged = Document(name=write.update.name)
    if body is not None:
        merged.CopyFrom(body)
    for text in write.update_mask.field_paths:
        path = fields.parse(text)
        fields.put(merged.fields, path, fields.find(write.update.fields, path))
    return merged


def _transform(body: Document, transform: FieldTransform, at: int) -> Value:
    kind = transform.WhichOneof("transform_type")
    if kind != "set_to_server_value" or transform.set_to_server_value != _REQUEST_TIME:
        unimplemented(f"the field transform {kind}")
    value = Value(timestamp_value=stamps.to_timestamp(at - at % _MILLISECOND))
    fields.put(body.fields, fields.parse(transform.field_path), value)
    return value


def _store(database: Database, draft: _Draft, at: int) -> Version | None:
    collection = database.collection(draft.path.collection)
    if draft.body is None:
        if draft.before is not None:
            collection.put(draft.path.id, at, None)
        return None
    encoded = pack(draft.body)
    if draft.before is not None and draft.before.fields == encoded:
        return draft.before
    return collection.put(draft.path.id, at, encoded)


def pack(document: Document) -> bytes:
    """The fields of a document, as they are kept."""
    return Document(fields=document.fields).SerializeToString(deterministic=True)
