"""A server over a practice cloud, as a client sees it."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp.client.client import Client

from mcp_server.app import build_server
from validate_daily.sandbox import Sandbox

from support.paths import EXAMPLE

ERAS = ("legacy", "2026-07-28")
"""Both protocol revisions: ``legacy`` is 2025-11-25."""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "check_heartbeats": {},
    "count_heartbeats": {},
    "recent_malformed_heartbeats": {},
    "list_deployments": {},
    "describe_service": {"service": "nba-phase2-raw-processors"},
    "verify_deployed_code": {},
    "search_logs": {},
    "find_stuck_operations": {},
    "verify_handoff": {"document": "Phase 3 and 4 deployed with the fix. Bad format documents: 0"},
    "write_handoff": {},
}
"""A call of each tool, as simple as it can be."""


def environment_of(cloud: Sandbox, config: Path = EXAMPLE) -> dict[str, str]:
    """What leads a server to a practice cloud."""
    return cloud.environment() | {"VALIDATE_DAILY_CONFIG": str(config)}


@asynccontextmanager
async def client_of(
    environment: Mapping[str, str], era: str = "2026-07-28", *, seconds: float = 45.0
) -> AsyncGenerator[Client]:
    """A client of a server of its own, in this process."""
    async with Client(build_server(environment=environment, timeout=seconds), mode=era) as client:
        yield client


async def told(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """A tool's structured answer; its text must say the same."""
    result = await client.call_tool(tool, arguments)
    text = text_of(result)
    assert not result.is_error, text
    assert json.loads(text) == result.structured_content
    return dict(result.structured_content or {})


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """What a tool says to a call that it refuses."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text_of(result)


def text_of(result: Any) -> str:
    """The text of a result, which has one block."""
    (block,) = result.content
    return str(block.text)
