"""Reads the heartbeats of a window by one query over their time, newest first: its price is what it finds.

The lower bound is a timestamp, and so keeps texts and numbers out of the answer: Firestore compares like with like.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from checks.evidence.recent_heartbeats import RecentMalformed, RecentProcessor
from checks.evidence.snapshot import Gap, Target
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget, ask, patient
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.firestore.attribution import attribute, resolve
from checks.sources.firestore.calls import ROLE, Reads
from checks.sources.firestore.census import SOURCE
from checks.sources.firestore.channel import connect
from checks.sources.firestore.document_fields import DocumentFields
from checks.sources.firestore.queries import CollectionPlace
from checks.sources.firestore.restore_notes import RestoreNotes
from checks.sources.firestore.restores import NO_RESTORES, Restores
from checks.sources.firestore.tally import CLOCK_SKEW, DAY, HeartbeatDocument, heartbeat_of
from checks.sources.progress import Progress
from checks.sources.times import Micros, micros, moment
from checks.text.plural import counted
from checks.text.show import show

_REVISIONS: Final = 5
_APART: Final = timedelta(minutes=1)
"""How far this machine's clock may be from Firestore's before a window by the one is no window by the other."""


async def read_recent(
    pipeline: Pipeline,
    target: Target,
    window: timedelta,
    most: int,
    budget: Budget,
    progress: Progress,
    *,
    login: Login,
) -> tuple[RecentMalformed | None, tuple[Gap, ...]]:
    """The malformed heartbeats of a window that ends now, by Firestore's clock.

    Where this machine's clock differs from that by more than a minute, the window is asked for a second time.

    Args:
        pipeline: whose.
        target: where Firestore is.
        window: how long it is.
        most: how many heartbeats are read at most; where there are more, that is a gap.
        budget: what the call may take.
        progress: told how far it is.
        login: whose credentials.

    Returns:
        None where nothing could be read; and what could not be read.
    """
    fields = DocumentFields.of(pipeline.heartbeats.fields)
    place = CollectionPlace(target.resource, pipeline.heartbeats.collection, fields)
    try:
        async with patient(budget, connect(target, login)) as connection:

            async def attempt(since: datetime) -> tuple[Reads, list[HeartbeatDocument]]:
                """Read all of it; a retry begins anew, as of its own moment."""
                progress("reading recent heartbeats", 0, None)
                reads, found = Reads(connection, place, budget), list[HeartbeatDocument]()
                query = place.newer_than(micros(since) - 1, most + 1)
                await reads.documents(query, lambda document: found.append(fields.details(document)))
                return reads, found

            since, billed = datetime.now(UTC) - window, 0
            reads, found = await ask(lambda: attempt(since), budget, role=ROLE)
            if abs(moment(reads.now) - window - since) > _APART:
                since, billed = moment(reads.now) - window, reads.billed
                reads, found = await ask(lambda: attempt(since), budget, role=ROLE)
                reads.billed += billed
            until = moment(reads.now)
            restores = await _restores(pipeline, reads, found[:most], since)
    except SourceError as error:
        what = f"recent heartbeats of {show(place.collection)}"
        return None, (Gap(source=SOURCE, reason=f"{what}: {error}", next_step=error.next_step),)
    processors = _processors(pipeline, found[:most], since, restores, reads.now)
    recent = RecentMalformed(
        collection=place.name,
        since=since,
        until=until,
        scanned=min(len(found), most),
        malformed=sum(each.malformed for each in processors),
        processors=processors,
        complete=len(found) <= most,
        billed_reads=reads.billed,
    )
    reason = f"more than {counted(most, 'heartbeat')} in the window; the newest of them were read"
    more = Gap(source=SOURCE, reason=reason, next_step="look at a shorter window, or count all of them")
    untimely = () if reads.untimely is None else (reads.untimely.gap(SOURCE),)
    return recent, untimely if recent.complete else (more, *untimely)


async def _restores(
    pipeline: Pipeline, reads: Reads, documents: Sequence[HeartbeatDocument], since: datetime
) -> Restores:
    """What was moved back within the window: asked where documents were created later than they say."""
    new = [each for each in documents if each.created >= micros(since)]
    if all(each.created <= (each.beat or 0) + CLOCK_SKEW for each in new):
        return NO_RESTORES
    notes = RestoreNotes(reads.connection, pipeline.heartbeats.restores, reads.budget, reads.read_time)
    try:
        return await notes.read(micros(since) - 1)
    finally:
        reads.billed += notes.billed


def _processors(
    pipeline: Pipeline, documents: Sequence[HeartbeatDocument], since: datetime, restores: Restores, now: Micros
) -> tuple[RecentProcessor, ...]:
    """The processors whose ids are malformed, those with the most documents first."""
    registered, day_ago = pipeline.heartbeats.registered, now - DAY
    told = resolve(
        attribute(each.doc, each.name, registered, live=each.updated >= day_ago, new=each.created >= day_ago)
        for each in documents
    )
    families: dict[str, list[HeartbeatDocument]] = {}
    for document, attribution in zip(documents, told, strict=True):
        if attribution.malformed:
            families.setdefault(attribution.writer, []).append(document)
    found = [
        RecentProcessor(
            processor=name,
            malformed=len(own),
            created=sum(restores.created(each.doc, each.created) >= micros(since) for each in own),
            newest=heartbeat_of(own[0]._replace(created=restores.created(own[0].doc, own[0].created))),
            revisions=tuple(dict.fromkeys(each.revision for each in own if each.revision))[:_REVISIONS],
            service=pipeline.heartbeats.services.get(name),
        )
        for name, own in families.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.malformed, each.processor)))
