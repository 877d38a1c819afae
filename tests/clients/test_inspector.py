"""The official inspector, strict, in both protocol revisions, over stdio: the list of tools, and every tool."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.settings.template import settings_text
from mcp_server.app import read_tools, write_tools
from validate_daily.sandbox import Sandbox, running

from support.mcp_world import ARGUMENTS, environment_of
from support.node import run
from support.paths import EXAMPLE, ROOT

pytestmark = pytest.mark.long

SERVER = ROOT / ".venv" / "bin" / "validate-daily"
ERAS = ("modern", "legacy")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Sandbox]:
    with running("proliferation") as sandbox:
        yield sandbox


def inspector(cloud: Sandbox, era: str, *arguments: str, config: Path = EXAMPLE) -> Any:
    """What the inspector prints; it must end well."""
    exports = [part for name, value in environment_of(cloud, config).items() for part in ("-e", f"{name}={value}")]
    done = run("inspector", "--cli", SERVER, "mcp", "--protocol-era", era, *exports, *arguments)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Warning" not in done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("era", ERAS)
def test_it_finds_no_fault_in_any_schema(cloud: Sandbox, era: str) -> None:
    listed = inspector(cloud, era, "--strict", "--method", "tools/list")

    assert [tool["name"] for tool in listed["tools"]] == list(ARGUMENTS)


@pytest.mark.parametrize("era", ERAS)
def test_nor_in_any_of_a_server_that_may_write(cloud: Sandbox, era: str, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    writes = f'\n[writes]\nenabled = true\napproval = "client"\n[audit]\npath = "{tmp_path}/audit.jsonl"\n'
    config.write_text(settings_text("example") + writes)

    listed = inspector(cloud, era, "--strict", "--method", "tools/list", config=config)

    names = [tool["name"] for tool in listed["tools"]]
    assert names == [*ARGUMENTS, *(tool.name for tool in write_tools())]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("tool", [tool.name for tool in read_tools()])
def test_every_tool_answers_it(cloud: Sandbox, era: str, tool: str) -> None:
    pairs = [part for name, value in ARGUMENTS[tool].items() for part in ("--tool-arg", f"{name}={value}")]

    answer = inspector(cloud, era, "--method", "tools/call", "--tool-name", tool, *pairs)

    assert answer["isError"] is False
    assert json.loads(answer["content"][0]["text"]) == answer["structuredContent"]
    assert answer["structuredContent"]["practice"] is True


@pytest.mark.parametrize("era", ERAS)
def test_a_phase_that_it_made_a_number_of_is_understood(cloud: Sandbox, era: str) -> None:
    call = ("--method", "tools/call", "--tool-name", "check_heartbeats", "--tool-arg", "phase=0.2")

    assert inspector(cloud, era, *call)["structuredContent"]["verdict"] == "P0"


def test_it_reads_a_page_and_a_prompt(cloud: Sandbox) -> None:
    page = inspector(
        cloud, "modern", "--method", "resources/read", "--uri", "skill://validate-daily/references/regrowth.md"
    )
    prompt = inspector(cloud, "modern", "--method", "prompts/get", "--prompt-name", "validate-daily")

    assert "# regrowth" in page["contents"][0]["text"]
    assert "## The daily check" in prompt["messages"][0]["content"]["text"]
