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

from validate_daily.repairs.plans.plan import Plan

QUIET_SECONDS: Final = 600.0
"""How long nobody is asked again about a subject, after a no."""


class Typed(BaseModel):
    """What a person types to agree."""

    typed: str = Field(max_length=500, description="the subject and the count, as the question asks for them")


ElicitedAnswer = AcceptedElicitation[Typed] | DeclinedElicitation | CancelledElicitation
NOT_ASKED: Final = Typed(typed="")
"""Stands for an answer where nobody is asked: it agrees to nothing."""


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
    return plan.principal.name, plan.repair, f"{plan.project}/{plan.database}/{plan.collection} {plan.place}"
