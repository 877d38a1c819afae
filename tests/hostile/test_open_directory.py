"""Nothing of the open directory runs: every process of the product takes its code from the installed product alone."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from validate_daily.sandbox import running

from conftest import Serve
from support.agents import DAILY, environment_for
from support.commands import COMMAND
from support.messages_api import scripted
from support.paths import EXAMPLE, ROOT

OURS = ("heartbeat", "checks", "mcp_server", "skills", "validate_daily")
THEIRS = ("anthropic", "google", "grpc", "httpx2", "mcp", "pydantic", "rich", "tzdata", "uvicorn", "yaml")
AT_START = ("site", "sitecustomize", "usercustomize")
MODULES = ("checks", "mcp_server", "validate_daily")
LAUNCHER = ROOT / ".claude-plugin" / "server"


def trap(name: str, mark: Path) -> str:
    return f"open({str(mark)!r}, 'a').write({name + chr(10)!r})\nraise ImportError('a trap: {name}')\n"


def lay(project: Path, mark: Path, *names: str) -> None:
    """Modules and packages of these names that say that they ran."""
    for name in names:
        (project / f"{name}.py").write_text(trap(name, mark))
        (project / name).mkdir()
        for file in ("__init__.py", "__main__.py"):
            (project / name / file).write_text(trap(name, mark))


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "ran"


@pytest.fixture
def hostile(tmp_path: Path, mark: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The open directory: a trap for every module of Python's, of ours and of those that we need, and settings."""
    project = tmp_path / "project"
    project.mkdir()
    lay(project, mark, *sys.stdlib_module_names, *OURS, *THEIRS, *(set(AT_START) - sys.stdlib_module_names))
    (project / "x.pth").write_text(f"import sys; open({str(mark)!r}, 'a').write('pth')\n")
    (project / "validate-daily.toml").write_text(EXAMPLE.read_text())
    monkeypatch.chdir(project)
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "own"))
    for variable in ("CLAUDECODE", "PYTHONPATH", "VALIDATE_DAILY_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    return project


def first() -> set[str]:
    """What `python -m` imports, from the open directory first, before it comes to any module of ours."""
    command = (sys.executable, "-I", "-c", "import runpy, sys, warnings; print(*sys.modules)")
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def ran(mark: Path) -> list[str]:
    return mark.read_text().split() if mark.exists() else []


async def run(*command: str, environment: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        start_new_session=True,
    )


async def test_an_agent_in_a_hostile_directory_asks_the_model_and_runs_nothing_of_it(
    hostile: Path, mark: Path, serve: Serve
) -> None:
    with scripted(DAILY) as script:
        environment = environment_for(await serve(), script)
        done = await run(COMMAND, "agent", "--format", "json", environment=environment)

    assert ran(mark) == []
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["calls"][0]["tool"] == "check_heartbeats"
    assert len(script.requests) == len(DAILY)


@pytest.mark.long
async def test_a_scored_model_in_a_hostile_directory_runs_nothing_of_it(
    hostile: Path, mark: Path, serve: Serve
) -> None:
    with scripted(DAILY) as script:
        environment = environment_for(await serve(), script)
        done = await run(COMMAND, "eval", "--case", "healthy", "--format", "json", environment=environment)

    assert ran(mark) == []
    assert json.loads(done.stdout)["scores"][0]["case"] == "healthy", done.stderr
    assert len(script.requests) == len(DAILY)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("check",), id="check"),
        pytest.param(("eval", "--baseline", "--case", "healthy"), id="eval", marks=pytest.mark.long),
        pytest.param(("source", "heartbeat"), id="source"),
        pytest.param(("sandbox", "list"), id="sandbox"),
    ],
)
async def test_a_command_in_a_hostile_directory_runs_nothing_of_it(
    arguments: tuple[str, ...], hostile: Path, mark: Path, serve: Serve
) -> None:
    environment = os.environ | (await serve()).environment()
    done = await run(COMMAND, *arguments, environment=environment)

    assert ran(mark) == []
    assert done.stdout, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("era", ["2026-07-28", pytest.param("legacy", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "command",
    [(COMMAND, "mcp"), (str(LAUNCHER),), (sys.executable, "-I", "-m", "mcp_server")],
    ids=["command", "plugin", "module"],
)
async def test_a_server_in_a_hostile_directory_runs_nothing_of_it(
    command: tuple[str, ...], era: str, hostile: Path, mark: Path
) -> None:
    with running("healthy") as cloud:
        server = StdioServerParameters(
            command=command[0], args=list(command[1:]), env=os.environ | cloud.environment(), cwd=str(hostile)
        )
        async with Client(server, mode=era) as client:
            answer = await client.call_tool("check_heartbeats", {})

    assert ran(mark) == []
    assert (answer.structured_content or {})["verdict"] == "healthy"


@pytest.mark.parametrize("module", MODULES)
async def test_an_isolated_module_in_a_hostile_directory_runs_nothing_of_it(
    module: str, hostile: Path, mark: Path
) -> None:
    done = await run(sys.executable, "-I", "-m", module, "--help")

    assert ran(mark) == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", MODULES)
async def test_a_bare_module_imports_nothing_of_the_open_directory_once_it_is_ours(
    module: str, tmp_path: Path, mark: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before that, Python itself looks there: for the module, and for what it needs to start one."""
    lay(tmp_path, mark, *(sys.stdlib_module_names - first()), *(set(OURS) - {module}), *THEIRS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)

    done = await run(sys.executable, "-m", module, "--help")

    assert ran(mark) == []
    assert done.returncode == 0, done.stderr


async def test_a_library_that_uses_the_checks_keeps_its_own_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "application.py").write_text("import checks\nimport neighbour\n")
    (tmp_path / "neighbour.py").write_text("print('here')\n")
    monkeypatch.chdir(tmp_path)

    done = await run(sys.executable, "-m", "application", "checks")

    assert done.stdout == "here\n", done.stderr


@pytest.mark.parametrize("what", ["agent", pytest.param("eval", marks=pytest.mark.long)])
async def test_what_leads_python_elsewhere_is_not_handed_on(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    """The folder of PYTHONPATH is the caller's choice for their own process; a server that we start has none."""
    told, folder = tmp_path / "told", tmp_path / "folder"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import sys\nopen({str(told)!r}, 'a').write(sys.orig_argv[1] + '\\n')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VALIDATE_DAILY_CONFIG", raising=False)
    arguments = ("--config", str(EXAMPLE)) if what == "agent" else ("--case", "healthy")
    with scripted(DAILY) as script:
        environment = environment_for(await serve(), script, PYTHONPATH=str(folder), PYTHONSTARTUP=str(folder / "no"))
        await run(COMMAND, what, *arguments, environment=environment)

    assert len(script.requests) == len(DAILY)
    assert told.read_text().split() == [COMMAND]
