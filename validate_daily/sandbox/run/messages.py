"""Messages as plain dictionaries, in the names of their proto fields: the only place here that touches protobuf."""

from collections.abc import Mapping
from typing import Any, Final

from google.cloud.run_v2 import types
from google.iam.v1 import iam_policy_pb2  # pyright: ignore[reportMissingTypeStubs] - Google has none
from google.longrunning import operations_pb2  # pyright: ignore[reportMissingTypeStubs] - Google has none
from google.protobuf import empty_pb2, json_format

Fields = Mapping[str, object]

_types: Any = types
_OTHERS: Final[dict[str, Any]] = {
    "TestIamPermissionsRequest": iam_policy_pb2.TestIamPermissionsRequest,
    "TestIamPermissionsResponse": iam_policy_pb2.TestIamPermissionsResponse,
    "Operation": operations_pb2.Operation,
    "GetOperationRequest": operations_pb2.GetOperationRequest,
    "WaitOperationRequest": operations_pb2.WaitOperationRequest,
    "Empty": empty_pb2.Empty,
}


def encode(kind: str, fields: Fields) -> bytes:
    """A message of this kind, as the bytes that go over the wire."""
    message: Any = json_format.ParseDict(dict(fields), _class(kind)())
    return message.SerializeToString()


def decode(kind: str, data: bytes) -> dict[str, Any]:
    """The fields that are set in a message of this kind."""
    return json_format.MessageToDict(_class(kind).FromString(data), preserving_proto_field_name=True)


def enum(kind: str, field: str) -> frozenset[str]:
    """The names of a field's enum."""
    descriptor: Any = _class(kind).DESCRIPTOR.fields_by_name[field].enum_type
    return frozenset(descriptor.values_by_name)


def packed(kind: str, fields: Fields) -> dict[str, object]:
    """A message within an ``Any``."""
    return {"@type": f"type.googleapis.com/google.cloud.run.v2.{kind}", **fields}


def _class(kind: str) -> Any:  # noqa: ANN401 - made at run time, no type checker can see it
    return _OTHERS[kind] if kind in _OTHERS else getattr(_types, kind).pb()
