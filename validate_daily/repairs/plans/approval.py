"""Who agreed to a plan, and how: evidence that goes into the audit. An assistant's model can never supply it."""

from typing import Annotated, Final, Literal

from pydantic import Field

from checks.evidence.base import Evidence
from checks.settings.named_file_only import Writes
from validate_daily.repairs.plans.errors import RefusedError
from validate_daily.repairs.plans.plan import Plan, PlanId, Principal

How = Literal["terminal", "client", "unattended"]

_NOTES: Final[dict[How, str]] = {
    "terminal": "typed at the controlling terminal",
    "client": "client accepted; a human is not proven",
    "unattended": "nobody was asked: [writes] unattended",
}
_TERMINAL: Final = "apply it in a terminal of your own, with --apply"


class Approval(Evidence):
    """An agreement to one plan.

    Attributes:
        plan: the id of the plan; the agreement holds for no other.
        how: where it was given.
        by: who gave it.
        words: what they typed, if they typed.
        note: what this proves, and what it does not.
    """

    plan: PlanId
    how: How
    by: Principal
    words: Annotated[str, Field(max_length=500)] | None = None
    note: str

    @classmethod
    def given(cls, plan: Plan, how: How, by: Principal, words: str | None = None) -> "Approval":
        """The agreement of somebody to a plan."""
        return cls(plan=plan.id, how=how, by=by, words=words, note=_NOTES[how])


def check_approval(approval: Approval, plan: Plan, writes: Writes) -> None:
    """Refuse an agreement that does not hold for this plan under these settings.

    Raises:
        RefusedError: it does not.
    """
    if approval.plan != plan.id or approval.by != plan.principal:
        raise RefusedError("the approval is another plan's", "ask for this one's approval")
    if approval.how == "client" and writes.approval != "client":
        raise RefusedError('[writes] approval is "terminal"', _TERMINAL)
    if approval.how == "unattended" and not writes.unattended:
        raise RefusedError("[writes] unattended is false", _TERMINAL)
    if plan.needs_terminal and approval.how != "terminal":
        raise RefusedError("only a person in a terminal may agree to this plan", _TERMINAL)
