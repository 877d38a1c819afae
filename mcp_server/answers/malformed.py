"""Which processors write malformed ids now: the answer of ``recent_malformed_heartbeats``."""

from collections.abc import Iterable
from typing import Final

from pydantic import AwareDatetime

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.recent_heartbeats import RecentMalformed, RecentProcessor
from checks.evidence.snapshot import Gap, Heartbeat
from checks.text.plural import counted, form
from mcp_server.answers.answer import Searched, ToolAnswer, notes

MOST: Final = 10
"""Processors that one answer names."""


class MalformedHeartbeat(Evidence):
    """One malformed document: its id, when it was created and when it last beat."""

    doc: Untrusted
    created_at: AwareDatetime
    last_heartbeat: AwareDatetime | None


class MalformedProcessor(Evidence):
    """A processor that writes malformed ids.

    Attributes:
        malformed: its malformed documents whose heartbeat lies in the window.
        created: those of them that were created in the window: it still makes new ones.
        newest: the newest of them.
        service: what the settings say runs it; null where they name none.
        revisions: the revisions and executions that the documents say wrote them, newest first.
    """

    processor: Untrusted
    malformed: Count
    created: Count
    newest: MalformedHeartbeat
    service: str | None
    revisions: tuple[Untrusted, ...]


class MalformedAnswer(ToolAnswer):
    """The malformed heartbeats of a window.

    Attributes:
        scanned: heartbeats in the window, of any kind; null where nothing could be read.
        malformed: how many of them have a malformed id.
        processors: who writes them, most first; ``omitted`` counts the processors left out.
        billed_reads: document reads that this cost.
    """

    scanned: Count | None = None
    malformed: Count | None = None
    processors: tuple[MalformedProcessor, ...] = ()
    omitted: Count = 0
    billed_reads: Count = 0


def malformed_answer(
    found: RecentMalformed | None, gaps: Iterable[Gap], searched: Searched, *, practice: bool
) -> MalformedAnswer:
    """What a search found.

    Args:
        found: None where nothing could be read.
        gaps: what could not be read.
        searched: where was looked.
        practice: whether that was an emulator or a sandbox.
    """
    if found is None:
        return MalformedAnswer(practice=practice, searched=searched, complete=False, gaps=tuple(gaps))
    return MalformedAnswer(
        practice=practice,
        searched=searched,
        complete=found.complete,
        gaps=tuple(gaps),
        note=notes(_empty(found)),
        scanned=found.scanned,
        malformed=found.malformed,
        processors=tuple(_row(each) for each in found.processors[:MOST]),
        omitted=max(0, len(found.processors) - MOST),
        billed_reads=found.billed_reads,
    )


def _empty(found: RecentMalformed) -> str | None:
    unseen = "Documents whose heartbeat is no timestamp are not searched here: count_heartbeats counts them."
    if found.scanned == 0:
        return f"Nothing beat in this window at all: that is no good sign. check_heartbeats judges it. {unseen}"
    if found.malformed:
        return None
    several = f"All {counted(found.scanned, 'heartbeat')} of this window have canonical ids."
    return f"{form(found.scanned, 'The only heartbeat of this window has a canonical id.', several)} {unseen}"


def _row(each: RecentProcessor) -> MalformedProcessor:
    return MalformedProcessor(
        processor=each.processor,
        malformed=each.malformed,
        created=each.created,
        newest=_heartbeat(each.newest),
        service=each.service,
        revisions=each.revisions,
    )


def _heartbeat(newest: Heartbeat) -> MalformedHeartbeat:
    return MalformedHeartbeat(doc=newest.doc, created_at=newest.created_at, last_heartbeat=newest.last_heartbeat)
