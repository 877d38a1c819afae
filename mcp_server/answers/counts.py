"""The census, processor by processor: the answer of ``count_heartbeats``."""

from datetime import datetime, timedelta
from typing import Final

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import AwareDatetime

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.snapshot import Census, Family, Method, Snapshot
from checks.judge.report import Growth, growth_of
from mcp_server.answers.answer import Searched, ToolAnswer, notes
from mcp_server.cursor import CursorPlace, asked, read_cursor, write_cursor

OLDEST: Final = timedelta(minutes=55)
"""How old a read time may be that Firestore is asked for again; it keeps an hour."""


class ProcessorRow(Evidence):
    """The documents of one processor. ``newest`` is its newest heartbeat that is not from the future.

    Created: null where documents were counted and not read. older_than: what was not read is older than this.
    """

    processor: Untrusted
    canonical: Count
    malformed: Count
    created_last_hour: Count | None
    created_last_day: Count | None
    newest: AwareDatetime | None
    older_than: AwareDatetime | None = None


class CountAnswer(ToolAnswer):
    """The collection in numbers, as of one read time of Firestore's.

    Attributes:
        total, canonical, malformed: documents; null where nothing could be counted. ``total`` is exact where
            ``complete``, else at least that many; the others count what was listed.
        growth: documents created in the last hour and day; null where not all of them were listed.
        processors: those with the most documents first.
        omitted: how many processors stand neither here nor on earlier pages.
        method: how documents were counted: each one listed, or ranges of ids.
        billed_reads: document reads that this cost.
    """

    total: Count | None = None
    canonical: Count | None = None
    malformed: Count | None = None
    growth: Growth | None = None
    processors: tuple[ProcessorRow, ...] = ()
    omitted: Count = 0
    method: Method | None = None
    billed_reads: Count = 0


class CountPlace(CursorPlace):
    """Which census is counted on, and from which of its processors on."""

    read_time: AwareDatetime
    start: int


def place_of(cursor: str | None, limit: int, now: datetime) -> CountPlace | None:
    """Where a cursor goes on; None begins.

    Raises:
        ToolError: it is none of this tool's, or Firestore keeps its read time no longer.
    """
    if cursor is None:
        return None
    place = read_cursor(cursor, CountPlace, asked(limit))
    if not now - OLDEST < place.read_time <= now + timedelta(minutes=1) or place.start < 0:
        raise ToolError("cursor: Firestore keeps a reading for an hour only: call again without a cursor")
    return place


def count_answer(snapshot: Snapshot, place: CountPlace | None, limit: int) -> CountAnswer:
    """A page of a census.

    Args:
        snapshot: with the census, or with gaps that say why there is none.
        place: where the page begins.
        limit: how many processors it names.
    """
    census = snapshot.census
    searched = Searched(source="firestore", where=snapshot.pipeline.collection, until=snapshot.taken_at)
    if census is None:
        return CountAnswer(practice=snapshot.practice, searched=searched, complete=False, gaps=snapshot.gaps)
    start = place.start if place else 0
    shown = census.families[start : start + limit]
    end = start + len(shown)
    rest = None
    if end < len(census.families):
        rest = write_cursor(CountPlace(asked=asked(limit), read_time=snapshot.taken_at, start=end))
    return CountAnswer(
        practice=snapshot.practice,
        searched=searched,
        complete=census.complete,
        gaps=snapshot.gaps,
        note=notes(_empty(census)),
        truncated=rest is not None,
        next_cursor=rest,
        total=census.total,
        canonical=census.canonical,
        malformed=census.malformed,
        growth=growth_of(census),
        processors=tuple(_row(family) for family in shown),
        omitted=len(census.families) - end,
        method=census.method,
        billed_reads=census.billed_reads,
    )


def _empty(census: Census) -> str | None:
    if not census.empty:
        return None
    return (
        "The collection holds no document, or does not exist: Firestore tells the two apart for nobody. Are project, "
        "database and collection in the settings right? If they are, no processor beats."
    )


def _row(family: Family) -> ProcessorRow:
    return ProcessorRow(
        processor=family.processor,
        canonical=family.canonical,
        malformed=family.malformed,
        created_last_hour=family.created_last_hour,
        created_last_day=family.created_last_day,
        newest=family.newest.last_heartbeat if family.newest else None,
        older_than=family.older_than,
    )
