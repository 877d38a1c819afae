"""The plugin starts its server from its own environment, whatever lies in the folder that happens to be open."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from validate_daily.sandbox import running

from support.mcp_world import ERAS, refused, told
from support.paths import EXAMPLE, ROOT

LAUNCHER = ROOT / ".claude-plugin" / "server"
TRAP = "import pathlib; pathlib.Path({mark!r}).write_text('it ran'); raise SystemExit('trapped')\n"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A project that would like to run its own code: packages of our names, an environment, and a settings file."""
    project, mark = tmp_path / "project", str(tmp_path / "ran")
    names = (
        "mcp_server",
        "google",
        "checks",
        "skills",
        "heartbeat",
        "mcp",
        "validate_daily",
        "pydantic",
        "sitecustomize",
    )
    for name in names:
        (project / name).mkdir(parents=True)
        for file in ("__init__.py", "__main__.py"):
            (project / name / file).write_text(TRAP.format(mark=mark))
    (project / "usercustomize.py").write_text(TRAP.format(mark=mark))
    (project / "startup.py").write_text(TRAP.format(mark=mark))
    bin_folder = project / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    for name in ("python", "python3", "validate-daily", "sh", "dirname", "readlink", "env"):
        script = bin_folder / name
        script.write_text(f"#!/bin/sh\necho ran > {mark}\nexit 1\n")
        script.chmod(0o755)
    (project / ".venv" / "ready").touch()
    (project / "validate-daily.toml").write_text(
        '[pipeline]\nname = "x"\nproject = "p"\nregion = "r"\n[endpoints]\nrun = "https://run.googleapis.com"\n'
    )
    return project


def environment(project: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": f"{project / '.venv' / 'bin'}:{os.environ['PATH']}",
        "HOME": str(project),
        "PYTHONPATH": str(project),
        "PYTHONSTARTUP": str(project / "startup.py"),
        "PYTHONUSERBASE": str(project),
        **more,
    }


def server(project: Path, environment: Mapping[str, str]) -> StdioServerParameters:
    return StdioServerParameters(command=str(LAUNCHER), args=[], env=dict(environment), cwd=str(project))


@pytest.mark.parametrize("era", ERAS)
async def test_nothing_of_a_hostile_project_runs(hostile: Path, era: str) -> None:
    async with Client(server(hostile, environment(hostile)), mode=era) as client:
        tools = (await client.list_tools()).tools
        text = await refused(client, "check_heartbeats")

    assert len(tools) == 10
    assert "endpoints.run leads beyond this machine" in text
    assert not (hostile.parent / "ran").exists()


async def test_over_stdio_the_server_answers_from_a_practice_cloud(tmp_path: Path) -> None:
    with running("proliferation") as cloud:
        known = environment(tmp_path, **cloud.environment(), VALIDATE_DAILY_CONFIG=str(EXAMPLE))
        async with Client(server(tmp_path, known)) as client:
            report = await told(client, "check_heartbeats")

    assert (report["verdict"], report["practice"]) == ("P0", True)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The plugin, copied without an environment."""
    root = tmp_path / "it's a plugin"
    (root / ".claude-plugin").mkdir(parents=True)
    shutil.copy(LAUNCHER, root / ".claude-plugin" / "server")
    return root


def test_a_missing_environment_is_said_with_the_command_that_makes_it(bare: Path) -> None:
    done = subprocess.run(
        [bare / ".claude-plugin" / "server"], cwd=bare.parent, capture_output=True, text=True, check=False
    )

    assert done.returncode == 69
    assert done.stdout == ""
    assert "environment is missing" in done.stderr
    assert "setup" in done.stderr
    assert str(bare) in done.stderr


def test_the_launcher_may_be_linked_to(tmp_path: Path) -> None:
    link = tmp_path / "linked"
    link.symlink_to(LAUNCHER)

    done = subprocess.run([link, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert "python -I -m mcp_server" in done.stdout


def test_the_project_and_the_plugin_start_the_same_server() -> None:
    project = json.loads((ROOT / ".mcp.json").read_text())["mcpServers"]
    plugin = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text())["mcpServers"]

    assert project.keys() == plugin.keys() == {"validate-daily"}
    assert project["validate-daily"]["command"] == "${CLAUDE_PROJECT_DIR:-.}/.claude-plugin/server"
    assert plugin["validate-daily"]["command"] == "${CLAUDE_PLUGIN_ROOT}/.claude-plugin/server"
    assert os.access(LAUNCHER, os.X_OK)


def test_the_skills_are_where_a_project_keeps_them() -> None:
    assert (ROOT / ".claude" / "skills" / "validate-daily" / "SKILL.md").is_file()
    assert (ROOT / ".claude" / "skills").resolve() == ROOT / "skills"
