"""ListLogEntries: the entries of some projects that a filter matches, page by page."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from validate_daily.sandbox.calls import Call
from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.logging import page_tokens
from validate_daily.sandbox.logging.filter import read_filter
from validate_daily.sandbox.logging.messages import ListLogEntriesRequest, ListLogEntriesResponse, LogEntry
from validate_daily.sandbox.logging.quota import Quota
from validate_daily.sandbox.logging.store import Key, LogStore

Row = tuple[Key, LogEntry]

_PAGE: Final = 50
_MAX_PAGE: Final = 1_000
_MAX_BYTES: Final = 3 * 1024 * 1024
_MAX_RESOURCES: Final = 100
_PROJECT: Final = re.compile(r"projects/[A-Za-z0-9][A-Za-z0-9.:-]*")
_OTHER: Final = re.compile(r"(?:projects|organizations|folders|billingAccounts)/[^/]+(?:/locations/[^/]+/buckets/.+)?")


def list_log_entries(store: LogStore, quota: Quota, request: ListLogEntriesRequest, call: Call) -> bytes:
    """One page. A page without entries that has a token says only that there was no time to search further."""
    call.request = f"{request.filter} by {request.order_by or 'timestamp asc'}, after {request.page_token!r}"
    projects = _projects(request.resource_names)
    matches = read_filter(request.filter)
    newest_first = _newest_first(request.order_by)
    size = _page_size(request.page_size)
    place = page_tokens.find(request, store.clock.now())
    quota.spend(projects, store.search.reads_per_minute)
    if place.empty < store.search.empty_pages:
        further = replace(place, empty=place.empty + 1)
        return ListLogEntriesResponse(next_page_token=further.token).SerializeToString()
    rows = store.rows()
    ahead = _behind(rows[::-1] if newest_first else rows, place.after, newest_first=newest_first)
    found = (row for row in ahead if row[0][2] in projects and matches(row[1]))
    page, more = _page(found, size)
    token = replace(place, after=page[-1][0]).token if more else ""
    return ListLogEntriesResponse(entries=[entry for _, entry in page], next_page_token=token).SerializeToString()


def _projects(names: Sequence[str]) -> list[str]:
    if not 0 < len(names) <= _MAX_RESOURCES:
        invalid(f"resource_names must have 1 to {_MAX_RESOURCES} names, not {len(names)}")
    for name in names:
        if not _PROJECT.fullmatch(name):
            if _OTHER.fullmatch(name):
                unimplemented(f"log entries of {name}: name a project")
            invalid(f"Invalid resource name {name!r}: name a project, as projects/<id>")
    return list(dict.fromkeys(names))


def _newest_first(order_by: str) -> bool:
    words = order_by.split() or ["timestamp"]
    if words not in (["timestamp"], ["timestamp", "asc"], ["timestamp", "desc"]):
        invalid(f"order_by must be 'timestamp asc' or 'timestamp desc', not {order_by!r}")
    return words[-1] == "desc"


def _page_size(asked: int) -> int:
    if not 0 <= asked <= _MAX_PAGE:
        invalid(f"page_size must be 0 to {_MAX_PAGE}, not {asked}")
    return asked or _PAGE


def _behind(rows: Sequence[Row], after: Key | None, *, newest_first: bool) -> Iterator[Row]:
    for row in rows:
        if after is None or (row[0] < after if newest_first else row[0] > after):
            yield row


def _page(found: Iterator[Row], size: int) -> tuple[list[Row], bool]:
    """What fits on a page, by number and by bytes, and whether there is more."""
    page: list[Row] = []
    room = _MAX_BYTES
    for row in found:
        room -= row[1].ByteSize()
        if len(page) == size or (page and room < 0):
            return page, True
        page.append(row)
    return page, False
