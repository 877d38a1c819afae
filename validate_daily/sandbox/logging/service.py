"""The methods of ``google.logging.v2.LoggingServiceV2`` that the practice cloud answers, in one list."""

from typing import Final

from validate_daily.sandbox.calls import Call
from validate_daily.sandbox.logging.list_method import list_log_entries
from validate_daily.sandbox.logging.messages import ListLogEntriesRequest, WriteLogEntriesRequest
from validate_daily.sandbox.logging.quota import Quota
from validate_daily.sandbox.logging.store import LogStore
from validate_daily.sandbox.logging.write_method import write_log_entries
from validate_daily.sandbox.rpc import Single, Table

LOGGING: Final = "google.logging.v2.LoggingServiceV2"


def logging_methods(store: LogStore) -> Table:
    """All methods, over one store. Whatever else Google's service has is unimplemented."""
    quota = Quota(store.clock)

    def answer(request: bytes, call: Call) -> bytes:
        return list_log_entries(store, quota, ListLogEntriesRequest.FromString(request), call)

    def write(request: bytes, call: Call) -> bytes:
        return write_log_entries(store, WriteLogEntriesRequest.FromString(request), call)

    return {"ListLogEntries": Single(answer), "WriteLogEntries": Single(write)}
