"""Asks a person, through the client, whether a sealed plan may be applied; and remembers a no for a while.

The question is built from the plan alone, so it is the same in every round: a client that answers an older one is asked
again. What the person must type is the subject and the count of that plan. An answer is consent as far as the client
goes; it proves no human, and the audit says so.
"""

import time
from dataclasses import dataclass, field
from typing import Final

from mcp.server.elicitation import AcceptedElicitation, CancelledElicitation, DeclinedElicitation
from pydantic import BaseModel, Field

from checks.frozen import inert
from repairs.plan import Plan

QUIET_SECONDS: Final = 600.0
"""How long nobody is asked again about a subject, after a no."""

_NAMED: Final = 5
_NAME: Final = 80


class Typed(BaseModel):
    """What a person types to agree."""

    typed: str = Field(max_length=500, description="the subject and the count, as the question asks for them")


Answer = AcceptedElicitation[Typed] | DeclinedElicitation | CancelledElicitation
NOT_ASKED: Final = Typed(typed="")
"""Stands for an answer where nobody is asked: it agrees to nothing."""


def words(plan: Plan) -> str:
    """What must be typed to agree to a plan."""
    return f"{plan.collection} {plan.count}"


def question(plan: Plan) -> str:
    """All that a person needs to decide, from the sealed plan alone."""
    where = f"{plan.collection} of project {plan.project}, database {plan.database}"
    does = {
        "cleanup": f"Move {plan.count:,} documents of {where} to {plan.trash}",
        "restore": f"Move {plan.count:,} documents from {plan.trash} back to {where}",
    }[plan.repair]
    top = ", ".join(f"{inert(name, _NAME)} {count:,}" for name, count in list(plan.by_processor.items())[:_NAMED])
    undo = "without end" if plan.undo_until is None else f"until {plan.undo_until:%Y-%m-%d %H:%M} UTC"
    practice = "PRACTICE. " if plan.target.practice else ""
    return (
        f"{practice}{does}?\nAs read at {plan.read_time:%Y-%m-%d %H:%M:%S.%f} UTC; only documents whose version is "
        f"still that one move. {plan.digest}\nMost of: {top}\nWhy: {plan.reason}\nCan be undone {undo}.\n"
        f"To agree, type: {words(plan)}"
    )


@dataclass(slots=True)
class Refusals:
    """Who said no to what, and until when nobody is asked about it again."""

    _until: dict[tuple[str, str, str], float] = field(default_factory=dict[tuple[str, str, str], float])

    def remember(self, plan: Plan) -> None:
        """Somebody said no, or could not be asked."""
        self._until[_subject(plan)] = time.monotonic() + QUIET_SECONDS

    def holds(self, plan: Plan) -> bool:
        """Whether the caller may not be asked about this subject now."""
        return time.monotonic() < self._until.get(_subject(plan), 0.0)


def _subject(plan: Plan) -> tuple[str, str, str]:
    return plan.principal.name, plan.repair, f"{plan.project}/{plan.database}/{plan.collection}"
