"""Restore: moves what a cleanup moved to the trash back to where it was, and never over a document."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from checks.sources.errors import SourceError
from checks.text.plural import form
from heartbeat.document_id import parse
from validate_daily.repairs.documents.collection import count_collection, firestore_time, list_collection
from validate_daily.repairs.documents.fates import move_all
from validate_daily.repairs.documents.session import DocumentSession
from validate_daily.repairs.documents.trash import NOTED_MEMBERS, FromTrash
from validate_daily.repairs.plans.application import allow, audited
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import Audit
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError, UnseenError
from validate_daily.repairs.plans.outcome import DocumentsOutcome, Recount
from validate_daily.repairs.plans.plan import SAMPLE, Expected, PlannedDocument, RestorePlan, Untouched, digest
from validate_daily.repairs.stores.documents import Documents
from validate_daily.repairs.stores.listing import ListedDocument
from validate_daily.repairs.stores.timestamps import moment

_AT_ONCE: Final = 250
_PLAN_ID: Final = 16


async def plan_restore(
    session: DocumentSession, cleanup: str, *, processors: tuple[str, ...] = (), max_documents: int | None = None
) -> RestorePlan:
    """Plan to undo a cleanup, from a reading of the trash. Changes nothing.

    Args:
        session: what is read, and for whom.
        cleanup: the id of the cleanup, as its outcome and the audit tell it.
        processors: move back only the documents of these; none named means all.
        max_documents: a person in a terminal wants another limit than that of the settings.

    Raises:
        RefusedError: that is no id of a cleanup, or there is more than one plan may touch.
        NothingToDoError: nothing of it can be moved back.
        UnseenError: not everything could be read.
    """
    if len(cleanup) != _PLAN_ID or not set(cleanup) <= set("0123456789abcdef"):
        raise RefusedError(f"{cleanup[:40]!r} is no id of a cleanup", "validate-daily audit lists them")
    listing = await _list_trash(session, cleanup, processors, None)
    if not listing.rows:
        raise NothingToDoError(listing.nothing(session), "validate-daily audit shows what a cleanup moved")
    limit = session.check_limit(max_documents, len(listing.rows))
    return RestorePlan(
        **session.plan_base(listing.read_time),
        cleanup=cleanup,
        processors=processors,
        trash=session.settings.pipeline.heartbeats.trash,
        count=len(listing.rows),
        digest=digest(listing.versions),
        by_processor=dict(Counter(_processor(row.path) for row in listing.rows).most_common()),
        sample=tuple(
            PlannedDocument(path=row.path, update_time=moment(row.updated)) for row in islice(listing.rows, SAMPLE)
        ),
        untouched=listing.untouched,
        reason=f"undo of the cleanup {cleanup}",
        max_documents=limit,
        default_max=session.settings.writes.max_documents,
        expected=_expected(len(listing.rows), listing.listed),
        undo_until=None,
    )


async def apply_restore(
    session: DocumentSession, plan: RestorePlan, approval: Approval, audit: Audit, *, token: str | None = None
) -> DocumentsOutcome:
    """Move back what is still as the plan says, where nothing stands, and look again.

    Args:
        session: one that is writing.
        plan: made by ``plan_restore``, perhaps by way of a seal.
        approval: somebody's agreement to this plan.
        audit: where it is written down, before and after.
        token: the sealed plan, kept in the audit for resuming.

    Raises:
        RepairError: it may not be applied; nothing was changed.
    """
    now = await firestore_time(session)
    resumed = await allow(session, plan, approval, audit, now)
    heartbeats = session.settings.pipeline.heartbeats
    listing = await _list_trash(session, plan.cleanup, plan.processors, plan.read_time)
    plan.check_versions(listing.versions)
    homes = {f"{plan.trash}/{row.id}": row.path for row in listing.rows}

    async def move(_head: str) -> DocumentsOutcome:
        back = FromTrash(homes, plan, heartbeats.restores, now, heartbeats.trash_expires_after)
        fates = await move_all(session, back, plan, listing.versions)
        return fates.outcome(plan, session, await _recount(session, plan), resumed=resumed)

    return await audited(session, plan, approval, audit, move, token=token)


@dataclass(frozen=True, slots=True)
class _TrashListing:
    """What the trash holds of a cleanup: ``rows`` can be moved back."""

    read_time: datetime
    trash: str
    listed: int
    rows: tuple[ListedDocument, ...]
    untouched: tuple[Untouched, ...]

    @property
    def versions(self) -> list[tuple[str, int]]:
        """What is moved back: each path in the trash and its version."""
        return [(f"{self.trash}/{row.id}", row.updated) for row in self.rows]

    def nothing(self, session: DocumentSession) -> str:
        """That there is nothing to do, and what there is instead."""
        left = "; ".join(f"{each.count:,} {each.what}" for each in self.untouched)
        trash = session.settings.pipeline.heartbeats.trash
        return f"nothing to restore: {trash} holds {left or 'nothing'} of this cleanup"


async def _list_trash(
    session: DocumentSession, cleanup: str, processors: tuple[str, ...], at: datetime | None
) -> _TrashListing:
    heartbeats = session.settings.pipeline.heartbeats
    try:
        listing = await list_collection(session, heartbeats.trash, at, cleanup=cleanup)
        homes = [row for row in listing.rows if _is_home(row.path, heartbeats.collection)]
        asked = [row for row in homes if _is_asked(row.path, processors)]
        taken = await _taken_places(session, [row.path for row in asked], listing.read_time)
    except SourceError as error:
        raise UnseenError.of(f"reading {heartbeats.trash}", error) from error
    others, homeless = len(homes) - len(asked), len(listing.rows) - len(homes)
    say = form(homeless, "does not say where it belongs", "do not say where they belong")
    untouched = (
        ("whose place is taken", len(taken), "a document is there, and is never overwritten"),
        ("of other processors", others, f"{form(others, 'it was', 'they were')} not asked for"),
        (f"that {say}", homeless, f"look at {form(homeless, 'it', 'them')} by hand"),
    )
    return _TrashListing(
        listing.read_time,
        heartbeats.trash,
        len(listing.rows),
        tuple(row for row in asked if row.path not in taken),
        tuple(
            Untouched(what=f"{form(count, 'document', 'documents')} {which}", count=count, why=why)
            for which, count, why in untouched
            if count
        ),
    )


async def _taken_places(session: DocumentSession, paths: list[str], at: datetime) -> frozenset[str]:
    """Where a document stands already, as of a moment."""
    documents = Documents(session.connection, session.budget, session.bill)
    root = f"{session.root}/"
    found = set[str]()
    for start in range(0, len(paths), _AT_ONCE):
        there = await documents.read((root + path for path in paths[start : start + _AT_ONCE]), at)
        found |= {name.removeprefix(root) for name in there}
    return frozenset(found)


async def _recount(session: DocumentSession, plan: RestorePlan) -> Recount | SourceError:
    try:
        at, total = await count_collection(session, plan.collection)
        left = await list_collection(session, plan.trash, cleanup=plan.cleanup)
    except SourceError as error:
        return error
    remaining = sum(_is_asked(row.path, plan.processors) for row in left.rows)
    return Recount(at=at, total=total, remaining=remaining, arrived=0)


def _is_home(path: str, collection: str) -> bool:
    """Whether a path is one of a document directly in the collection."""
    return path.startswith(f"{collection}/") and path.count("/") == 1 and not path.endswith("/")


def _is_asked(path: str, processors: tuple[str, ...]) -> bool:
    return not processors or (bool(path) and _processor(path) in processors)


def _processor(path: str) -> str:
    return parse(path.rpartition("/")[2]).family


def _expected(subjects: int, listed: int) -> Expected:
    """Now; the trash listed again as of T and counted; places and documents read; what is left counted twice.

    Each commit writes a note besides.
    """
    writes = subjects + -(-subjects // NOTED_MEMBERS)
    return Expected(reads=5 + listed + 2 * subjects + (listed - subjects), writes=writes, deletes=subjects)
