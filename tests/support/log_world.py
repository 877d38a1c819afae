"""A Cloud Logging to read from: entries in pages, on Google's own types. It looks at no filter."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse, LogEntry

LIST = "google.logging.v2.LoggingServiceV2/ListLogEntries"
UNTIL = datetime(2026, 2, 1, 22, 0, tzinfo=UTC)

QUESTIONS = {"runs": "Processor run completed: ", "trouble": "gunicorn", "operations": "still running"}
"""What only the filter of each question holds."""


def entry(text: str, *, at: datetime = UNTIL, severity: str = "DEFAULT", source: str = "scrapers") -> LogEntry:
    """A line that a service printed."""
    return LogEntry(
        resource={
            "type": "cloud_run_revision",
            "labels": {"service_name": source, "revision_name": f"{source}-00002", "location": "us-west2"},
        },
        text_payload=text,
        timestamp=at,
        severity=severity,
    )


def job_entry(text: str, *, at: datetime = UNTIL) -> LogEntry:
    """A line that a job printed."""
    return LogEntry(
        resource={"type": "cloud_run_job", "labels": {"job_name": "backfill", "location": "us-west2"}},
        labels={"run.googleapis.com/execution_name": "backfill-x1"},
        text_payload=text,
        timestamp=at,
    )


def page(entries: Iterable[LogEntry] = (), token: str = "") -> bytes:
    """One answer."""
    return ListLogEntriesResponse.serialize(ListLogEntriesResponse(entries=entries, next_page_token=token))


@dataclass
class LogWorld:
    """The lines that each question finds. ``asked`` keeps the requests; ``per_page`` cuts the answers."""

    runs: Sequence[LogEntry] = ()
    trouble: Sequence[LogEntry] = ()
    operations: Sequence[LogEntry] = ()
    per_page: int = 1_000
    asked: list[ListLogEntriesRequest] = field(default_factory=list[ListLogEntriesRequest])

    async def __call__(self, request: bytes) -> bytes:
        """Answer a list request."""
        asked = read(request)
        self.asked.append(asked)
        found: Sequence[LogEntry] = getattr(self, question(asked))
        start = int(asked.page_token or 0)
        end = start + self.per_page
        return page(found[start:end], str(end) if end < len(found) else "")


def read(request: bytes) -> ListLogEntriesRequest:
    """The request of these bytes."""
    made = ListLogEntriesRequest.deserialize(request)
    assert isinstance(made, ListLogEntriesRequest)
    return made


def question(request: ListLogEntriesRequest) -> str:
    """Which of the questions a request asks."""
    return next(name for name, text in QUESTIONS.items() if text in request.filter)
