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
    """Log lines of one service or job, revision or execution, and processor, that are about the same trouble.

    Attributes:
        source: the service or job that wrote them.
        revision: its revision, or a job's execution.
        lines: how many were seen in the window; at least that many where the logs are not complete.
        sample: the newest of them, or of those that name what is missing.
        processor: whose heartbeat it is, where the lines name it.
        named: they name a registered processor or the heartbeat collection.
        written_again: when the same service said after the last of them that this processor's heartbeat is written.
    """

    trouble: Trouble
    source: Untrusted
    revision: Untrusted | None
    lines: Count
    first: AwareDatetime
    last: AwareDatetime
    sample: Untrusted
    processor: Untrusted | None = None
    named: bool = False
    written_again: AwareDatetime | None = None


class Operation(Evidence):
    """A long operation that told of its START in the window, or said there that it still runs; and of its END or not.

    Attributes:
        started: when it told of its START; where that lies before the window, as its signs of life count back.
        last_sign: its newest line: the START itself, or a "still running".
        task, attempt: which task of an execution did it, and at which attempt, where the lines say.
        operation_id: the library's own name for this run of it; old lines have none.
    """

    name: Untrusted
    source: Untrusted
    revision: Untrusted | None
    started: AwareDatetime
    last_sign: AwareDatetime
    ended: bool
    task: Count | None = None
    attempt: Count | None = None
    operation_id: Untrusted | None = None


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


class Elsewhere(Evidence):
    """Run lines of a processor in a log that is not among those that are searched."""

    processor: Untrusted
    source: Untrusted
    log: Untrusted


class Logs(Evidence):
    """What was found between ``since`` and ``until``.

    Attributes:
        complete: every search came to its end.
        operations_since: where not complete: from when on operations were searched to the end of the window, if at all.
        elsewhere: run lines in other logs, looked for where a registered processor has none in those that are searched.
    """

    since: AwareDatetime
    until: AwareDatetime
    runs: tuple[Run, ...] = ()
    bursts: tuple[LogBurst, ...] = ()
    operations: tuple[Operation, ...] = ()
    complete: bool = True
    operations_since: AwareDatetime | None = None
    elsewhere: tuple[Elsewhere, ...] = ()
