"""The tools that change: each acts on a sealed plan of the server's own, and only when a person has agreed to it.

The person's answer is no argument: the client asks for it, and the model can neither see nor supply it.
"""

from functools import partial
from typing import Annotated

from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver.resolve import Resolve
from pydantic import Field

from mcp_server.answers.plans import OutcomeAnswer, PlanAnswer, outcome_answer, plan_answer
from mcp_server.changes.agreement import Ctx, Sealed, carry_out, make_plan, question_about
from mcp_server.changes.consent import Typed
from validate_daily.repairs.documents.cleanup import apply_cleanup
from validate_daily.repairs.documents.cleanup import plan_cleanup as make_cleanup
from validate_daily.repairs.documents.restore import apply_restore
from validate_daily.repairs.documents.restore import plan_restore as make_restore
from validate_daily.repairs.documents.session import open_session
from validate_daily.repairs.plans.plan import CleanupPlan, RestorePlan


async def plan_cleanup(ctx: Ctx) -> PlanAnswer:
    """Plan a cleanup: which run-scoped heartbeat documents would move to the trash. Changes nothing.

    Refused while something still writes such ids: redeploy the writer first. Show the person count, by_processor,
    untouched and expires_at before you call cleanup_heartbeats with the plan.
    """
    return await make_plan(ctx, open_session, make_cleanup, plan_answer)


async def cleanup_heartbeats(
    ctx: Ctx, plan: Sealed, answer: Annotated[ElicitationResult[Typed], Resolve(question_about(CleanupPlan))]
) -> OutcomeAnswer:
    """Move the documents of a plan_cleanup plan to the trash, when the person agrees to that very plan.

    Documents that changed since are left alone and reported. applied false: nothing was changed; why says what kept it,
    and command is for the person's terminal. Do not ask again after a no.
    """
    return await carry_out(ctx, plan, CleanupPlan, answer, open_session, apply_cleanup, outcome_answer)


async def plan_restore(
    ctx: Ctx,
    cleanup: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="plan of a cleanup's outcome")],
) -> PlanAnswer:
    """Plan to undo a cleanup: which documents would move back from the trash. Changes nothing."""
    return await make_plan(ctx, open_session, partial(make_restore, cleanup=cleanup), plan_answer)


async def restore_heartbeats(
    ctx: Ctx, plan: Sealed, answer: Annotated[ElicitationResult[Typed], Resolve(question_about(RestorePlan))]
) -> OutcomeAnswer:
    """Move the documents of a plan_restore plan back, when the person agrees to that very plan.

    Never over a document that exists. applied false: nothing was changed; why says what kept it from it.
    """
    return await carry_out(ctx, plan, RestorePlan, answer, open_session, apply_restore, outcome_answer)
