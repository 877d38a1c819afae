"""A page of a list that is too long for one answer, and the cursor that goes on after it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel

from checks.evidence.base import INERT
from mcp_server.cursor import CursorPlace, read_cursor, write_cursor

Item = TypeVar("Item")
Row = TypeVar("Row", bound=BaseModel)


class _NamedPlace(CursorPlace):
    """``name`` is a digest of what names the first item of the page."""

    name: str


@dataclass(frozen=True, slots=True)
class AnswerPage(Generic[Item, Row]):
    """What a page shows: items, and their rows; how many follow on later pages, and the cursor of the next one."""

    items: Sequence[Item]
    rows: tuple[Row, ...]
    omitted: int
    next_cursor: str | None


def page(
    items: Sequence[Item],
    cursor: str | None,
    *,
    asked: str,
    name: Callable[[Item], str],
    row: Callable[[Item], Row],
    room: int,
    most: int | None = None,
    gone: str = "what it names is gone",
) -> AnswerPage[Item, Row]:
    """As many rows as there is room for, one at least, from where a cursor goes on.

    Args:
        items: all of them, in their order.
        cursor: ``next_cursor`` of the page before, or None for the first.
        asked: the digest of the other arguments.
        name: names an item among the others.
        row: an item as the answer has it.
        room: characters that the rows may take.
        most: rows of a page; None sets no limit.
        gone: what an error says where the cursor names no item any more.

    Raises:
        ToolError: the cursor is none of this tool's, or what it names is gone.
    """
    names = [hashlib.sha256(name(each).encode(errors="surrogatepass")).hexdigest()[:16] for each in items]
    start = 0
    if cursor:
        place = read_cursor(cursor, _NamedPlace, asked)
        if place.name not in names:
            raise ToolError(f"cursor: {gone}: call again without a cursor")
        start = names.index(place.name)
    rows = list[Row]()
    for item in items[start : None if most is None else start + most]:
        rows.append(row(item))
        room -= len(rows[-1].model_dump_json(context=INERT))
        if room < 0 and len(rows) > 1:
            del rows[-1]
            break
    end = start + len(rows)
    rest = write_cursor(_NamedPlace(asked=asked, name=names[end])) if end < len(items) else None
    return AnswerPage(items[start:end], tuple(rows), len(items) - end, rest)
