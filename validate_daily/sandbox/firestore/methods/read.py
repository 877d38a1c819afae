"""Methods that read documents by name, and the names of collections."""

from collections.abc import Iterator, Sequence

from validate_daily.sandbox.calls import Call
from validate_daily.sandbox.errors import RefusedError, invalid, unimplemented
from validate_daily.sandbox.firestore import fields, paths, stamps, wire
from validate_daily.sandbox.firestore import messages as m
from validate_daily.sandbox.firestore.documents import Database, DocumentStore

_Read = (
    m.RunQueryRequest
    | m.RunAggregationQueryRequest
    | m.GetDocumentRequest
    | m.BatchGetDocumentsRequest
    | m.ListDocumentsRequest
)


def get_document(store: DocumentStore, request: m.GetDocumentRequest, call: Call) -> bytes:
    """One document."""
    refuse_transaction(request)
    call.request = request.name
    call.billed_reads = 1
    path = paths.document(request.name)
    database = store.database(path.database)
    mask = _mask(request.mask) if request.HasField("mask") else None
    found = _find(database, request.name, database.read_time(asked_time(request)), mask)
    if found is None:
        raise RefusedError("NOT_FOUND", f"Document ({request.name}) not found.")
    return found.SerializeToString()


def batch_get_documents(store: DocumentStore, request: m.BatchGetDocumentsRequest, call: Call) -> Iterator[bytes]:
    """One response per document, found or missing; a document named twice comes once."""
    refuse_transaction(request)
    names = list(dict.fromkeys(request.documents))
    call.request = f"{len(names)} documents"
    call.billed_reads = len(names)
    database = store.database(paths.database(request.database))
    at = database.read_time(asked_time(request))
    mask = _mask(request.mask) if request.HasField("mask") else None
    found = [(name, _find(database, name, at, mask)) for name in names]
    return iter([_response(name, document, at) for name, document in found])


def list_collection_ids(store: DocumentStore, request: m.ListCollectionIdsRequest, call: Call) -> bytes:
    """The collections below a document or the root that hold documents."""
    if request.page_token:
        unimplemented("page tokens of ListCollectionIds")
    name, parent = paths.parent(request.parent)
    call.request = request.parent
    call.billed_reads = 1
    database = store.database(name)
    below = f"{parent}/" if parent else ""
    held = {
        path.removeprefix(below).partition("/")[0]
        for path, collection in database.collections.items()
        if path.startswith(below) and len(collection)
    }
    return m.ListCollectionIdsResponse(collection_ids=sorted(held)).SerializeToString()


def asked_time(request: _Read) -> m.Timestamp | None:
    """The moment that a request asks for, or None for now."""
    return request.read_time if request.HasField("read_time") else None


def refuse_transaction(request: _Read) -> None:
    """Refuse to read in a transaction, which the practice cloud does not have."""
    if (kind := request.WhichOneof("consistency_selector")) not in {None, "read_time"}:
        unimplemented(f"the consistency selector {kind}")


def _mask(mask: m.DocumentMask) -> tuple[fields.Path, ...]:
    return tuple(fields.parse(text) for text in mask.field_paths)


def _find(database: Database, name: str, at: int, mask: Sequence[fields.Path] | None) -> m.Document | None:
    path = paths.document(name)
    if path.database != database.name:
        invalid(f'Document name "{name}" is not in the database "{database.name}".')
    version = database.collection(path.collection).get(path.id, at)
    if version is None:
        return None
    document = wire.message(name, version)
    return document if mask is None else fields.project(document, mask)


def _response(name: str, document: m.Document | None, at: int) -> bytes:
    stamp = stamps.to_timestamp(at)
    if document is None:
        return m.BatchGetDocumentsResponse(missing=name, read_time=stamp).SerializeToString()
    return m.BatchGetDocumentsResponse(found=document, read_time=stamp).SerializeToString()
