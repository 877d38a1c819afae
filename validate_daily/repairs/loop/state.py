"""The steps of the closed loop, and where it stands."""

from dataclasses import dataclass, field
from typing import Final

from checks.evidence.base import Evidence, Untrusted
from validate_daily.repairs.loop.right_since import RightSince
from validate_daily.repairs.plans.plan import Plan

WRITER: Final = "the writer is fixed"
JOBS: Final = "the jobs that follow it run the same"
BEATS: Final = "its processors beat well"
CLEAN: Final = "the left-overs are gone"


class Step(Evidence):
    """One step of the loop.

    Attributes:
        name, subject: what should hold, and of what.
        holds: whether it does; None: that is not known.
        told: what was seen.
        next_step: what to do where it does not hold; None where it does, or where a plan is at hand.
    """

    name: str
    subject: str
    holds: bool | None
    told: Untrusted
    next_step: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Which step it is."""
        return self.name, self.subject


@dataclass(slots=True)
class LoopState:
    """Where the loop stands.

    Attributes:
        steps: in their order, up to the first that does not hold and that the next rest on.
        plan: what would make the last one hold, if a plan can.
        fixed: since when the fix of each service serves, that owns run-scoped documents.
        aside: steps that no other rests on: of services whose processors have no run-scoped documents.
    """

    steps: list[Step] = field(default_factory=list[Step])
    plan: Plan | None = None
    fixed: dict[str, RightSince] = field(default_factory=dict[str, RightSince])
    aside: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    @property
    def holds(self) -> bool | None:
        """Whether every step holds that another rests on; None where one is not known."""
        needed = [step for step in self.steps if step.key not in self.aside]
        return needed[-1].holds if needed else True

    def add(self, step: Step, plan: Plan | None = None, *, aside: bool = False) -> bool:
        """Note a step, and say whether the next may be looked at."""
        self.steps.append(step)
        if aside:
            self.aside.add(step.key)
        self.plan = plan
        return step.holds is True or (aside and plan is None)
