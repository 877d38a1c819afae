from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Self, TypeVar

_T = TypeVar("_T")

SEVERITIES: dict[str, int]

class _Enum:
    name: str
    number: int

class _EnumType:
    values_by_number: Mapping[int, _Enum]

class _MessageOptions:
    map_entry: bool

class FieldDescriptor:
    name: str
    json_name: str
    has_presence: bool
    message_type: Descriptor | None
    enum_type: _EnumType | None

class Descriptor:
    full_name: str
    fields: Sequence[FieldDescriptor]
    def GetOptions(self) -> _MessageOptions: ...  # noqa: N802 - protobuf's name

class Message:
    DESCRIPTOR: Descriptor
    @classmethod
    def FromString(cls, data: bytes) -> Self: ...  # noqa: N802 - protobuf's name
    def SerializeToString(self, *, deterministic: bool = ...) -> bytes: ...  # noqa: N802 - protobuf's name
    def HasField(self, name: str) -> bool: ...  # noqa: N802 - protobuf's name
    def ListFields(self) -> list[tuple[FieldDescriptor, Any]]: ...  # noqa: N802 - protobuf's name
    def WhichOneof(self, name: str) -> str | None: ...  # noqa: N802 - protobuf's name
    def CopyFrom(self, other: Self) -> None: ...  # noqa: N802 - protobuf's name
    def ByteSize(self) -> int: ...  # noqa: N802 - protobuf's name

class _Repeated(Sequence[_T]):
    def append(self, item: _T) -> None: ...
    def extend(self, items: Iterable[_T]) -> None: ...

class Timestamp(Message):
    seconds: int
    nanos: int
    def __init__(self, *, seconds: int = ..., nanos: int = ...) -> None: ...

class Value(Message):
    null_value: int
    number_value: float
    string_value: str
    bool_value: bool
    struct_value: Struct
    list_value: _ListValue

class _ListValue(Message):
    values: _Repeated[Value]

class Struct(Message):
    fields: MutableMapping[str, Value]
    def update(self, value: Mapping[str, object]) -> None: ...

class _MonitoredResource(Message):
    type: str
    labels: MutableMapping[str, str]

class _Operation(Message):
    id: str
    producer: str

class LogEntry(Message):
    log_name: str
    resource: _MonitoredResource
    text_payload: str
    json_payload: Struct
    timestamp: Timestamp
    receive_timestamp: Timestamp
    severity: int
    insert_id: str
    labels: MutableMapping[str, str]
    operation: _Operation
    trace: str
    span_id: str
    def __init__(
        self,
        *,
        log_name: str = ...,
        text_payload: str = ...,
        timestamp: Timestamp = ...,
        receive_timestamp: Timestamp = ...,
        severity: int = ...,
        insert_id: str = ...,
        labels: Mapping[str, str] = ...,
        trace: str = ...,
        span_id: str = ...,
    ) -> None: ...

class WriteLogEntriesRequest(Message):
    log_name: str
    resource: _MonitoredResource
    labels: MutableMapping[str, str]
    entries: _Repeated[LogEntry]
    partial_success: bool
    dry_run: bool

class WriteLogEntriesResponse(Message):
    def __init__(self) -> None: ...

class ListLogEntriesRequest(Message):
    resource_names: _Repeated[str]
    filter: str
    order_by: str
    page_size: int
    page_token: str

class ListLogEntriesResponse(Message):
    entries: _Repeated[LogEntry]
    next_page_token: str
    def __init__(self, *, entries: Iterable[LogEntry] = ..., next_page_token: str = ...) -> None: ...
