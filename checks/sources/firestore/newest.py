"""The newest heartbeats where documents were counted and not read: by their time, and as far back as it matters."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from checks.sources.errors import SourceError
from checks.sources.firestore.answers import NO_FIRESTORE
from checks.sources.firestore.calls import Reads
from checks.sources.firestore.tally import CLOCK_SKEW, HeartbeatDocument, Tally
from checks.sources.times import Micros

_MOST_FUTURE: Final = 32
_SHARE: Final = 10
"""A step after the first reads at most this part of all documents: reading on must stay cheaper than reading all."""


async def read_newest(reads: Reads, tally: Tally, steps: Iterable[int], horizon: Micros) -> None:
    """Show a tally the documents that count for more than their number.

    These are the registered ones that lie in a counted range, each by its name; some heartbeats from the future; and,
    newest first, heartbeats until every processor was seen, or all that are left are older than anybody asks.

    Args:
        reads: the way to Firestore.
        tally: what was counted; ``reach`` says afterwards how far back this came.
        steps: how many heartbeats to read, and then how many more.
        horizon: heartbeats older than this all count as down, so reading stops here.

    Raises:
        SourceError: there is no answer, or none that makes sense.
    """
    for document in await reads.get(tally.registered_in_ranges):
        tally.move(document)
    latest = tally.now + CLOCK_SKEW
    for document in await reads.few(reads.place.newer_than(latest, _MOST_FUTURE)):
        tally.see(document)
    last: HeartbeatDocument | None = None
    for size in steps:
        if last is not None and (_enough(tally, last, horizon) or size * _SHARE > tally.seen):
            return
        page = await reads.few(reads.place.newest(latest, size, after=last))
        tally.reach = _reach(latest if last is None else last.beat, page, whole=len(page) < size)
        for document in page:
            tally.see(document)
        if tally.reach is None:
            return
        last = page[-1]


def _enough(tally: Tally, last: HeartbeatDocument, horizon: Micros) -> bool:
    return not tally.unreached or (last.beat or 0) < horizon


def _reach(latest: Micros | None, page: list[HeartbeatDocument], *, whole: bool) -> Micros | None:
    """How far back a page comes; None is all the way.

    Raises:
        SourceError: it is not what was asked for.
    """
    beats = [latest, *(each.beat for each in page)]
    if any(later is None or earlier is None or earlier > later for later, earlier in pairwise(beats)):
        raise SourceError("the newest heartbeats came in no order", NO_FIRESTORE)
    return None if whole else beats[-1]
