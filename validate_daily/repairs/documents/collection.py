"""Lists the heartbeats or the trash, completely or not at all, and asks Firestore for its own time."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from checks.sources.budget import ask
from checks.sources.errors import SourceError
from checks.sources.firestore.document_fields import DocumentFields
from checks.sources.firestore.restore_notes import RestoreNotes
from checks.sources.firestore.restores import Restores
from validate_daily.repairs.documents.session import DocumentSession
from validate_daily.repairs.plans.errors import UnseenError
from validate_daily.repairs.stores.listing import ROLE, CollectionListing, ListedDocument, Lister
from validate_daily.repairs.stores.timestamps import Nanos, timestamp

_MICRO: Final = 1_000
"""Nanoseconds in Firestore's own precision."""


async def list_heartbeats(session: DocumentSession, at: datetime | None = None) -> CollectionListing:
    """All heartbeats, now or as of a moment.

    Raises:
        UnseenError: they could not be listed completely.
    """
    collection = session.settings.pipeline.heartbeats.collection
    try:
        return await list_collection(session, collection, at)
    except SourceError as error:
        raise UnseenError.of(f"listing {collection}", error) from error


async def date_back(session: DocumentSession, listing: CollectionListing, since: Nanos) -> CollectionListing:
    """A listing in which documents that were moved back since a moment have the create time that they had before.

    Raises:
        UnseenError: the notes of restores could not be read.
    """
    collection = session.settings.pipeline.heartbeats.restores
    notes = RestoreNotes(session.connection, collection, session.budget, timestamp(listing.read_time))
    try:
        restores = await notes.read(since // _MICRO - 1)
    except SourceError as error:
        raise UnseenError.of(f"reading {collection}", error) from error
    finally:
        session.bill.read(notes.billed)
    if not restores.documents:
        return listing
    return replace(listing, rows=tuple(_dated_back(row, restores) for row in listing.rows))


def _dated_back(row: ListedDocument, restores: Restores) -> ListedDocument:
    moved = row.created // _MICRO
    created = restores.created(row.id, moved)
    return row if created == moved else replace(row, created=created * _MICRO)


async def list_collection(
    session: DocumentSession, collection: str, at: datetime | None = None, *, cleanup: str | None = None
) -> CollectionListing:
    """All of a collection; or, of the trash, what one cleanup moved there.

    Raises:
        SourceError: it could not be listed completely.
    """
    heartbeats = session.settings.pipeline.heartbeats
    lister = Lister(
        session.connection,
        collection,
        session.budget,
        session.progress,
        session.bill,
        read_time=at,
        prefix="" if cleanup is None else f"{cleanup}_",
        paths=cleanup is not None,
        fields=DocumentFields.of(heartbeats.fields) if collection == heartbeats.collection else None,
    )
    return await lister.list()


async def count_collection(session: DocumentSession, collection: str) -> tuple[datetime, int]:
    """Firestore's own time, and how many documents a collection holds then.

    Raises:
        SourceError: it could not be counted.
    """
    lister = Lister(session.connection, collection, session.budget, session.progress, session.bill)
    return await ask(lister.count, session.budget, role=ROLE)


async def firestore_time(session: DocumentSession) -> datetime:
    """Firestore's own time.

    Raises:
        UnseenError: it does not answer.
    """
    try:
        now, _ = await count_collection(session, session.settings.pipeline.heartbeats.collection)
    except SourceError as error:
        raise UnseenError.of("firestore", error) from error
    return now
