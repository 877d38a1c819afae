"""The server at the other end: over HTTP, not there at all, dying in the middle, or hanging."""

import json
import sys
from pathlib import Path

import pytest
from mcp.client.stdio import StdioServerParameters

from checks.errors import UsageError
from skills.agent import Assignment, Silence, investigate
from skills.agent_server import Server

from conftest import Serve
from support.agents import DAILY, LOOK, agent
from support.http_server import serving
from support.mcp_world import EXAMPLE
from support.messages_api import Say, scripted

DYING = """
import os
from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("dying")

@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def check_heartbeats(phase: str = "0.2") -> dict[str, str]:
    \"\"\"It does not come back.\"\"\"
    os._exit(3)

server.run()
"""


async def test_a_server_over_http_lends_the_same_tools(serve: Serve) -> None:
    cloud = await serve("proliferation")
    async with serving(EXAMPLE, environment=cloud.environment()) as url:
        with scripted(DAILY) as script:
            code, report, _ = await agent(cloud, script, "--server", url)

    assert (code, report["ended"], report["verdict"]) == (1, "concluded", "P0")


@pytest.mark.parametrize("command", ["/bin/false", "/no/such/command"])
async def test_a_server_that_is_none_is_named(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted([]) as script:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", script.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
        with pytest.raises(UsageError, match=f"{command}: no MCP server answers there"):
            await investigate(Server(StdioServerParameters(command=command)), Assignment(), Silence())


async def test_a_server_that_dies_leaves_the_verdict_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "dying.py"
    file.write_text(DYING)
    with scripted([LOOK, Say("gone"), Say("gone")]) as script:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", script.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
        server = Server(StdioServerParameters(command=sys.executable, args=[str(file)]))
        report = await investigate(server, Assignment(), Silence())

    assert (report.code, report.verdict, report.exit_code) == (None, "unknown", 3)
    assert "check_heartbeats" in (report.unseen or "")
    assert "did not answer" in (report.calls[0].error or "")
    assert json.loads(report.model_dump_json(by_alias=True))["schema"] == "validate-daily/agent/1"
