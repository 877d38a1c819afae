"""A report on a page: all of it but the findings that do not fit, which a cursor gets."""

from collections.abc import Sequence
from typing import Final

from mcp.server.mcpserver.exceptions import ToolError

from checks.evidence.base import INERT
from checks.judge.excuses import Excused
from checks.judge.finding import Finding
from checks.judge.report import Report
from mcp_server.cursor import CursorPlace, asked, read_cursor, write_cursor

ROOM: Final = 5_600
"""Characters that the findings of one page may take, however hostile they are; one always fits."""

Item = tuple[str, Finding | Excused]


class _Next(CursorPlace):
    kind: str
    key: str


def on_a_page(report: Report, phase: str, cursor: str | None) -> Report:
    """The report with the findings of one page: its verdict, score and counts are of the whole.

    Args:
        report: all of it.
        phase: what it was asked for with.
        cursor: ``next_cursor`` of the page before, or None for the first.

    Raises:
        ToolError: the cursor is none, or the findings have changed since.
    """
    items = [*_items("findings", report.findings), *_items("quiet", report.quiet), *_items("accepted", report.accepted)]
    start = _start(items, read_cursor(cursor, _Next, asked(phase))) if cursor else 0
    end = _end(items, start)
    page: dict[str, list[Finding | Excused]] = {"findings": [], "quiet": [], "accepted": []}
    for kind, item in items[start:end]:
        page[kind].append(item)
    rest = None
    if end < len(items):
        kind, item = items[end]
        rest = write_cursor(_Next(asked=asked(phase), kind=kind, key=_key(item)))
    cut = {"truncated": report.truncated or rest is not None, "next_cursor": rest}
    return report.model_copy(update={**{kind: tuple(told) for kind, told in page.items()}, **cut})


def _items(kind: str, told: Sequence[Finding | Excused]) -> list[Item]:
    return [(kind, each) for each in told]


def _start(items: Sequence[Item], place: _Next) -> int:
    for index, (kind, item) in enumerate(items):
        if (kind, _key(item)) == (place.kind, place.key):
            return index
    raise ToolError("cursor: the findings have changed since: call again without a cursor")


def _end(items: Sequence[Item], start: int) -> int:
    room = ROOM
    for index in range(start, len(items)):
        room -= len(items[index][1].model_dump_json(context=INERT))
        if room < 0 and index > start:
            return index
    return len(items)


def _key(item: Finding | Excused) -> str:
    return item.key if isinstance(item, Finding) else item.finding.key
