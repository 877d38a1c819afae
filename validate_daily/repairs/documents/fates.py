"""Moves the documents of a plan, and tells the fate of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from checks.sources.errors import SourceError
from validate_daily.repairs.documents.mover import Conversion, Mover
from validate_daily.repairs.documents.session import DocumentSession
from validate_daily.repairs.plans.outcome import SAMPLE, DocumentsOutcome, Fate, Recount, Skipped
from validate_daily.repairs.plans.plan import MovingPlan
from validate_daily.repairs.stores.documents import Documents


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
        for path, fate in sorted(self.by_path.items()):
            alike.setdefault(fate, []).append(path)
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
    session: DocumentSession, conversion: Conversion, plan: MovingPlan, sources: Sequence[tuple[str, int]]
) -> Fates:
    """Move the documents of a plan; see ``Mover``.

    Args:
        session: one that is writing.
        conversion: where documents go, and what they become.
        plan: which plan's.
        sources: their paths below the root, and their planned versions, each once.
    """
    documents = Documents(session.connection, session.budget, session.bill)
    mover = Mover(documents, f"{session.root}/", conversion, plan.read_time, session.budget, session.progress)
    await mover.move(sources)
    return Fates(mover.moved, mover.fates)
