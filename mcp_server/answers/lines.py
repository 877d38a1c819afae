"""Log lines, newest first: the answer of ``search_logs``."""

from collections.abc import Iterable

from pydantic import AwareDatetime

from checks.evidence.logs import FoundLine, LogPage
from checks.evidence.snapshot import Gap
from mcp_server.answers.answer import Searched, ToolAnswer, notes
from mcp_server.cursor import CursorPlace, write_cursor


class LinesAnswer(ToolAnswer):
    """The lines that fit the question, newest first. An empty list proves absence only where ``complete``."""

    lines: tuple[FoundLine, ...] = ()


class LinesPlace(CursorPlace):
    """Where a search goes on: the same window, and Cloud Logging's own token."""

    since: AwareDatetime
    until: AwareDatetime
    token: str


def lines_answer(
    page: LogPage | None, gaps: Iterable[Gap], place: LinesPlace, searched: Searched, *, severity: str, practice: bool
) -> LinesAnswer:
    """A page of lines.

    Args:
        page: None where Cloud Logging gave no answer.
        gaps: what could not be read.
        place: the window, and what was asked.
        searched: the same for the reader.
        severity: the least one that was asked for.
        practice: whether that was a sandbox.
    """
    if page is None:
        return LinesAnswer(practice=practice, searched=searched, complete=False, gaps=tuple(gaps))
    rest = None
    if page.next_page_token:
        rest = write_cursor(place.model_copy(update={"token": page.next_page_token}))
    return LinesAnswer(
        practice=practice,
        searched=searched,
        complete=page.complete,
        gaps=tuple(gaps),
        note=None if page.lines else notes(_empty(severity, complete=page.complete)),
        truncated=rest is not None,
        next_cursor=rest,
        lines=page.lines,
    )


def _empty(severity: str, *, complete: bool) -> str:
    if not complete:
        return "No line so far, but the search did not come to its end: go on with next_cursor before you say so."
    plain = "" if severity == "DEFAULT" else " Plain prints and tracebacks have severity DEFAULT and were left out."
    return (
        "No line fits in this window. It can be empty because nothing was logged, the name is another, the window is "
        f"too short, or Cloud Logging no longer keeps it.{plain}"
    )
