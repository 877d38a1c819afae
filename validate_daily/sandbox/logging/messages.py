"""Cloud Logging's messages as plain protobuf classes.

They are made at run time, so that no type checker can see them: the stub beside this file says what they are.
"""

from typing import Any

from google.cloud.logging_v2 import types
from google.protobuf.descriptor import Descriptor as Descriptor  # noqa: PLC0414 - part of this file's surface
from google.protobuf.descriptor import FieldDescriptor as FieldDescriptor  # noqa: PLC0414 - part of this file's surface
from google.protobuf.message import Message as Message  # noqa: PLC0414 - part of this file's surface
from google.protobuf.struct_pb2 import Struct as Struct  # noqa: PLC0414 - part of this file's surface
from google.protobuf.struct_pb2 import Value as Value  # noqa: PLC0414 - part of this file's surface
from google.protobuf.timestamp_pb2 import Timestamp as Timestamp  # noqa: PLC0414 - part of this file's surface

_types: Any = types

LogEntry = _types.LogEntry.pb()
WriteLogEntriesRequest = _types.WriteLogEntriesRequest.pb()
WriteLogEntriesResponse = _types.WriteLogEntriesResponse.pb()
ListLogEntriesRequest = _types.ListLogEntriesRequest.pb()
ListLogEntriesResponse = _types.ListLogEntriesResponse.pb()

_severity: Any = LogEntry.DESCRIPTOR.fields_by_name["severity"].enum_type
SEVERITIES: dict[str, int] = {name: value.number for name, value in _severity.values_by_name.items()}
