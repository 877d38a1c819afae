"""The server at the other end: over HTTP, not there at all, dying in the middle, or hanging."""

import json
import sys
from pathlib import Path

import pytest
from mcp.client.stdio import StdioServerParameters

from checks.settings.errors import UsageError
from skills.agent import Assignment, SilentListener, investigate
from skills.agent_server import Server

from conftest import Serve
from support.agents import DAILY, LOOK, agent
from support.http_server import serving
from support.messages_api import Say, Use, scripted
from support.paths import EXAMPLE

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
            await investigate(Server(StdioServerParameters(command=command)), Assignment(), SilentListener())


async def test_a_server_that_dies_leaves_the_verdict_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "dying.py"
    file.write_text(DYING)
    with scripted([LOOK, Say("gone"), Say("gone")]) as script:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", script.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
        server = Server(StdioServerParameters(command=sys.executable, args=[str(file)]))
        report = await investigate(server, Assignment(), SilentListener())

    assert (report.code, report.verdict, report.exit_code) == (None, "unknown", 3)
    assert "check_heartbeats" in (report.unseen or "")
    assert "did not answer" in (report.calls[0].error or "")
    assert json.loads(report.model_dump_json(by_alias=True))["schema"] == "validate-daily/agent/1"


FORGETTING = """
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from typing import Any

server = MCPServer("forgetting")

@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def check_heartbeats(phase: str = "0.2", cursor: str | None = None) -> dict[str, Any]:
    \"\"\"It knows the first page only.\"\"\"
    if cursor:
        raise ToolError("cursor: the findings have changed since")
    return {"verdict": VERDICT, "score": None, "practice": True, "taken_at": "2026-02-01T22:00:00Z", "next_cursor": "c",
            "findings": [], "gaps": [], "not_checked": []}

server.run()
"""


@pytest.mark.parametrize(("verdict", "code"), [("P0", 1), ("P2", 3), ("healthy", 3)])
async def test_a_verdict_whose_findings_break_off_stands_and_is_told_to_be_incomplete(
    verdict: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "forgetting.py"
    file.write_text(FORGETTING.replace("VERDICT", repr(verdict)))
    said = {"verdict": verdict, "root_cause": "see the findings", "next_step": "look again"}
    with scripted([Use("submit_report", said)]) as script:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", script.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
        server = Server(StdioServerParameters(command=sys.executable, args=[str(file)]))
        report = await investigate(server, Assignment(), SilentListener())

    assert (report.ended, report.verdict, report.exit_code) == ("concluded", verdict, code)
    assert "not all findings were read" in (report.unseen or "")
    assert "cursor: the findings have changed since" in (report.unseen or "")


async def test_credentials_that_cannot_be_loaded_are_wrong_usage(serve: Serve) -> None:
    with scripted([]) as script:
        code, report, said = await agent(
            await serve(), script, config=EXAMPLE, ANTHROPIC_API_KEY="", ANTHROPIC_PROFILE="nobodys"
        )

    assert (code, report) == (64, {})
    assert "the credentials for the Messages API cannot be used" in said
