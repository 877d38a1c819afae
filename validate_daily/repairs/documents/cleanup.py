"""Cleanup: moves the documents that old code named by run into the trash collection.

Only ids that parse as run-scoped and are not registered are ever touched. While something still writes such ids, fixing
the writer comes first: a cleanup would grow back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import nsmallest
from types import MappingProxyType
from typing import Final

from checks.judge.rules import malformed_ids
from checks.settings.pipeline import Pipeline
from checks.sources.errors import SourceError
from checks.text.plural import counted, form
from checks.text.show import show
from validate_daily.repairs.documents.collection import date_back, firestore_time, list_collection, list_heartbeats
from validate_daily.repairs.documents.fates import move_all
from validate_daily.repairs.documents.selection import HOUR, CleanupSelection, select
from validate_daily.repairs.documents.session import DocumentSession
from validate_daily.repairs.documents.trash import IntoTrash
from validate_daily.repairs.plans.application import allow, audited
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import Audit
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError
from validate_daily.repairs.plans.outcome import DocumentsOutcome, Recount
from validate_daily.repairs.plans.plan import SAMPLE, CleanupPlan, Expected, PlannedDocument, digest
from validate_daily.repairs.stores.listing import CollectionListing
from validate_daily.repairs.stores.timestamps import moment, nanos_of

_NAMED: Final = 5
NOT_FIXED: Final[Mapping[str, datetime]] = MappingProxyType({})
_ENTRIES_A_READ: Final = 1_000


async def plan_cleanup(
    session: DocumentSession,
    *,
    even_if_growing: bool = False,
    max_documents: int | None = None,
    fixed: Mapping[str, datetime] = NOT_FIXED,
) -> CleanupPlan:
    """Plan a cleanup from a reading of one's own. Changes nothing.

    Args:
        session: what is read, and for whom.
        even_if_growing: a person in a terminal wants it although something still writes run-scoped ids.
        max_documents: a person in a terminal wants another limit than that of the settings.
        fixed: since when the fix of a service is proved to serve: what its processors created before is no growth.

    Raises:
        NothingToDoError: there is nothing that a cleanup touches.
        RefusedError: something still writes, or there is more than one plan may touch.
        UnseenError: the collection could not be listed completely.
    """
    selection = await _select_dated(session, fixed)
    if not selection.versions:
        raise NothingToDoError(selection.nothing(), selection.instead())
    if selection.found.growing and not even_if_growing:
        raise RefusedError(selection.growth(), selection.fix_first())
    limit = session.check_limit(max_documents, len(selection.versions))
    heartbeats = session.settings.pipeline.heartbeats
    expires = heartbeats.trash_expires_after
    return CleanupPlan(
        **session.plan_base(selection.listing.read_time),
        trash=heartbeats.trash,
        count=len(selection.versions),
        digest=digest(selection.versions),
        by_processor=dict(selection.found.families.most_common()),
        sample=tuple(
            PlannedDocument(path=path, update_time=moment(version))
            for path, version in nsmallest(SAMPLE, selection.versions)
        ),
        untouched=selection.found.untouched,
        reason=f"{malformed_ids.RULE.name}: {len(selection.versions):,} of {counted(selection.total, 'document')} "
        f"{form(len(selection.versions), 'has a run-scoped id', 'have run-scoped ids')}",
        max_documents=limit,
        default_max=session.settings.writes.max_documents,
        expected=_expected(len(selection.versions), selection.total),
        undo_until=None if expires is None else selection.listing.read_time + expires,
        total_before=selection.total,
        growing=sum(selection.found.growing.values()),
        even_if_growing=even_if_growing,
    )


async def apply_cleanup(
    session: DocumentSession, plan: CleanupPlan, approval: Approval, audit: Audit, *, token: str | None = None
) -> DocumentsOutcome:
    """Do what a plan says to what is still as it says, and look again.

    Args:
        session: one that is writing.
        plan: made by ``plan_cleanup``, perhaps by way of a seal.
        approval: somebody's agreement to this plan.
        audit: where it is written down, before and after.
        token: the sealed plan, kept in the audit for resuming.

    Raises:
        RepairError: it may not be applied; nothing was changed.
    """
    resumed = await allow(session, plan, approval, audit, await firestore_time(session))
    versions = (await _select(session, plan.read_time)).versions
    plan.check_versions(versions)

    async def move(head: str) -> DocumentsOutcome:
        fates = await move_all(session, IntoTrash(plan, head), plan, versions)
        return fates.outcome(plan, session, await _recount(session, plan), resumed=resumed)

    return await audited(session, plan, approval, audit, move, token=token)


@dataclass(frozen=True, slots=True)
class _Selection:
    """A listing of the collection, and what of it a cleanup touches: ``versions`` are its paths and their versions."""

    pipeline: Pipeline
    listing: CollectionListing
    found: CleanupSelection
    versions: Sequence[tuple[str, int]]

    @property
    def total(self) -> int:
        """How many documents there are."""
        return len(self.listing.rows)

    def nothing(self) -> str:
        """That there is nothing to do, and what there is instead."""
        left = "; ".join(f"{each.count:,} {each.what}" for each in self.found.untouched)
        collection = self.pipeline.heartbeats.collection
        return f"nothing to clean: no document of {collection} has a run-scoped id" + (f" ({left})" if left else "")

    def instead(self) -> str:
        """What to do where there is nothing to clean."""
        if self.found.by_hand:
            top = ", ".join(show(name, limit=200) for name, _ in self.found.by_hand.most_common(_NAMED))
            return f"fix what writes them ({top}), then remove these documents by hand: no repair will move them"
        return "look at the whole picture with validate-daily check"

    def growth(self) -> str:
        """That something still writes, and who."""
        growing = self.found.growing
        top = ", ".join(f"{show(name, limit=200)} ({count:,})" for name, count in growing.most_common(_NAMED))
        documents = counted(growing.total(), "malformed document was", "malformed documents were")
        return (
            f"{documents} created in {self.pipeline.heartbeats.collection} in "
            f"the last hour, by {top}: something still writes in the old format, and a cleanup would grow back"
        )

    def fix_first(self) -> str:
        """What to redeploy before any cleanup."""
        known = self.pipeline.heartbeats.services
        services = sorted({known[name] for name in self.found.growing if name in known})
        who = ", ".join(services) if services else "the service or job that runs these processors"
        return f"redeploy {who}, and plan again in an hour; a person in a terminal may say --even-if-growing"


async def _select(
    session: DocumentSession, at: datetime | None, fixed: Mapping[str, datetime] = NOT_FIXED
) -> _Selection:
    pipeline, listing = session.settings.pipeline, await list_heartbeats(session, at)
    found = _select_from(pipeline, listing, fixed)
    collection = pipeline.heartbeats.collection
    versions = [(f"{collection}/{row.id}", row.updated) for row in listing.rows if row.id in found.subjects]
    return _Selection(pipeline, listing, found, versions)


async def _select_dated(session: DocumentSession, fixed: Mapping[str, datetime]) -> _Selection:
    """What a cleanup would touch now. What a restore moved back is no growth; that is asked where something grew."""
    seen = await _select(session, None, fixed)
    if not seen.found.growing:
        return seen
    listing = await date_back(session, seen.listing, nanos_of(seen.listing.read_time) - HOUR)
    return replace(seen, listing=listing, found=_select_from(seen.pipeline, listing, fixed))


def _select_from(
    pipeline: Pipeline, listing: CollectionListing, fixed: Mapping[str, datetime] = NOT_FIXED
) -> CleanupSelection:
    since = {
        name: nanos_of(fixed[service]) for name, service in pipeline.heartbeats.services.items() if service in fixed
    }
    return select(listing.rows, pipeline.heartbeats.registered, nanos_of(listing.read_time), since)


async def _recount(session: DocumentSession, plan: CleanupPlan) -> Recount | SourceError:
    try:
        listing = await list_collection(session, plan.collection)
    except SourceError as error:
        return error
    left = _select_from(session.settings.pipeline, listing).subjects
    since = nanos_of(plan.read_time)
    return Recount(
        at=listing.read_time,
        total=len(listing.rows),
        remaining=len(left),
        arrived=sum(1 for row in listing.rows if row.id in left and row.created > since),
    )


def _expected(subjects: int, total: int) -> Expected:
    """Now; all listed as of T and counted; each subject read whole; what is left listed afterwards and counted."""
    after = total - subjects
    counts = 2 * max(1, -(-total // _ENTRIES_A_READ)) + max(1, -(-after // _ENTRIES_A_READ))
    return Expected(reads=counts + total + subjects + max(1, after), writes=subjects, deletes=subjects)
