"""The methods of ``google.logging.v2.LoggingServiceV2`` that the practice cloud answers, in one list."""

from typing import Final

from sandbox.calls import Call
from sandbox.logging.listing import list_log_entries
from sandbox.logging.messages import ListLogEntriesRequest, WriteLogEntriesRequest
from sandbox.logging.quota import Quota
from sandbox.logging.store import LogStore
from sandbox.logging.writing import write_log_entries
from sandbox.rpc import Single, Table

NAME: Final = "google.logging.v2.LoggingServiceV2"


def methods(store: LogStore) -> Table:
    """All methods, over one store. Whatever else Google's service has is unimplemented."""
    quota = Quota(store.clock)

    def answer(request: bytes, call: Call) -> bytes:
        return list_log_entries(store, quota, ListLogEntriesRequest.FromString(request), call)

    def write(request: bytes, call: Call) -> bytes:
        return write_log_entries(store, WriteLogEntriesRequest.FromString(request), call)

    return {"ListLogEntries": Single(answer), "WriteLogEntries": Single(write)}
