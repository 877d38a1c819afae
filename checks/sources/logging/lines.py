"""Reads one entry of Cloud Logging into one line: when, where from, how grave, and what it says. Pure; never fails.

An entry's text is in ``textPayload``, in ``message`` of ``jsonPayload``, or in the status of an audit log.
"""

from dataclasses import dataclass
from typing import Any, Final

from google.cloud.audit.audit_log_pb2 import AuditLog
from google.protobuf.message import DecodeError

from checks.sources.resource_names import NAME
from checks.sources.times import Micros

WARNING: Final = 400
_EXECUTION: Final = "run.googleapis.com/execution_name"
_HALF: Final = 8_192


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log line. ``source`` is the service or job, ``revision`` its revision or execution, if it bears one."""

    at: Micros
    source: str
    revision: str | None
    severity: int
    text: str


def read_line(entry: Any) -> LogLine:  # noqa: ANN401 - protobuf's own classes are made at run time
    """Whatever an entry holds, as a line; where it holds no text, the text is empty.

    Args:
        entry: ``google.logging.v2.LogEntry`` as raw protobuf.
    """
    labels = entry.resource.labels
    source = _named(labels.get("service_name")) or _named(labels.get("job_name")) or "(unknown)"
    revision = _named(labels.get("revision_name")) or _named(entry.labels.get(_EXECUTION))
    stamp = entry.timestamp if entry.HasField("timestamp") else entry.receive_timestamp
    return LogLine(
        at=stamp.seconds * 1_000_000 + stamp.nanos // 1_000,
        source=source,
        revision=revision,
        severity=entry.severity,
        text=_both_ends(_text(entry)),
    )


def _named(label: str | None) -> str | None:
    """A label that is a name; whoever may write logs may write any label, and rules put names into next steps."""
    return label if label and NAME.fullmatch(label) else None


def _text(entry: Any) -> str:  # noqa: ANN401 - protobuf's own classes are made at run time
    kind = entry.WhichOneof("payload")
    if kind == "text_payload":
        return str(entry.text_payload)
    if kind == "json_payload":
        fields = entry.json_payload.fields
        return str(fields["message"].string_value) if "message" in fields else ""  # to look is to make, in a map
    if kind == "proto_payload" and entry.proto_payload.Is(AuditLog.DESCRIPTOR):
        log = AuditLog()
        try:
            log.ParseFromString(entry.proto_payload.value)
        except DecodeError:
            return ""
        return str(log.status.message)
    return ""


def _both_ends(text: str) -> str:
    """The beginning and the end of a long text: a traceback says at its end what went wrong."""
    if len(text) <= 2 * _HALF:
        return text
    return text[:_HALF] + "\n" + text[-_HALF:].partition("\n")[2]
