"""The tools that redeploy, roll back and update jobs: a caller names a service of the settings, and nothing else.

Which image, which digest, which jobs: that the server reads for itself. Other tags, digests and revisions, and traffic
that is pinned, are for a person in a terminal.
"""

from functools import partial
from typing import Annotated

from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver.resolve import Resolve
from pydantic import Field

from mcp_server.answers.rollouts import RolloutAnswer, RolloutPlanAnswer, rollout_answer, rollout_plan
from mcp_server.changes.agreement import Ctx, Sealed, carry_out, make_plan, question_about
from mcp_server.changes.consent import Typed
from mcp_server.tools.read import NameArgument
from validate_daily.repairs.cloud_run.jobs import apply_job_update
from validate_daily.repairs.cloud_run.jobs import plan_job_update as make_job_update
from validate_daily.repairs.cloud_run.redeploy import apply_redeploy
from validate_daily.repairs.cloud_run.redeploy import plan_redeploy as make_redeploy
from validate_daily.repairs.cloud_run.rollback import apply_rollback
from validate_daily.repairs.cloud_run.rollback import plan_rollback as make_rollback
from validate_daily.repairs.cloud_run.session import RunSession, open_run_session
from validate_daily.repairs.plans.cloud_run_plans import JobsPlan, RedeployPlan, RollbackPlan
from validate_daily.repairs.stores.audit import open_audit

EvenIfBad = Annotated[bool, Field(description="the person wants it although the image is known to be bad")]


async def plan_redeploy(ctx: Ctx, service: NameArgument, even_if_bad: EvenIfBad = False) -> RolloutPlanAnswer:  # noqa: FBT002 - arguments of a tool have names
    """Plan to make a service run the digest that its tag points at now. Changes nothing.

    Show the person changes and notes (OLDER, OTHER REPOSITORY, FAILED BEFORE) before you call redeploy_service.
    """

    async def make(session: RunSession) -> RedeployPlan:
        async with open_audit(session.settings, environment=session.environment) as audit:
            return await make_redeploy(session, service, even_if_bad=even_if_bad, audit=audit)

    return await make_plan(ctx, open_run_session, make, rollout_plan)


async def redeploy_service(
    ctx: Ctx, plan: Sealed, answer: Annotated[ElicitationResult[Typed], Resolve(question_about(RedeployPlan))]
) -> RolloutAnswer:
    """Roll out a plan_redeploy plan when the person agrees: traffic moves only to a revision that proved ready.

    done false is NOT DEPLOYED: say so with why and lines. Do not ask again after a no.
    """
    return await carry_out(ctx, plan, RedeployPlan, answer, open_run_session, apply_redeploy, rollout_answer)


async def plan_rollback(ctx: Ctx, service: NameArgument, even_if_bad: EvenIfBad = False) -> RolloutPlanAnswer:  # noqa: FBT002 - the same
    """Plan to move a service's traffic back to what the last redeploy found. Makes no revision. Changes nothing."""

    async def make(session: RunSession) -> RollbackPlan:
        async with open_audit(session.settings, environment=session.environment) as audit:
            return await make_rollback(session, service, even_if_bad=even_if_bad, audit=audit)

    return await make_plan(ctx, open_run_session, make, rollout_plan)


async def rollback_service(
    ctx: Ctx, plan: Sealed, answer: Annotated[ElicitationResult[Typed], Resolve(question_about(RollbackPlan))]
) -> RolloutAnswer:
    """Move the traffic of a plan_rollback plan when the person agrees."""
    return await carry_out(ctx, plan, RollbackPlan, answer, open_run_session, apply_rollback, rollout_answer)


async def plan_job_update(ctx: Ctx, service: NameArgument) -> RolloutPlanAnswer:
    """Plan to make the jobs that follow a service run the digest that it serves. Changes nothing."""
    return await make_plan(ctx, open_run_session, partial(make_job_update, service=service), rollout_plan)


async def update_job_image(
    ctx: Ctx, plan: Sealed, answer: Annotated[ElicitationResult[Typed], Resolve(question_about(JobsPlan))]
) -> RolloutAnswer:
    """Update the jobs of a plan_job_update plan when the person agrees. Starts no execution."""
    return await carry_out(ctx, plan, JobsPlan, answer, open_run_session, apply_job_update, rollout_answer)
