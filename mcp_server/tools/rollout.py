"""The tools that redeploy, roll back and update jobs: a caller names a service of the settings, and nothing else.

Which image, which digest, which jobs: that the server reads for itself. Other tags, digests and revisions, and traffic
that is pinned, are for a person in a terminal.
"""

from functools import partial
from typing import Annotated, TypeVar

from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver.resolve import Elicit, Resolve

from mcp_server.answers.plans import Sealed
from mcp_server.answers.rollouts import RolloutAnswer, RolloutPlanAnswer, rollout_answer, rollout_plan
from mcp_server.changes.agreement import Apply, Ctx, ask, carry_out
from mcp_server.changes.change import changing, opened
from mcp_server.changes.consent import ElicitedAnswer, Typed
from mcp_server.tools.read import NameArgument
from validate_daily.repairs.cloud_run.jobs import apply_job_update
from validate_daily.repairs.cloud_run.jobs import plan_job_update as make_job_update
from validate_daily.repairs.cloud_run.redeploy import apply_redeploy
from validate_daily.repairs.cloud_run.redeploy import plan_redeploy as make_redeploy
from validate_daily.repairs.cloud_run.rollback import apply_rollback
from validate_daily.repairs.cloud_run.rollback import plan_rollback as make_rollback
from validate_daily.repairs.cloud_run.session import RunSession, open_run_session
from validate_daily.repairs.plans.cloud_run_outcomes import JobsUpdate, Rollout
from validate_daily.repairs.plans.cloud_run_plans import JobsPlan, RedeployPlan, RollbackPlan
from validate_daily.repairs.stores.audit import open_audit

P = TypeVar("P", RedeployPlan, RollbackPlan, JobsPlan)
R = TypeVar("R", Rollout, JobsUpdate)


def ask_redeploy(plan: Sealed, ctx: Ctx) -> Typed | Elicit[Typed]:
    """Ask about a redeploy."""
    return ask(plan, RedeployPlan, ctx)


def ask_rollback(plan: Sealed, ctx: Ctx) -> Typed | Elicit[Typed]:
    """Ask about a rollback."""
    return ask(plan, RollbackPlan, ctx)


def ask_jobs(plan: Sealed, ctx: Ctx) -> Typed | Elicit[Typed]:
    """Ask about an update of jobs."""
    return ask(plan, JobsPlan, ctx)


async def plan_redeploy(ctx: Ctx, service: NameArgument) -> RolloutPlanAnswer:
    """Plan to make a service run the digest that its tag points at now. Changes nothing.

    Show the person changes and notes (OLDER, OTHER REPOSITORY, FAILED BEFORE) before you call redeploy_service.
    """
    change = changing(ctx)
    async with (
        opened(ctx, change, open_run_session, writing=False) as session,
        open_audit(change.settings, environment=change.state.environment) as audit,
    ):
        plan = await make_redeploy(session, service, audit=audit)
    return rollout_plan(plan, change.seal.seal(plan), change.settings)


async def redeploy_service(
    ctx: Ctx, plan: Sealed, answer: Annotated[ElicitationResult[Typed], Resolve(ask_redeploy)]
) -> RolloutAnswer:
    """Roll out a plan_redeploy plan when the person agrees: traffic moves only to a revision that proved ready.

    done false is NOT DEPLOYED: say so with why and lines. Do not ask again after a no.
    """
    return await _carried_out(ctx, plan, RedeployPlan, answer, partial(apply_redeploy, token=plan))


async def plan_rollback(ctx: Ctx, service: NameArgument) -> RolloutPlanAnswer:
    """Plan to move a service's traffic back to what the last redeploy found. Makes no revision. Changes nothing."""
    change = changing(ctx)
    async with (
        opened(ctx, change, open_run_session, writing=False) as session,
        open_audit(change.settings, environment=change.state.environment) as audit,
    ):
        plan = await make_rollback(session, service, audit=audit)
    return rollout_plan(plan, change.seal.seal(plan), change.settings)


async def rollback_service(
    ctx: Ctx, plan: Sealed, answer: Annotated[ElicitationResult[Typed], Resolve(ask_rollback)]
) -> RolloutAnswer:
    """Move the traffic of a plan_rollback plan when the person agrees."""
    return await _carried_out(ctx, plan, RollbackPlan, answer, partial(apply_rollback, token=plan))


async def plan_job_update(ctx: Ctx, service: NameArgument) -> RolloutPlanAnswer:
    """Plan to make the jobs that follow a service run the digest that it serves. Changes nothing."""
    change = changing(ctx)
    async with opened(ctx, change, open_run_session, writing=False) as session:
        plan = await make_job_update(session, service)
    return rollout_plan(plan, change.seal.seal(plan), change.settings)


async def update_job_image(
    ctx: Ctx, plan: Sealed, answer: Annotated[ElicitationResult[Typed], Resolve(ask_jobs)]
) -> RolloutAnswer:
    """Update the jobs of a plan_job_update plan when the person agrees. Starts no execution."""
    return await _carried_out(ctx, plan, JobsPlan, answer, partial(apply_job_update, token=plan))


async def _carried_out(
    ctx: Ctx, token: str, kind: type[P], answer: ElicitedAnswer, apply: Apply[RunSession, P, R]
) -> RolloutAnswer:
    change = changing(ctx)
    made = change.seal.open(token, kind, change.binding)
    return rollout_answer(made, change.settings, await carry_out(ctx, change, made, answer, open_run_session, apply))
