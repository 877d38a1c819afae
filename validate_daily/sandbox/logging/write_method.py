"""WriteLogEntries: all entries or none, each completed with what the request says for all of them."""

import re
from typing import Final

from validate_daily.sandbox.calls import Call
from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.logging.messages import LogEntry, WriteLogEntriesRequest, WriteLogEntriesResponse
from validate_daily.sandbox.logging.store import LogStore

_LOG: Final = re.compile(r"projects/[A-Za-z0-9][A-Za-z0-9.:-]*/logs/[A-Za-z0-9%._-]{1,511}")


def write_log_entries(store: LogStore, request: WriteLogEntriesRequest, call: Call) -> bytes:
    """Keep entries. Whoever has an answer can read them."""
    call.request = f"{len(request.entries)} entries"
    entries = [_complete(entry, request) for entry in request.entries]
    if not request.dry_run:
        for entry in entries:
            store.write(entry)
    return WriteLogEntriesResponse().SerializeToString()


def _complete(entry: LogEntry, request: WriteLogEntriesRequest) -> LogEntry:
    whole = LogEntry()
    whole.CopyFrom(entry)
    whole.log_name = entry.log_name or request.log_name
    if not _LOG.fullmatch(whole.log_name):
        invalid(f"Log name {whole.log_name!r} is no log of a project")
    if not whole.resource.type:
        whole.resource.CopyFrom(request.resource)
    if not whole.resource.type:
        invalid("Log entries must have a monitored resource")
    for key, value in request.labels.items():
        if key not in whole.labels:
            whole.labels[key] = value
    if whole.HasField("proto_payload"):
        unimplemented("log entries with a protobuf payload")
    return whole
