"""Claude Code itself, headless, a scripted Messages API for its model: the plugin's server, tools and skill in it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox, running

from support.mcp_world import environment_of
from support.messages_api import Say, Script, Use, scripted
from support.node import copied, run

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
QUIET = {
    "ANTHROPIC_API_KEY": "none",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "ENABLE_TOOL_SEARCH": "false",
    "MCP_CONNECTION_NONBLOCKING": "false",
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Sandbox]:
    with running("proliferation") as sandbox:
        yield sandbox


def claude(cloud: Sandbox, script: Script, home: Path, prompt: str, *arguments: str | Path) -> dict[str, Any]:
    """One headless run in an empty folder; what it prints at its end."""
    done = run(
        "claude", "-p", prompt, "--output-format", "stream-json", "--verbose", *arguments,
        folder=home, seconds=120, **QUIET, **environment_of(cloud), ANTHROPIC_BASE_URL=script.url,
        CLAUDE_CONFIG_DIR=str(home), HOME=str(home),
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr
    started = next(line for line in lines if line.get("subtype") == "init")
    ended = next(line for line in lines if line["type"] == "result")
    return {"started": started, "ended": ended, "lines": lines}


def results(script: Script) -> list[Any]:
    """What the client told the model of its tool calls."""
    last = script.requests[-1]["messages"]
    blocks = [block for message in last if isinstance(message["content"], list) for block in message["content"]]
    return [block for block in blocks if block["type"] == "tool_result"]


def test_a_user_installs_the_plugin_as_the_readme_says_and_its_server_connects(tmp_path: Path) -> None:
    plugin = copied(tmp_path / "clone")
    (plugin / ".venv").symlink_to(ROOT / ".venv")
    home = tmp_path / "home"
    (home / "empty").mkdir(parents=True)

    def command(*arguments: str | Path) -> str:
        done = run(
            "claude",
            *arguments,
            folder=home / "empty",
            seconds=60,
            **QUIET,
            CLAUDE_CONFIG_DIR=str(home),
            HOME=str(home),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    command("plugin", "marketplace", "add", plugin)
    command("plugin", "install", "validate-daily@validate-daily")

    assert "validate-daily@validate-daily" in command("plugin", "list")
    (server,) = [line for line in command("mcp", "list").splitlines() if "validate-daily" in line]
    assert "Connected" in server


def test_the_plugin_lends_its_tools_and_the_model_is_given_the_report(cloud: Sandbox, tmp_path: Path) -> None:
    with scripted([Use("check_heartbeats"), Say("P0")]) as script:
        told = claude(
            cloud, script, tmp_path, "how are the heartbeats?", "--plugin-dir", ROOT,
            "--allowedTools", "mcp__plugin_validate-daily_validate-daily__check_heartbeats",
        )  # fmt: skip

    servers = {server["name"]: server["status"] for server in told["started"]["mcp_servers"]}
    assert servers["plugin:validate-daily:validate-daily"] == "connected"
    (result,) = results(script)
    assert not result.get("is_error")
    report = json.loads(result["content"] if isinstance(result["content"], str) else result["content"][0]["text"])
    assert (report["verdict"], report["practice"]) == ("P0", True)
    assert told["ended"]["result"] == "P0"
    assert told["ended"]["permission_denials"] == []


def test_the_skill_is_a_slash_command_and_brings_its_text_and_its_permissions(cloud: Sandbox, tmp_path: Path) -> None:
    with scripted([Use("check_heartbeats", {"phase": "all"}), Say("reported")]) as script:
        told = claude(cloud, script, tmp_path, "/validate-daily:validate-daily", "--plugin-dir", ROOT)

    assert "validate-daily:validate-daily" in told["started"]["slash_commands"]
    assert "## The daily check" in json.dumps(script.requests[0]["messages"])
    assert told["ended"]["permission_denials"] == []
    (result,) = results(script)
    assert not result.get("is_error")


def test_in_a_project_the_same_skill_is_validate_daily(cloud: Sandbox, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "skills", project / ".claude" / "skills")
    (tmp_path / "mcp.json").write_text(
        json.dumps({"mcpServers": {"validate-daily": {"command": str(ROOT / ".claude-plugin" / "server"), "args": []}}})
    )
    with scripted([Use("count_heartbeats"), Say("counted")]) as script:
        told = claude(
            cloud, script, tmp_path, "/validate-daily proliferating", "--mcp-config", tmp_path / "mcp.json",
            "--add-dir", project,
        )  # fmt: skip

    assert told["started"]["mcp_servers"][0]["status"] == "connected"
    (result,) = results(script)
    assert not result.get("is_error"), result
