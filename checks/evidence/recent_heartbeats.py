"""Which processors wrote malformed heartbeats within a window, as Firestore's index by time tells it."""

from pydantic import AwareDatetime

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.snapshot import Heartbeat


class RecentProcessor(Evidence):
    """The malformed documents of one processor whose heartbeat lies in the window.

    Attributes:
        processor: the family that their ids share.
        malformed: how many there are.
        created: those of them that Firestore created within the window.
        newest: the one with the newest heartbeat.
        revisions: the revisions and executions that the documents say wrote them: distinct, newest first, at most five.
        service: what the settings say runs the processor; None where they name none.
    """

    processor: Untrusted
    malformed: Count
    created: Count
    newest: Heartbeat
    revisions: tuple[Untrusted, ...] = ()
    service: str | None = None


class RecentMalformed(Evidence):
    """The heartbeats of a window, by ``last_heartbeat``. ``until`` is Firestore's read time.

    Documents whose ``last_heartbeat`` is no timestamp have no place in that index, and are not seen here.

    Attributes:
        scanned: heartbeats in the window, whatever their ids look like.
        malformed: how many of them have a malformed id.
        processors: those that wrote them, most first.
        complete: false where there are more heartbeats than were read.
        billed_reads: document reads that production bills for this.
    """

    collection: str
    since: AwareDatetime
    until: AwareDatetime
    scanned: Count
    malformed: Count
    processors: tuple[RecentProcessor, ...]
    complete: bool
    billed_reads: Count
