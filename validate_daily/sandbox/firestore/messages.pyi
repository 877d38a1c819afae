from collections.abc import Iterable, MutableMapping, Sequence
from typing import Self, TypeVar

_T = TypeVar("_T")

class _Message:
    @classmethod
    def FromString(cls, data: bytes) -> Self: ...  # noqa: N802 - protobuf's name
    def SerializeToString(self, *, deterministic: bool = ...) -> bytes: ...  # noqa: N802 - protobuf's name
    def HasField(self, name: str) -> bool: ...  # noqa: N802 - protobuf's name
    def WhichOneof(self, name: str) -> str | None: ...  # noqa: N802 - protobuf's name
    def ClearField(self, name: str) -> None: ...  # noqa: N802 - protobuf's name
    def CopyFrom(self, other: Self) -> None: ...  # noqa: N802 - protobuf's name
    def ByteSize(self) -> int: ...  # noqa: N802 - protobuf's name

class _Repeated(Sequence[_T]):
    def append(self, item: _T) -> None: ...
    def extend(self, items: Iterable[_T]) -> None: ...

# An entry comes into being when it is looked up.
class _Values(MutableMapping[str, Value]): ...

class Timestamp(_Message):
    seconds: int
    nanos: int
    def __init__(self, *, seconds: int = ..., nanos: int = ...) -> None: ...

class Status(_Message):
    code: int
    message: str
    def __init__(self, *, code: int = ..., message: str = ...) -> None: ...

class _LatLng(_Message):
    latitude: float
    longitude: float

class Value(_Message):
    null_value: int
    boolean_value: bool
    integer_value: int
    double_value: float
    timestamp_value: Timestamp
    string_value: str
    bytes_value: bytes
    reference_value: str
    geo_point_value: _LatLng
    array_value: ArrayValue
    map_value: MapValue
    def __init__(
        self,
        *,
        null_value: int = ...,
        boolean_value: bool = ...,
        integer_value: int = ...,
        double_value: float = ...,
        timestamp_value: Timestamp = ...,
        string_value: str = ...,
        bytes_value: bytes = ...,
        reference_value: str = ...,
        array_value: ArrayValue = ...,
        map_value: MapValue = ...,
    ) -> None: ...

class ArrayValue(_Message):
    values: _Repeated[Value]
    def __init__(self, *, values: Iterable[Value] = ...) -> None: ...

class MapValue(_Message):
    fields: _Values
    def __init__(self, *, fields: MutableMapping[str, Value] = ...) -> None: ...

class Document(_Message):
    name: str
    fields: _Values
    create_time: Timestamp
    update_time: Timestamp
    def __init__(self, *, name: str = ..., fields: MutableMapping[str, Value] = ...) -> None: ...

class DocumentMask(_Message):
    field_paths: _Repeated[str]

class FieldTransform(_Message):
    field_path: str
    set_to_server_value: int

class Precondition(_Message):
    exists: bool
    update_time: Timestamp
    def __init__(self, *, exists: bool = ..., update_time: Timestamp = ...) -> None: ...

class Write(_Message):
    update: Document
    delete: str
    update_mask: DocumentMask
    update_transforms: _Repeated[FieldTransform]
    current_document: Precondition
    def __init__(
        self,
        *,
        update: Document = ...,
        delete: str = ...,
        update_mask: DocumentMask = ...,
        current_document: Precondition = ...,
    ) -> None: ...

class WriteResult(_Message):
    update_time: Timestamp
    transform_results: _Repeated[Value]
    def __init__(self, *, update_time: Timestamp = ..., transform_results: Iterable[Value] = ...) -> None: ...

class Cursor(_Message):
    values: _Repeated[Value]
    before: bool

class _FieldReference(_Message):
    field_path: str

class FieldFilter(_Message):
    field: _FieldReference
    op: int
    value: Value

class UnaryFilter(_Message):
    field: _FieldReference
    op: int

class _CompositeFilter(_Message):
    op: int
    filters: _Repeated[Filter]

class Filter(_Message):
    composite_filter: _CompositeFilter
    field_filter: FieldFilter
    unary_filter: UnaryFilter

class Order(_Message):
    field: _FieldReference
    direction: int

class _Projection(_Message):
    fields: _Repeated[_FieldReference]

class _CollectionSelector(_Message):
    collection_id: str
    all_descendants: bool

class _Int64(_Message):
    value: int

class StructuredQuery(_Message):
    select: _Projection
    from_: _Repeated[_CollectionSelector]
    where: Filter
    order_by: _Repeated[Order]
    start_at: Cursor
    end_at: Cursor
    offset: int
    limit: _Int64

class _Read(_Message):
    read_time: Timestamp
    transaction: bytes

class RunQueryRequest(_Read):
    parent: str
    structured_query: StructuredQuery

class RunQueryResponse(_Message):
    document: Document
    read_time: Timestamp
    done: bool

class _Count(_Message):
    up_to: _Int64

class _Aggregation(_Message):
    alias: str
    count: _Count

class _StructuredAggregationQuery(_Message):
    structured_query: StructuredQuery
    aggregations: _Repeated[_Aggregation]

class RunAggregationQueryRequest(_Read):
    parent: str
    structured_aggregation_query: _StructuredAggregationQuery

class _AggregationResult(_Message):
    aggregate_fields: _Values

class RunAggregationQueryResponse(_Message):
    result: _AggregationResult
    read_time: Timestamp
    def __init__(self, *, read_time: Timestamp = ...) -> None: ...

class GetDocumentRequest(_Read):
    name: str
    mask: DocumentMask

class BatchGetDocumentsRequest(_Read):
    database: str
    documents: _Repeated[str]
    mask: DocumentMask

class BatchGetDocumentsResponse(_Message):
    found: Document
    missing: str
    read_time: Timestamp
    def __init__(self, *, found: Document = ..., missing: str = ..., read_time: Timestamp = ...) -> None: ...

class ListDocumentsRequest(_Read):
    parent: str
    collection_id: str
    page_size: int
    page_token: str
    order_by: str
    mask: DocumentMask
    show_missing: bool

class ListDocumentsResponse(_Message):
    documents: _Repeated[Document]
    next_page_token: str
    def __init__(self, *, documents: Iterable[Document] = ..., next_page_token: str = ...) -> None: ...

class ListCollectionIdsRequest(_Read):
    parent: str
    page_size: int
    page_token: str

class ListCollectionIdsResponse(_Message):
    collection_ids: _Repeated[str]
    next_page_token: str
    def __init__(self, *, collection_ids: Iterable[str] = ..., next_page_token: str = ...) -> None: ...

class CommitRequest(_Message):
    database: str
    writes: _Repeated[Write]
    transaction: bytes

class CommitResponse(_Message):
    write_results: _Repeated[WriteResult]
    commit_time: Timestamp
    def __init__(self, *, write_results: Iterable[WriteResult] = ..., commit_time: Timestamp = ...) -> None: ...

class BatchWriteRequest(_Message):
    database: str
    writes: _Repeated[Write]

class BatchWriteResponse(_Message):
    def __init__(self, *, write_results: Iterable[WriteResult] = ..., status: Iterable[Status] = ...) -> None: ...

class CreateDocumentRequest(_Message):
    parent: str
    collection_id: str
    document_id: str
    document: Document
    mask: DocumentMask

class UpdateDocumentRequest(_Message):
    document: Document
    update_mask: DocumentMask
    mask: DocumentMask
    current_document: Precondition

class DeleteDocumentRequest(_Message):
    name: str
    current_document: Precondition
