"""The tools that look. Each is a sentence: what it is for, and what empty, null and unknown mean in its answer."""

from typing import Annotated, Any, Literal

from mcp.server.mcpserver.context import Context
from pydantic import Field

from checks.collect import check
from checks.report import Report
from checks.rules import rules_of
from mcp_server.state import State

Ctx = Context[State, Any]
Phase = Annotated[
    Literal["0.2", "all"],
    Field(
        description="0.2: heartbeats alone. all: also deployments, jobs, logs and registry, as `validate-daily check`"
    ),
]


async def check_heartbeats(ctx: Ctx, phase: Phase = "0.2") -> Report:
    """Judge the pipeline's heartbeats now: verdict, score, findings with evidence and next step. Call this first."""
    state = ctx.request_context.lifespan_context
    return await check(
        state.settings().pipeline, rules=rules_of(None if phase == "all" else phase), environment=state.environment
    )
