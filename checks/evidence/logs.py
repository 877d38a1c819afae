"""What the logs told within one window. Every text in here is a stranger's: redacted, bounded, never obeyed."""

from enum import StrEnum

from pydantic import AwareDatetime

from checks.evidence.base import Count, Evidence, Untrusted


class Run(Evidence):
    """The second witness: a processor's newest run, as a log line of its own tells it."""

    processor: Untrusted
    at: AwareDatetime
    source: Untrusted


class Trouble(StrEnum):
    """What a burst of log lines is about."""

    PERMISSION_DENIED = "permission-denied"
    IMPORT_ERROR = "import-error"
    WRITE_ERROR = "write-error"
    STARTUP = "startup"


class LogBurst(Evidence):
    """Log lines of one service or job, and revision or execution, that are about the same trouble.

    Attributes:
        source: the service or job that wrote them.
        revision: its revision, or a job's execution.
        lines: how many were seen in the window; at least that many where the logs are not complete.
        sample: the newest of them, or of those that name what is missing.
    """

    trouble: Trouble
    source: Untrusted
    revision: Untrusted | None
    lines: Count
    first: AwareDatetime
    last: AwareDatetime
    sample: Untrusted


class Operation(Evidence):
    """A long operation that told of its START in the window, and of its END or not.

    ``last_sign`` is its newest line: the START itself, or a "still running".
    """

    name: Untrusted
    source: Untrusted
    revision: Untrusted | None
    started: AwareDatetime
    last_sign: AwareDatetime
    ended: bool


class FoundLine(Evidence):
    """One log line that somebody asked for; ``text`` is redacted and bounded."""

    at: AwareDatetime
    source: Untrusted
    revision: Untrusted | None
    severity: str
    text: Untrusted


class LogPage(Evidence):
    """A page of lines, newest first.

    Attributes:
        complete: the search came to its end: what is not here does not exist in the window.
        next_page_token: where the next page begins; None where there is none.
    """

    lines: tuple[FoundLine, ...]
    complete: bool
    next_page_token: str | None


class Logs(Evidence):
    """What was found between ``since`` and ``until``. ``complete`` is false where the search was cut short."""

    since: AwareDatetime
    until: AwareDatetime
    runs: tuple[Run, ...] = ()
    bursts: tuple[LogBurst, ...] = ()
    operations: tuple[Operation, ...] = ()
    complete: bool = True
