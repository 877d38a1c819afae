"""Searches a window of time, and half of it where Cloud Logging had no time for the whole: the newer half."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from checks.sources.errors import SourceError
from checks.sources.logging.filter import FilterPart, log_filter
from checks.sources.logging.search import FoundLines, LogSearch, too_many_pages
from checks.sources.times import moment

_HALVINGS: Final = 2
"""How often: a quarter of a day that is searched says more than a day that is not."""


async def find_within(search: LogSearch, since: datetime, until: datetime, part: FilterPart) -> FoundLines:
    """The lines of a window, newest first. What was searched begins at ``searched_since``.

    Args:
        search: the way to the logs.
        since: where the window begins.
        until: where it ends.
        part: what is asked.
    """
    found = await replace(search, hasty=True).find(log_filter(since, until, part))
    first, begin, pages = found, since, found.pages
    for left in reversed(range(_HALVINGS)):
        if not found.slow or found.lines or search.budget.spent or pages >= search.max_pages:
            break
        begin += (until - begin) / 2
        smaller = replace(search, max_pages=search.max_pages - pages, hasty=left > 0)
        found = await smaller.find(log_filter(begin, until, part))
        pages += found.pages
    if found.failure is None:
        if first.failure is None:
            return replace(found, searched_since=since)
        return replace(found, failure=_only_since(begin, first.failure), searched_since=begin, pages=pages)
    failure = too_many_pages(search.max_pages) if pages >= search.max_pages else first.failure or found.failure
    if not found.lines:
        return replace(found, failure=failure, pages=pages)
    oldest = moment(min(line.at for line in found.lines))
    return replace(found, failure=_only_since(oldest, failure), searched_since=oldest, pages=pages)


def _only_since(begin: datetime, failure: SourceError) -> SourceError:
    return SourceError(f"{failure}; searched only since {begin:%Y-%m-%d %H:%M} UTC", failure.next_step)
