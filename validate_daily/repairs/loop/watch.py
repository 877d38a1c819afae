"""Watches a collection for a while after a cleanup: that nothing grew back, or what did, and who runs the writer."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from checks.settings.pipeline import Pipeline
from checks.sources.errors import SourceError
from validate_daily.repairs.documents.collection import date_back, list_collection, list_heartbeats
from validate_daily.repairs.documents.selection import malformed_since
from validate_daily.repairs.documents.session import DocumentSession
from validate_daily.repairs.plans.errors import UnseenError
from validate_daily.repairs.plans.regrowth import RegrownProcessor, WatchResult
from validate_daily.repairs.stores.listing import CollectionListing
from validate_daily.repairs.stores.timestamps import nanos_of

LOOKS: Final = 4
"""Looks within a watch, besides the first."""

_SAMPLE: Final = 10

WaitFunction = Callable[[float], Awaitable[None]]
"""Waits for some seconds: ``asyncio.sleep``, or what a test puts in its place."""


async def watch(session: DocumentSession, duration: timedelta, *, waiting: WaitFunction = asyncio.sleep) -> WatchResult:
    """Look at a collection again and again, and stop early where something grew.

    Args:
        session: what is read.
        duration: how long.
        waiting: waits between two looks.

    Raises:
        UnseenError: not even the first look succeeded.
    """
    pipeline = session.settings.pipeline
    since = (await list_heartbeats(session)).read_time
    result = WatchResult(since=since, until=since, looks=1)
    for _ in range(LOOKS):
        session.progress("watching whether anything grows back", result.looks, LOOKS + 1)
        await waiting(duration.total_seconds() / LOOKS)
        try:
            listing = await list_collection(session, pipeline.heartbeats.collection)
            if _result(pipeline, listing, since, 0).grown:  # or somebody restored something meanwhile
                listing = await date_back(session, listing, nanos_of(since))
        except UnseenError as error:
            return result.model_copy(update={"unseen": f"a look failed: {error}"})
        except SourceError as error:
            return result.model_copy(update={"unseen": f"a look failed: {error}; next: {error.next_step}"})
        result = _result(pipeline, listing, since, result.looks + 1)
        if result.grown:
            break
    return result


def _result(pipeline: Pipeline, listing: CollectionListing, since: datetime, looks: int) -> WatchResult:
    new = malformed_since(listing.rows, pipeline.heartbeats.registered, nanos_of(since) + 1)
    services, counts = pipeline.heartbeats.services, Counter(family for _, family in new)
    return WatchResult(
        since=since,
        until=listing.read_time,
        looks=looks,
        grown=tuple(
            RegrownProcessor(processor=name, count=n, service=services.get(name)) for name, n in counts.most_common()
        ),
        sample=tuple(sorted(name for name, _ in new)[:_SAMPLE]),
    )
