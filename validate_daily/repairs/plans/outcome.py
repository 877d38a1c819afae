"""What became of a repair: each document's fate, what was billed, and what a look afterwards saw."""

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime

from checks.evidence.base import Count, Evidence
from checks.judge.verdict import ExitCode
from checks.text.plural import counted
from validate_daily.repairs.plans.plan import PlanId
from validate_daily.repairs.plans.regrowth import WatchResult


class Fate(StrEnum):
    """What became of one document of a plan."""

    MOVED = "moved"
    CHANGED = "changed"
    VANISHED = "vanished"
    OCCUPIED = "occupied"
    UNMOVABLE = "unmovable"
    LEFT = "left"
    UNKNOWN = "unknown"


WHY: Final = {
    Fate.CHANGED: "its version is no longer the planned one: left alone",
    Fate.VANISHED: "it is gone, and was not moved by this plan",
    Fate.OCCUPIED: "there is a document at its destination, which is never overwritten",
    Fate.UNMOVABLE: "Firestore refuses what it would become",
    Fate.LEFT: "not moved: run again",
    Fate.UNKNOWN: "it could not be read again after a commit without an acknowledgement",
}
SAMPLE: Final = 20


class Skipped(Evidence):
    """Documents that were not moved: their fate, how many, some of their paths, and why."""

    fate: Fate
    count: Count
    sample: tuple[str, ...]
    why: str


class Recount(Evidence):
    """A look afterwards.

    Attributes:
        at: Firestore's time of it.
        total: documents in the collection.
        remaining: those of them that the plan was about; for a cleanup all that a cleanup would move.
        arrived: those of the remaining that came after the plan.
    """

    at: AwareDatetime
    total: Count
    remaining: Count
    arrived: Count


class RepairResult(Evidence, ABC):
    """What became of a plan, whatever it changed.

    Attributes:
        plan: its id, by which it is undone.
        repair: what was done.
        resumed: it had been started before.
        audit: the head of the audit's chain after the last line; None where it could not be written.
        unseen: what could not be seen or written down, and what to do.
    """

    plan: PlanId
    repair: str
    resumed: bool = False
    audit: str | None = None
    unseen: tuple[str, ...] = ()

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether everything is as the plan wanted it."""

    @property
    @abstractmethod
    def resumable(self) -> bool:
        """Whether it has not come to its end: the same plan may go on with ``--resume``."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """What became of it, in a few words, as the audit keeps it."""

    @property
    @abstractmethod
    def exit_code(self) -> int:
        """0 done, 1 not or partly done, 3 something is not known."""


class DocumentsOutcome(RepairResult):
    """What became of a plan that moves documents.

    Attributes:
        moved: how many documents are where the plan wanted them.
        skipped: the others, by fate.
        reads, writes, deletes: what was billed.
        recount: a look afterwards; None where it failed, which ``unseen`` explains.
        undo_until: how long this can be undone; None means without end.
        watched: what a watch afterwards saw; None where none was asked for.
    """

    planned: Count
    moved: Count
    skipped: tuple[Skipped, ...]
    reads: Count
    writes: Count
    deletes: Count
    recount: Recount | None
    undo_until: AwareDatetime | None
    watched: WatchResult | None = None

    @property
    def complete(self) -> bool:
        """Whether every planned document is where the plan wanted it, or gone by itself."""
        vanished = sum(each.count for each in self.skipped if each.fate is Fate.VANISHED)
        return self.moved + vanished == self.planned

    @property
    def resumable(self) -> bool:
        """Whether documents of the plan were not reached, or nobody knows where they are."""
        return any(each.fate in {Fate.LEFT, Fate.UNKNOWN} for each in self.skipped)

    @property
    def summary(self) -> str:
        """How many moved."""
        return f"{self.moved:,} of {counted(self.planned, 'document')} moved"

    @property
    def exit_code(self) -> int:
        """0 done, 1 partly done, 3 something is not known."""
        if self.unseen or any(each.fate is Fate.UNKNOWN for each in self.skipped):
            return ExitCode.UNKNOWN
        if not self.complete:
            return 1
        return self.watched.exit_code if self.watched else 0
