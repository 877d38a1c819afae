"""What every tool that changes shares: asking the person, taking their answer, and doing only what they agreed to."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from mcp.server.elicitation import AcceptedElicitation
from mcp.server.mcpserver.context import Context
from mcp.server.mcpserver.resolve import Elicit
from pydantic import Field

from checks.settings.file import Settings
from mcp_server.changes.change import ChangeCall, SessionOpener, change_call, repair_session
from mcp_server.changes.consent import NOT_ASKED, ElicitedAnswer, Typed
from mcp_server.state import ServerState
from validate_daily.repairs.plans.application import Apply
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.outcome import RepairResult
from validate_daily.repairs.plans.plan import Plan
from validate_daily.repairs.plans.session import RepairSession
from validate_daily.repairs.stores.audit import open_audit
from validate_daily.repairs.words import question

Ctx = Context[ServerState, Any]
S = TypeVar("S", bound=RepairSession)
P = TypeVar("P", bound=Plan)
R = TypeVar("R", bound=RepairResult)
A = TypeVar("A")
Sealed = Annotated[
    str, Field(min_length=1, max_length=65_536, description="plan of the answer that planned, unchanged")
]


def question_about(kind: type[Plan]) -> Callable[[str, Ctx], Typed | Elicit[Typed]]:
    """What asks a person about a sealed plan of one kind, where one may be asked; else it agrees to nothing."""

    def ask(plan: Sealed, ctx: Ctx) -> Typed | Elicit[Typed]:
        change = change_call(ctx)
        sealed = change.seal.open(plan, kind, change.binding)
        return NOT_ASKED if _why_not_asked(sealed, change, ctx) else Elicit(question(sealed), Typed)

    return ask


async def make_plan(
    ctx: Ctx,
    opener: SessionOpener[S],
    make: Callable[[S], Awaitable[P]],
    answer_of: Callable[[P, str, Settings], A],
) -> A:
    """Plan a repair, and answer with the sealed plan. Changes nothing.

    Raises:
        RepairError: nothing may be changed, or there is no plan.
    """
    change = change_call(ctx)
    async with repair_session(ctx, change, opener, writing=False) as session:
        plan = await make(session)
    return answer_of(plan, change.seal.seal(plan), change.settings)


async def carry_out(
    ctx: Ctx,
    token: str,
    kind: type[P],
    answer: ElicitedAnswer,
    opener: SessionOpener[S],
    apply: Apply[S, P, R],
    answer_of: Callable[[P, Settings, R | str], A],
) -> A:
    """Apply a sealed plan if the person agreed to it, and answer with the result, or with why nothing was changed.

    Raises:
        RepairError: the plan cannot be believed, or may not be applied.
    """
    change = change_call(ctx)
    plan = change.seal.open(token, kind, change.binding)
    if why := _refusal(change, plan, answer, ctx):
        return answer_of(plan, change.settings, why)
    approval = Approval.given(plan, "client", change.principal, plan.words)
    async with (
        repair_session(ctx, change, opener, writing=True) as session,
        open_audit(change.settings, environment=change.state.environment) as audit,
    ):
        return answer_of(plan, change.settings, await apply(session, plan, approval, audit, token=token))


def _why_not_asked(plan: Plan, change: ChangeCall, ctx: Ctx) -> str | None:
    """Why a person is not asked through the client; None where they are."""
    if change.settings.writes.approval != "client":
        return 'a person agrees in a terminal: [writes] approval is "terminal"'
    if plan.refusal is not None:
        return str(plan.refusal)
    if plan.needs_terminal:
        return "only a person in a terminal may agree to this plan"
    if change.state.refusals.holds(plan):
        return "the person was asked within the last ten minutes, and did not agree: do not ask again"
    if ctx.client_capabilities is None or ctx.client_capabilities.elicitation is None:
        return "this client cannot ask a person"
    return None


def _refusal(change: ChangeCall, plan: Plan, answer: ElicitedAnswer, ctx: Ctx) -> str | None:
    """Why an answer agrees to nothing; None where it agrees."""
    if why := _why_not_asked(plan, change, ctx):
        return why
    if isinstance(answer, AcceptedElicitation) and answer.data.typed.strip() == plan.words:
        return None
    change.state.refusals.remember(plan)
    if isinstance(answer, AcceptedElicitation):
        return f"the person accepted, but did not type {plan.words!r}"
    return f"the person did not agree ({answer.action})"
