"""Reads one entry of Cloud Logging into one line: when, where from, how grave, and what it says. Pure; never fails.

What a program said is in ``textPayload``, or in ``message``, ``event`` or ``msg`` of ``jsonPayload`` or of a text that
is one JSON object; or it is in the status of an audit log. Own fields of the heartbeat library are in ``heartbeat``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from google.cloud.audit.audit_log_pb2 import AuditLog
from google.protobuf.message import DecodeError

from checks.sources.resource_names import NAME
from checks.sources.times import Micros

WARNING: Final = 400
ERROR: Final = 500
SYSTEM: Final = "varlog%2Fsystem"
"""The end of the name of the log in which Cloud Run itself writes about a container."""
SAID: Final = ("message", "event", "msg")
"""The keys under which loggers put a program's message, the usual one first."""

_EXECUTION: Final = "run.googleapis.com/execution_name"
_TASK: Final = "run.googleapis.com/task_index"
_ATTEMPT: Final = "run.googleapis.com/task_attempt"
_INSTANCE: Final = "instanceId"
_LOGGER: Final = "python_logger"
_LOGGERS: Final = ("logger", "logger_name", "loggerName", "python_logger")
_PAIRS: Final = re.compile(
    r"(?:(?:time|ts|timestamp|level|lvl|severity|logger|thread|pid|process|caller|module|func|line|lineno|file)="
    r'(?:"(?:[^"\\]|\\.)*+"|[^\s"]*+)[ \t]+)*+(?:msg|message|event)="(?P<said>(?:[^"\\]|\\.)*+)"'
)
"""A line of logfmt, as far as its message: keys that a formatter writes, and no others, may come first."""

_ESCAPE: Final = re.compile(r'\\(["\\])')
_HALF: Final = 8_192


@dataclass(frozen=True, slots=True)
class Facts:
    """What the heartbeat library writes under ``heartbeat``: of an operation, or of a processor that cannot write.

    ``state`` is "failing" or "working".
    """

    operation_id: str | None = None
    processor: str | None = None
    state: str | None = None


_NO_FACTS: Final = Facts()


class LogLine(NamedTuple):
    """One log line.

    Attributes:
        at: when it was written, by the clock of its writer.
        source: the service or job.
        revision: its revision, or a job's execution, if it bears one.
        severity: Cloud Logging's number.
        text: what the program said.
        log: the log that holds it, without its project.
        insert_id: tells the same entry, found twice.
        instance: the instance of a service; None where the line does not say.
        task, attempt: which task of an execution, and which attempt at it.
        logger: the logger's name, where a field tells it.
        facts: what is under ``heartbeat``.
        form: how the text arrived: as text, or in a structure. Two handlers of one program differ in it.
        begins: the text begins a message; False for a later piece of a long one that was split.
    """

    at: Micros
    source: str
    revision: str | None
    severity: int
    text: str
    log: str = ""
    insert_id: str = ""
    instance: str | None = None
    task: int | None = None
    attempt: int | None = None
    logger: str | None = None
    facts: Facts = _NO_FACTS
    form: str = "text"
    begins: bool = True


def read_line(entry: Any) -> LogLine:  # noqa: ANN401 - protobuf's own classes are made at run time
    """Whatever an entry holds, as a line; where it holds no text, the text is empty.

    Args:
        entry: ``google.logging.v2.LogEntry`` as raw protobuf.
    """
    labels, own = entry.resource.labels, entry.labels
    source = _named(labels.get("service_name")) or _named(labels.get("job_name")) or "(unknown)"
    revision = _named(labels.get("revision_name")) or _named(own.get(_EXECUTION))
    stamp = entry.timestamp if entry.HasField("timestamp") else entry.receive_timestamp
    text, logger, facts, form = _said(entry)
    return LogLine(
        at=stamp.seconds * 1_000_000 + stamp.nanos // 1_000,
        source=source,
        revision=revision,
        severity=entry.severity,
        text=_both_ends(text),
        log=entry.log_name.rpartition("/logs/")[2],
        insert_id=entry.insert_id,
        instance=own.get(_INSTANCE) or None,
        task=_number(own.get(_TASK)),
        attempt=_number(own.get(_ATTEMPT)),
        logger=logger or own.get(_LOGGER),
        facts=facts,
        form=form,
        begins=not (entry.HasField("split") and entry.split.index > 0),
    )


def _named(label: str | None) -> str | None:
    """A label that is a name; whoever may write logs may write any label, and rules put names into next steps."""
    return label if label and NAME.fullmatch(label) else None


def _number(label: str | None) -> int | None:
    return int(label) if label and len(label) < 10 and label.isascii() and label.isdigit() else None  # noqa: PLR2004


def _said(entry: Any) -> tuple[str, str | None, Facts, str]:  # noqa: ANN401 - see read_line
    """The text, its logger, the library's own fields, and the form of it all."""
    kind = entry.WhichOneof("payload")
    if kind == "text_payload":
        return _printed(str(entry.text_payload))
    if kind == "json_payload":
        fields = entry.json_payload.fields
        text = next(filter(None, (str(fields[key].string_value) for key in SAID if key in fields)), "")
        logger = next((fields[key].string_value for key in _LOGGERS if key in fields), None)  # to look is to make
        facts = _facts(dict(_strings(fields["heartbeat"]))) if "heartbeat" in fields else _NO_FACTS
        return text, logger or None, facts, "structure"
    if kind == "proto_payload" and entry.proto_payload.Is(AuditLog.DESCRIPTOR):
        log = AuditLog()
        try:
            log.ParseFromString(entry.proto_payload.value)
        except DecodeError:
            return "", None, _NO_FACTS, kind
        return str(log.status.message), None, _NO_FACTS, kind
    return "", None, _NO_FACTS, "none"


def _facts(told: Mapping[str, object]) -> Facts:
    known = {key: each for key in ("operation_id", "processor", "state") if isinstance(each := told.get(key), str)}
    return Facts(**{key: each for key, each in known.items() if each})


def _strings(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - see read_line
    if value.WhichOneof("kind") == "struct_value":
        for key, each in value.struct_value.fields.items():
            if each.WhichOneof("kind") == "string_value":
                yield key, each.string_value


def _printed(text: str) -> tuple[str, str | None, Facts, str]:
    """A printed line; one that is a JSON object, or logfmt, is read as a structured entry would be."""
    if len(text) > 2 * _HALF or not text.startswith("{"):
        found = _PAIRS.match(text[:_HALF]) if '="' in text[:_HALF] else None
        if found is None:
            return text, None, _NO_FACTS, "text"
        return _ESCAPE.sub(r"\1", found["said"]) + "\n" + text[found.end() :], None, _NO_FACTS, "pairs"
    try:
        read: object = json.loads(text)
    except (ValueError, RecursionError):
        return text, None, _NO_FACTS, "text"
    known: Mapping[str, object] = read if isinstance(read, dict) else {}
    said = next((each for each in map(known.get, SAID) if isinstance(each, str) and each), None)
    if said is None:
        return text, None, _NO_FACTS, "text"
    logger = next((each for each in map(known.get, _LOGGERS) if isinstance(each, str) and each), None)
    own = known.get("heartbeat")
    return said, logger, _facts(own) if isinstance(own, dict) else _NO_FACTS, "json text"


def _both_ends(text: str) -> str:
    """The beginning and the end of a long text: a traceback says at its end what went wrong."""
    if len(text) <= 2 * _HALF:
        return text
    return text[:_HALF] + "\n" + text[-_HALF:].partition("\n")[2]
