"""Methods that change documents."""

import random
import string

from validate_daily.sandbox.calls import Call
from validate_daily.sandbox.errors import RefusedError, unimplemented
from validate_daily.sandbox.firestore import messages as m
from validate_daily.sandbox.firestore import paths, wire, writes
from validate_daily.sandbox.firestore.documents import Database, DocumentStore

_AUTO_ID = 20
_CODES = {"NOT_FOUND": 5, "ALREADY_EXISTS": 6, "FAILED_PRECONDITION": 9}


def commit(store: DocumentStore, request: m.CommitRequest, call: Call) -> bytes:
    """All writes or none."""
    call.request = f"{len(request.writes)} writes"
    if request.transaction:
        unimplemented("transactions")
    done = writes.commit(store.database(paths.database(request.database)), request.writes)
    return m.CommitResponse(write_results=done.results, commit_time=done.commit_time).SerializeToString()


def batch_write(store: DocumentStore, request: m.BatchWriteRequest, call: Call) -> bytes:
    """Each write for itself, with a status of its own."""
    call.request = f"{len(request.writes)} writes"
    writes.check_distinct(request.writes)
    database = store.database(paths.database(request.database))
    for write in request.writes:
        writes.locate(database, writes.name_of(write))
    outcomes = [_alone(database, write) for write in request.writes]
    return m.BatchWriteResponse(
        write_results=[result for result, _ in outcomes], status=[status for _, status in outcomes]
    ).SerializeToString()


def _alone(database: Database, write: m.Write) -> tuple[m.WriteResult, m.Status]:
    try:
        done = writes.commit(database, [write])
    except RefusedError as error:
        if error.status not in _CODES:
            raise
        return m.WriteResult(), m.Status(code=_CODES[error.status], message=error.message)
    return done.results[0], m.Status()


def create_document(store: DocumentStore, request: m.CreateDocumentRequest, call: Call) -> bytes:
    """A document that must not exist yet; it gets an id unless it brings one."""
    name, parent = paths.parent(request.parent)
    document_id = request.document_id or "".join(random.choices(string.ascii_letters + string.digits, k=_AUTO_ID))  # noqa: S311 - an id, no secret
    full = f"{name}/documents/{paths.child(parent, request.collection_id)}/{document_id}"
    call.request = full
    wanted = m.Write(
        update=m.Document(name=full, fields=request.document.fields), current_document=m.Precondition(exists=False)
    )
    return _written(store.database(name), full, wanted)


def update_document(store: DocumentStore, request: m.UpdateDocumentRequest, call: Call) -> bytes:
    """A document, replaced or merged by mask."""
    call.request = name = request.document.name
    wanted = m.Write(update=request.document, current_document=request.current_document)
    if request.HasField("update_mask"):
        wanted.update_mask.CopyFrom(request.update_mask)
    return _written(store.database(paths.document(name).database), name, wanted)


def delete_document(store: DocumentStore, request: m.DeleteDocumentRequest, call: Call) -> bytes:
    """A document, gone; the answer is an empty message."""
    call.request = request.name
    wanted = m.Write(delete=request.name, current_document=request.current_document)
    writes.commit(store.database(paths.document(request.name).database), [wanted])
    return b""


def _written(database: Database, name: str, write: m.Write) -> bytes:
    done = writes.commit(database, [write])
    path = paths.document(name)
    version = database.collection(path.collection).get(path.id, done.at)
    return b"" if version is None else wire.document(name, version)
