"""The protocol's own conformance suite against the server over HTTP: every scenario that needs no fixtures."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.http_server import COMMAND
from support.node import run
from support.paths import EXAMPLE

pytestmark = pytest.mark.long

SCENARIOS = {
    "2025-11-25": [
        "server-initialize",
        "ping",
        "tools-list",
        "resources-list",
        "prompts-list",
        "server-sse-multiple-streams",
        "dns-rebinding-protection",
        "server-session-lifecycle",
    ],
    "2026-07-28": [
        "tools-list",
        "resources-list",
        "prompts-list",
        "server-sse-multiple-streams",
        "sep-2164-resource-not-found",
        "dns-rebinding-protection",
        "caching",
        "http-header-validation",
        "input-required-result-unsupported-methods",
        "input-required-result-ignore-extra-params",
    ],
}
SESSIONS = {("2025-11-25", "server-sse-multiple-streams"), ("2025-11-25", "server-session-lifecycle")}
"""What the suite finds nothing to check in: the server keeps no sessions, so that any instance answers any call."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [COMMAND, "mcp", "--http", "127.0.0.1:0", "--config", EXAMPLE]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield process.stderr.readline().removeprefix("listening on ").partition(",")[0]
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("revision", "scenario"), [(revision, each) for revision, named in SCENARIOS.items() for each in named]
)
def test_a_scenario_passes(revision: str, scenario: str, url: str, tmp_path: Path) -> None:
    arguments = ("--url", url, "--scenario", scenario, "--spec-version", revision, "-o", tmp_path)

    done = run("conformance", "server", *arguments)

    (found,) = tmp_path.rglob("checks.json")
    checks = [(each["id"], each["status"]) for each in json.loads(found.read_text())]
    assert done.returncode == 0, done.stdout
    assert not [check for check in checks if check[1] == "FAILURE"]
    passed = re.search(r"Passed: (\d+)/\1, 0 failed", done.stdout)
    assert passed, done.stdout
    assert (int(passed[1]) == 0) == ((revision, scenario) in SESSIONS), checks
