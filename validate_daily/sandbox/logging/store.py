"""Log entries in memory, in the order of their time, and the lines that Cloud Run writes for services and jobs."""

import threading
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.logging import stamps
from validate_daily.sandbox.logging.messages import SEVERITIES, LogEntry

KEPT: Final = 50_000
"""How many entries a store keeps; after that, the oldest make room."""

Log = Literal["stdout", "stderr", "system"]
"""Which of Cloud Run's logs a line is in: what the process printed, or what the platform says about it."""

Severity = Literal["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"]

Key = tuple[int, str, str]
"""What orders entries, and tells duplicates: the time, the insert id, the project."""

_LOGS: Final[dict[Log, str]] = {
    "stdout": "run.googleapis.com%2Fstdout",
    "stderr": "run.googleapis.com%2Fstderr",
    "system": "run.googleapis.com%2Fvarlog%2Fsystem",
}


@dataclass(slots=True)
class Search:
    """How searches go; can be changed at any time.

    Attributes:
        reads_per_minute: how many pages of one project can be read per minute: production's number, None for any.
        empty_pages: how many pages of a search come back without entries, but with a token, before the first that
            has any: production does so when it had no time to search. ``math.inf`` for all.
    """

    reads_per_minute: int | None = 60
    empty_pages: float = 0


class LogStore:
    """All log entries of the practice world, whatever their project. Safe to use from any thread.

    Args:
        clock: the world's time: what an entry without a time of its own is given.
        kept: how many entries are kept.
        search: how searches go.

    Attributes:
        clock: the world's time.
        search: how searches go.
    """

    def __init__(self, clock: Clock, *, kept: int = KEPT, search: Search | None = None) -> None:
        self.clock = clock
        self.search = search or Search()
        self._kept = kept
        self._keys: list[Key] = []
        self._entries: list[LogEntry] = []
        self._written = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def write(self, entry: LogEntry) -> LogEntry:
        """Keep a copy of an entry, completed with times and an insert id, and return it: it is not to be changed.

        An entry with the project, time and insert id of one that is there is a duplicate, and dropped.

        Raises:
            ValueError: it has a protobuf payload, in which filters cannot look, or no log of a project.
        """
        if entry.HasField("proto_payload"):
            raise ValueError("the practice cloud keeps no log entries with a protobuf payload")
        if not entry.log_name.startswith("projects/") or "/logs/" not in entry.log_name:
            raise ValueError(f"{entry.log_name!r} is no log of a project, such as projects/<id>/logs/<log>")
        kept = LogEntry()
        kept.CopyFrom(entry)
        with self._lock:
            self._written += 1
            self._complete(kept)
            self._keep(kept)
        return kept

    def rows(self) -> list[tuple[Key, LogEntry]]:
        """All entries as of now, oldest first; those of one moment in the order of their insert ids."""
        with self._lock:
            return list(zip(self._keys, self._entries, strict=True))

    def run_line(
        self,
        *,
        project: str,
        location: str,
        service: str,
        revision: str,
        text: str | None = None,
        payload: Mapping[str, object] | None = None,
        severity: Severity = "INFO",
        at: datetime | None = None,
        log: Log = "stdout",
        labels: Mapping[str, str] | None = None,
    ) -> LogEntry:
        """Write what one revision of a Cloud Run service said: a text or a JSON payload."""
        entry = _line(project, log, text, payload, severity, at, labels)
        _resource(
            entry,
            "cloud_run_revision",
            project_id=project,
            location=location,
            service_name=service,
            configuration_name=service,
            revision_name=revision,
        )
        return self.write(entry)

    def job_line(
        self,
        *,
        project: str,
        location: str,
        job: str,
        execution: str,
        task: int = 0,
        text: str | None = None,
        payload: Mapping[str, object] | None = None,
        severity: Severity = "INFO",
        at: datetime | None = None,
        log: Log = "stdout",
        labels: Mapping[str, str] | None = None,
    ) -> LogEntry:
        """Write what one task of an execution of a Cloud Run job said: a text or a JSON payload."""
        own = {
            "run.googleapis.com/execution_name": execution,
            "run.googleapis.com/task_attempt": "0",
            "run.googleapis.com/task_index": str(task),
        }
        entry = _line(project, log, text, payload, severity, at, own | dict(labels or {}))
        _resource(entry, "cloud_run_job", project_id=project, location=location, job_name=job)
        return self.write(entry)

    def _complete(self, entry: LogEntry) -> None:
        now = stamps.to_timestamp(stamps.from_datetime(self.clock.now()))
        if not entry.HasField("timestamp"):
            entry.timestamp.CopyFrom(now)
        if not entry.HasField("receive_timestamp"):
            entry.receive_timestamp.CopyFrom(now)
        entry.insert_id = entry.insert_id or f"{self._written:012x}"

    def _keep(self, entry: LogEntry) -> None:
        key = (stamps.from_timestamp(entry.timestamp), entry.insert_id, entry.log_name.partition("/logs/")[0])
        place = bisect_left(self._keys, key)
        if place < len(self._keys) and self._keys[place] == key:
            return
        self._keys.insert(place, key)
        self._entries.insert(place, entry)
        if len(self._keys) > self._kept:
            del self._keys[0], self._entries[0]


def _line(
    project: str,
    log: Log,
    text: str | None,
    payload: Mapping[str, object] | None,
    severity: Severity,
    at: datetime | None,
    labels: Mapping[str, str] | None,
) -> LogEntry:
    if (text is None) == (payload is None):
        raise ValueError("a log line has either a text or a payload")
    entry = LogEntry(
        log_name=f"projects/{project}/logs/{_LOGS[log]}", severity=SEVERITIES[severity], labels=labels or {}
    )
    if text is not None:
        entry.text_payload = text
    if payload is not None:
        entry.json_payload.update(payload)
    if at is not None:
        moment = stamps.to_timestamp(stamps.from_datetime(at))
        entry.timestamp.CopyFrom(moment)
        entry.receive_timestamp.CopyFrom(moment)
    return entry


def _resource(entry: LogEntry, kind: str, **labels: str) -> None:
    entry.resource.type = kind
    entry.resource.labels.update(labels)
