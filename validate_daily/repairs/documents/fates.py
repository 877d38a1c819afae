"""What moving repairs share: list a collection, move everything of a plan, and tell what became of it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from checks.sources.budget import ask
from checks.sources.errors import SourceError
from checks.text.plural import counted
from validate_daily.repairs.documents.mover import Mover, Shape
from validate_daily.repairs.documents.session import DocumentSession
from validate_daily.repairs.plans.errors import RefusedError, UnseenError
from validate_daily.repairs.plans.outcome import SAMPLE, DocumentsOutcome, Fate, Recount, Skipped
from validate_daily.repairs.plans.plan import MovingPlan, digest
from validate_daily.repairs.stores.documents import Documents
from validate_daily.repairs.stores.listing import ROLE, Lister, Listing

_HASHED: Final = 40


@dataclass(frozen=True, slots=True)
class Fates:
    """How many documents moved, and what became of each other, by its path, with the reason."""

    moved: int
    by_path: dict[str, tuple[Fate, str]]

    def outcome(
        self, plan: MovingPlan, session: DocumentSession, recount: Recount | SourceError, *, resumed: bool
    ) -> DocumentsOutcome:
        """All of it as evidence."""
        alike: dict[tuple[Fate, str], list[str]] = {}
        for path, told in sorted(self.by_path.items()):
            alike.setdefault(told, []).append(path)
        skipped = tuple(
            Skipped(fate=fate, count=len(paths), sample=tuple(paths[:SAMPLE]), why=why)
            for (fate, why), paths in alike.items()
        )
        unseen = recount if isinstance(recount, SourceError) else None
        return DocumentsOutcome(
            plan=plan.id,
            repair=plan.repair,
            resumed=resumed,
            planned=plan.count,
            moved=self.moved,
            skipped=skipped,
            reads=session.bill.reads,
            writes=session.bill.writes,
            deletes=session.bill.deletes,
            recount=None if isinstance(recount, SourceError) else recount,
            undo_until=plan.undo_until,
            audit=None,
            unseen=() if unseen is None else (f"counting again: {unseen}; next: {unseen.next_step}",),
        )


async def move_all(
    session: DocumentSession,
    shape: Shape,
    plan: MovingPlan,
    sources: Sequence[tuple[str, int]],
    target_of: Callable[[str], str],
) -> Fates:
    """Move the documents of a plan; see ``Mover``.

    Args:
        session: one that is writing.
        shape: what documents become.
        plan: which plan's.
        sources: their paths below the root, and their planned versions, each once.
        target_of: the path where each goes.
    """
    documents = Documents(session.connection, session.budget, session.bill)
    mover = Mover(documents, f"{session.root}/", shape, plan.read_time, session.budget, session.progress)
    await mover.move(sources, target_of)
    return Fates(mover.moved, mover.fates)


async def list_collection(
    session: DocumentSession, collection: str, at: datetime | None = None, *, cleanup: str | None = None
) -> Listing:
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


async def now_of(session: DocumentSession) -> datetime:
    """Firestore's own time.

    Raises:
        UnseenError: it does not tell.
    """
    collection = session.settings.pipeline.heartbeats.collection
    lister = Lister(session.connection, collection, session.budget, session.progress, session.bill)
    try:
        now, _ = await ask(lister.count, session.budget, role=ROLE)
    except SourceError as error:
        raise UnseenError.of("firestore", error) from error
    return now


def refuse_above(limit: int, count: int) -> None:
    """Refuse to plan for more documents than one plan may touch.

    Raises:
        RefusedError: there are more.
    """
    if count > limit:
        raise RefusedError(
            f"{counted(count, 'document is', 'documents are')} more than the {limit:,} that one plan may touch",
            "raise [writes] max_documents, or give --max in a terminal",
        )


def refuse_unless_same(plan: MovingPlan, versions: Sequence[tuple[str, int]]) -> None:
    """Refuse a plan whose documents are not what was listed again as of its reading.

    Raises:
        RefusedError: they are not.
    """
    if len(versions) != plan.count or digest(versions) != plan.digest:
        raise RefusedError(
            f"listed again as of {plan.read_time:%H:%M:%S UTC}, the documents are not those of the plan",
            "plan again; were processors registered in the settings since?",
        )


def target_id(plan: str, path: str) -> str:
    """Where in the trash a document goes: no other plan and no other document has this id."""
    return f"{plan}_{hashlib.sha256(path.encode()).hexdigest()[:_HASHED]}"
