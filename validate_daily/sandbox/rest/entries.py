"""Cloud Logging's entries:list: the gRPC method, with JSON around it."""

from collections.abc import Callable
from typing import Any

from google.protobuf import json_format

from validate_daily.sandbox.calls import Call
from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.logging.messages import ListLogEntriesRequest, ListLogEntriesResponse
from validate_daily.sandbox.rpc import Single, Table

Answer = Callable[[bytes, Call], str]


def list_entries(methods: Table) -> Answer:
    """Answers with what ListLogEntries answers, from one store and within one quota."""
    method = methods["ListLogEntries"]
    if not isinstance(method, Single):
        unimplemented("ListLogEntries over HTTP")
    grpc = method

    def answer(body: bytes, call: Call) -> str:
        request: Any = ListLogEntriesRequest()
        try:
            json_format.Parse(body, request)
        except (json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
            invalid(f"Invalid JSON payload received. {error}")
        response: Any = ListLogEntriesResponse.FromString(grpc.answer(request.SerializeToString(), call))
        return json_format.MessageToJson(response)

    return answer
