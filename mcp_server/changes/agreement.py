"""What every tool that changes shares: asking the person, taking their answer, and doing only what they agreed to."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mcp.server.elicitation import AcceptedElicitation
from mcp.server.mcpserver.context import Context
from mcp.server.mcpserver.resolve import Elicit

from mcp_server.changes.change import Changing, Opening, changing, opened
from mcp_server.changes.consent import NOT_ASKED, ElicitedAnswer, Typed
from mcp_server.state import ServerState
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import Audit
from validate_daily.repairs.plans.outcome import RepairResult
from validate_daily.repairs.plans.plan import Plan
from validate_daily.repairs.plans.session import RepairSession
from validate_daily.repairs.stores.audit import open_audit
from validate_daily.repairs.words import question

Ctx = Context[ServerState, Any]
S = TypeVar("S", bound=RepairSession)
P = TypeVar("P", bound=Plan)
R = TypeVar("R", bound=RepairResult)
Apply = Callable[[S, P, Approval, Audit], Awaitable[R]]
"""Does what a plan says."""


def ask(token: str, kind: type[Plan], ctx: Ctx) -> Typed | Elicit[Typed]:
    """The question about a sealed plan, where one may be asked; else an answer that agrees to nothing.

    Raises:
        RepairError: the plan cannot be believed, or nothing may be changed.
    """
    change = changing(ctx)
    plan = change.seal.open(token, kind, change.binding)
    return NOT_ASKED if _unasked(plan, change, ctx) else Elicit(question(plan), Typed)


async def carry_out(
    ctx: Ctx, change: Changing, plan: P, answer: ElicitedAnswer, opening: Opening[S], apply: Apply[S, P, R]
) -> R | str:
    """Apply a plan if the person agreed to it; else the reason why nothing was changed."""
    if why := _no(change, plan, answer, ctx):
        return why
    approval = Approval.given(plan, "client", change.principal, plan.words)
    async with (
        opened(ctx, change, opening, writing=True) as session,
        open_audit(change.settings, environment=change.state.environment) as audit,
    ):
        return await apply(session, plan, approval, audit)


def _unasked(plan: Plan, change: Changing, ctx: Ctx) -> str | None:
    """Why a person is not asked through the client; None where they are."""
    if change.settings.writes.approval != "client":
        return 'a person agrees in a terminal: [writes] approval is "terminal"'
    if plan.needs_terminal:
        return "only a person in a terminal may agree to this plan"
    if change.state.refusals.holds(plan):
        return "the person was asked within the last ten minutes, and did not agree: do not ask again"
    if ctx.client_capabilities is None or ctx.client_capabilities.elicitation is None:
        return "this client cannot ask a person"
    return None


def _no(change: Changing, plan: Plan, answer: ElicitedAnswer, ctx: Ctx) -> str | None:
    """Why an answer agrees to nothing; None where it agrees."""
    if why := _unasked(plan, change, ctx):
        return why
    if isinstance(answer, AcceptedElicitation) and answer.data.typed.strip() == plan.words:
        return None
    change.state.refusals.remember(plan)
    if isinstance(answer, AcceptedElicitation):
        return f"the person accepted, but did not type {plan.words!r}"
    return f"the person did not agree ({answer.action})"
