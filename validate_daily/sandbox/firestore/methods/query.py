"""Methods that look through a collection: queries, counts and lists."""

import base64
import binascii
from collections.abc import Iterator
from itertools import islice
from typing import Final

from validate_daily.sandbox.calls import Call
from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.firestore import fields, paths, stamps, wire
from validate_daily.sandbox.firestore import messages as m
from validate_daily.sandbox.firestore.documents import Collection, DocumentStore, IdRange, Version
from validate_daily.sandbox.firestore.methods.read import asked_time, refuse_transaction
from validate_daily.sandbox.firestore.queries import indexes, plan, query
from validate_daily.sandbox.firestore.writes import pack

_ENTRIES_PER_READ: Final = 1_000
_PAGE: Final = 300


def run_query(store: DocumentStore, request: m.RunQueryRequest, call: Call) -> Iterator[bytes]:
    """One response per document; the last says that it is the last."""
    refuse_transaction(request)
    name, parent = paths.parent(request.parent)
    wanted = plan.read(parent, request.structured_query)
    call.request = wanted.summary
    indexes.require(wanted)
    database = store.database(name)
    at = database.read_time(asked_time(request))
    collection = database.collection(wanted.collection)
    rows = list(query.run(wanted, collection, at))
    call.billed_reads = max(1, len(rows))
    return _responses(wanted, collection.prefix, rows[wanted.offset :], at)


def _responses(wanted: plan.Plan, prefix: str, rows: list[query.Row], at: int) -> Iterator[bytes]:
    tail = wire.read_time(at)
    last = len(rows) - 1
    for place, (document_id, version) in enumerate(rows):
        encoded = wire.document(prefix + document_id, version, fields=_masked(version, wanted.mask))
        yield wire.row(encoded, tail if place < last else tail + wire.DONE)
    if not rows:
        yield tail + wire.DONE


def _masked(version: Version, mask: tuple[fields.Path, ...] | None) -> bytes | None:
    if mask is None:
        return None
    paths_ = [path for path in mask if path != fields.NAME]
    if not paths_:
        return b""
    return pack(fields.project(m.Document.FromString(version.fields or b""), paths_))


def run_aggregation_query(store: DocumentStore, request: m.RunAggregationQueryRequest, call: Call) -> Iterator[bytes]:
    """One response with every count."""
    refuse_transaction(request)
    name, parent = paths.parent(request.parent)
    wanted = plan.read(parent, request.structured_aggregation_query.structured_query)
    call.request = wanted.summary
    indexes.require(wanted)
    database = store.database(name)
    at = database.read_time(asked_time(request))
    collection = database.collection(wanted.collection)
    response = m.RunAggregationQueryResponse(read_time=stamps.to_timestamp(at))
    if not request.structured_aggregation_query.aggregations:
        invalid("Aggregations can not be empty.")
    for place, aggregation in enumerate(request.structured_aggregation_query.aggregations, start=1):
        kind = aggregation.WhichOneof("operator")
        if kind != "count":
            unimplemented(f"the aggregation {kind}")
        up_to = aggregation.count.up_to.value if aggregation.count.HasField("up_to") else None
        found = query.count(wanted, collection, at, up_to)
        call.billed_reads = max(call.billed_reads, 1, -(-found // _ENTRIES_PER_READ))
        alias = aggregation.alias or f"field_{place}"
        response.result.aggregate_fields[alias].CopyFrom(m.Value(integer_value=found))
    return iter([response.SerializeToString()])


def list_documents(store: DocumentStore, request: m.ListDocumentsRequest, call: Call) -> bytes:
    """One page of a collection, in the order of ids. A token holds the last id and the moment of the first page."""
    refuse_transaction(request)
    if request.order_by:
        unimplemented("order_by of ListDocuments")
    name, parent = paths.parent(request.parent)
    if not request.collection_id:
        unimplemented("ListDocuments of all collections")
    database = store.database(name)
    collection = database.collection(paths.child(parent, request.collection_id))
    after, at = _resume(request, database.read_time(asked_time(request)))
    size = request.page_size if 0 < request.page_size < _PAGE else _PAGE
    call.request = f"{collection.prefix} after {after!r}, {size} a page"
    page = _page(collection, IdRange(low=after, low_open=True), at, size)
    if request.show_missing:
        missing = [(each, None) for each in database.parents(collection) if after is None or each > after]
        page = sorted({**dict(missing), **dict(page)}.items())[:size]
    call.billed_reads = max(1, len(page))
    mask = tuple(map(fields.parse, request.mask.field_paths)) if request.HasField("mask") else None
    documents = [_listed(collection.prefix + document_id, version, mask) for document_id, version in page]
    token = _token(page[-1][0], at) if len(page) == size else ""
    return m.ListDocumentsResponse(documents=documents, next_page_token=token).SerializeToString()


def _page(collection: Collection, within: IdRange, at: int, size: int) -> list[tuple[str, Version | None]]:
    return list(islice(collection.scan(within, at), size))


def _listed(name: str, version: Version | None, mask: tuple[fields.Path, ...] | None) -> m.Document:
    """A document, or the bare name of one that does not exist and has collections below it."""
    if version is None:
        return m.Document(name=name)
    return m.Document.FromString(wire.document(name, version, fields=_masked(version, mask)))


def _token(last: str, at: int) -> str:
    return base64.urlsafe_b64encode(f"{at} {last}".encode()).decode()


def _resume(request: m.ListDocumentsRequest, now: int) -> tuple[str | None, int]:
    if not request.page_token:
        return None, now
    try:
        at, _, last = base64.b64decode(request.page_token, altchars=b"-_", validate=True).decode().partition(" ")
        return last, int(at)
    except (binascii.Error, ValueError):
        invalid("invalid page token")
