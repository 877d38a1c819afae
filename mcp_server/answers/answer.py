"""What every answer says besides what was found: where was looked, what could not be seen, whether there is more."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AwareDatetime, Field

from checks.evidence.base import Evidence
from checks.evidence.snapshot import Gap

Note = Annotated[str | None, Field(description="what an empty or cut answer means; null: nothing to add")]


class Searched(Evidence):
    """Where was looked, and in which window of time (UTC); a source without a window is as of ``until``."""

    source: str
    where: str
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class ToolAnswer(Evidence):
    """The frame of every answer.

    Attributes:
        practice: an emulator or a sandbox answered: this says nothing about production.
        searched: where was looked.
        complete: everything that was asked for could be seen; false means that what is absent here may exist.
        gaps: what could not be seen, why, and what to do.
        truncated: there is more; ``next_cursor`` gets it.
    """

    practice: bool
    searched: Searched
    complete: bool
    gaps: tuple[Gap, ...] = ()
    note: Note = None
    truncated: bool = False
    next_cursor: str | None = None


def notes(*sentences: str | None) -> str | None:
    """All that there is to say, as one note."""
    return " ".join(filter(None, sentences)) or None


def without_clock(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Gaps that matter where the heartbeats were not asked: without them, the local clock is the right one."""
    return tuple(gap for gap in gaps if gap.source != "clock")
