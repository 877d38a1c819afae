"""Claude Code itself, headless, a scripted Messages API for its model: the plugin's server, tools and skill in it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from validate_daily.sandbox import Sandbox, running

from support.mcp_world import environment_of
from support.messages_api import Say, Script, Use, scripted
from support.node import copied, run
from support.paths import ROOT

pytestmark = pytest.mark.long

AT_ONCE = {"ENABLE_TOOL_SEARCH": "false", "MCP_CONNECTION_NONBLOCKING": "false"}
"""Tools and servers are there from the first request on."""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Sandbox]:
    with running("proliferation") as sandbox:
        yield sandbox


def claude(cloud: Sandbox, script: Script, home: Path, prompt: str, *arguments: str | Path) -> dict[str, Any]:
    """One headless run in an empty folder; what it prints at its end."""
    done = run(
        "claude", "-p", prompt, "--output-format", "stream-json", "--verbose", *arguments,
        folder=home, seconds=120, **AT_ONCE, **environment_of(cloud), ANTHROPIC_BASE_URL=script.url,
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


def listed(home: Path, folder: Path, *arguments: str | Path) -> str:
    """What a command of Claude Code prints that needs no model."""
    done = run("claude", *arguments, folder=folder, CLAUDE_CONFIG_DIR=str(home), HOME=str(home))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cloned(target: Path) -> Path:
    """The repository as a user has it after `make setup`."""
    clone = copied(target)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    return clone


def test_a_user_installs_the_plugin_as_the_readme_says_and_its_server_connects(tmp_path: Path) -> None:
    clone, home = cloned(tmp_path / "clone"), tmp_path / "home"
    (home / "empty").mkdir(parents=True)

    listed(home, home / "empty", "plugin", "marketplace", "add", clone)
    listed(home, home / "empty", "plugin", "install", "validate-daily@validate-daily")

    assert "validate-daily@validate-daily" in listed(home, home / "empty", "plugin", "list")
    servers = listed(home, home / "empty", "mcp", "list").splitlines()
    (server,) = [line for line in servers if "validate-daily" in line]
    assert "Connected" in server


@pytest.mark.parametrize(("approved", "status"), [(["validate-daily"], "Connected"), ([], "Pending approval")])
def test_in_a_clone_the_projects_server_connects_once_a_person_has_approved_it(
    approved: list[str], status: str, tmp_path: Path
) -> None:
    clone, home = cloned(tmp_path / "clone"), tmp_path / "home"
    home.mkdir()
    (home / "settings.json").write_text(json.dumps({"enabledMcpjsonServers": approved}))

    servers = listed(home, clone, "mcp", "list").splitlines()

    (server,) = [line for line in servers if line.startswith("validate-daily:")]
    assert status in server


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
