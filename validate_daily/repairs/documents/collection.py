"""Lists the heartbeats or the trash, completely or not at all, and asks Firestore for its own time."""

from datetime import datetime

from checks.sources.budget import ask
from checks.sources.errors import SourceError
from validate_daily.repairs.documents.session import DocumentSession
from validate_daily.repairs.plans.errors import UnseenError
from validate_daily.repairs.stores.listing import ROLE, CollectionListing, Lister


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


async def list_collection(
    session: DocumentSession, collection: str, at: datetime | None = None, *, cleanup: str | None = None
) -> CollectionListing:
    """All of a collection; or, of the trash, what one cleanup moved there.

    Raises:
        SourceError: it could not be listed completely.
    """
    lister = Lister(
        session.connection,
        collection,
        session.budget,
        session.progress,
        session.bill,
        read_time=at,
        prefix="" if cleanup is None else f"{cleanup}_",
        paths=cleanup is not None,
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
