"""A person's question about the logs. It loads none of Google's packages."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LogQuestion:
    """What somebody wants to know of the logs, in typed parts: no text of it is taken as syntax.

    Attributes:
        since, until: the window.
        service, job: whose lines; at most one of the two; neither asks for all of Cloud Run.
        revision: of a service, or an execution of a job.
        severity: at least this; plain prints have DEFAULT.
        text: is contained, in any case.
        regex: fits, as RE2 reads it.
    """

    since: datetime
    until: datetime
    service: str | None = None
    job: str | None = None
    revision: str | None = None
    severity: str = "DEFAULT"
    text: str | None = None
    regex: str | None = None
