"""The tools that change: each acts on a sealed plan of the server's own, and only when a person has agreed to it.

The person's answer is no argument: the client asks for it, and the model can neither see nor supply it.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver.context import Context
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import Field

from mcp_server.answers.plans import OutcomeAnswer, PlanAnswer, Sealed, not_applied, outcome_answer, plan_answer
from mcp_server.changing import Changing, changing, opened
from mcp_server.consent import NOT_ASKED, Answer, Typed
from mcp_server.state import State
from repairs.approval import Approval
from repairs.audit import Audit, open_audit
from repairs.cleanup import apply_cleanup
from repairs.cleanup import plan_cleanup as make_cleanup
from repairs.outcome import Outcome
from repairs.plan import CleanupPlan, Plan, RestorePlan
from repairs.restore import apply_restore
from repairs.restore import plan_restore as make_restore
from repairs.session import Session
from repairs.telling import question

Ctx = Context[State, Any]
P = TypeVar("P", bound=Plan)
Apply = Callable[[Session, P, Approval, Audit], Awaitable[Outcome]]
"""Does what a plan says."""


def _ask(plan: Plan, change: Changing, ctx: Ctx) -> Typed | Elicit[Typed]:
    """The question, where one may be asked; else an answer that agrees to nothing."""
    return NOT_ASKED if _unasked(plan, change, ctx) else Elicit(question(plan), Typed)


def ask_cleanup(plan: Sealed, ctx: Ctx) -> Typed | Elicit[Typed]:
    """Ask about a cleanup."""
    change = changing(ctx)
    return _ask(change.seal.open(plan, CleanupPlan, change.binding), change, ctx)


def ask_restore(plan: Sealed, ctx: Ctx) -> Typed | Elicit[Typed]:
    """Ask about a restore."""
    change = changing(ctx)
    return _ask(change.seal.open(plan, RestorePlan, change.binding), change, ctx)


async def plan_cleanup(ctx: Ctx) -> PlanAnswer:
    """Plan a cleanup: which run-scoped heartbeat documents would move to the trash. Changes nothing.

    Refused while something still writes such ids: redeploy the writer first. Show the person count, by_processor,
    untouched and expires_at before you call cleanup_heartbeats with the plan.
    """
    change = changing(ctx)
    async with opened(ctx, change, writing=False) as session:
        plan = await make_cleanup(session)
    return plan_answer(plan, change.seal.seal(plan), change.settings)


async def cleanup_heartbeats(
    ctx: Ctx, plan: Sealed, answer: Annotated[ElicitationResult[Typed], Resolve(ask_cleanup)]
) -> OutcomeAnswer:
    """Move the documents of a plan_cleanup plan to the trash, when the person agrees to that very plan.

    Documents that changed since are left alone and reported. applied false: nothing was changed; why says what kept it,
    and command is for the person's terminal. Do not ask again after a no.
    """
    change = changing(ctx)
    made = change.seal.open(plan, CleanupPlan, change.binding)
    return await _apply(ctx, change, made, answer, partial(apply_cleanup, token=plan))


async def plan_restore(
    ctx: Ctx,
    cleanup: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="plan of a cleanup's outcome")],
) -> PlanAnswer:
    """Plan to undo a cleanup: which documents would move back from the trash. Changes nothing."""
    change = changing(ctx)
    async with opened(ctx, change, writing=False) as session:
        plan = await make_restore(session, cleanup)
    return plan_answer(plan, change.seal.seal(plan), change.settings)


async def restore_heartbeats(
    ctx: Ctx, plan: Sealed, answer: Annotated[ElicitationResult[Typed], Resolve(ask_restore)]
) -> OutcomeAnswer:
    """Move the documents of a plan_restore plan back, when the person agrees to that very plan.

    Never over a document that exists. applied false: nothing was changed; why says what kept it from it.
    """
    change = changing(ctx)
    made = change.seal.open(plan, RestorePlan, change.binding)
    return await _apply(ctx, change, made, answer, partial(apply_restore, token=plan))


async def _apply(ctx: Ctx, change: Changing, plan: P, answer: Answer, apply: Apply[P]) -> OutcomeAnswer:
    if why := _no(change, plan, answer, ctx):
        return not_applied(plan, change.settings, why)
    approval = Approval.given(plan, "client", change.principal, plan.words)
    async with (
        opened(ctx, change, writing=True) as session,
        open_audit(change.settings, environment=change.state.environment) as audit,
    ):
        return outcome_answer(await apply(session, plan, approval, audit))


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


def _no(change: Changing, plan: Plan, answer: Answer, ctx: Ctx) -> str | None:
    """Why an answer agrees to nothing; None where it agrees."""
    if why := _unasked(plan, change, ctx):
        return why
    if isinstance(answer, AcceptedElicitation) and answer.data.typed.strip() == plan.words:
        return None
    change.state.refusals.remember(plan)
    if isinstance(answer, AcceptedElicitation):
        return f"the person accepted, but did not type {plan.words!r}"
    return f"the person did not agree ({answer.action})"
