"""The inspector's mcpdo, as a person would use it: it shows the question of a cleanup, and sends what they answer."""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from checks.settings.template import settings_text
from validate_daily.sandbox import Sandbox, running

from support.http_server import COMMAND
from support.node import run

pytestmark = pytest.mark.long

WRITES = '\n[writes]\nenabled = true\napproval = "client"\n[audit]\npath = "{folder}/audit.jsonl"\n'


class Connection:
    """One connection of a private daemon."""

    def __init__(self, exports: dict[str, Any]) -> None:
        self.exports = exports

    def __call__(self, *arguments: str) -> dict[str, Any]:
        done = run("mcpdo", "--format", "json", "--connection", "c", *arguments, seconds=60, **self.exports)
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout))

    def call(self, tool: str, **arguments: str) -> dict[str, Any]:
        return self("tools/call", tool, json.dumps(arguments))


@contextmanager
def connected(cloud: Sandbox, era: str, folder: Path) -> Generator[Connection]:
    """A server of this practice cloud, with writes on, connected to."""
    config = folder / "settings.toml"
    config.write_text(settings_text("example") + WRITES.format(folder=folder))
    told = run("mcpdo", "private", HOME=str(folder)).stdout
    exports: dict[str, Any] = dict(re.findall(r"export (\w+)='([^']*)'", told)) | {"HOME": str(folder)}
    environment = cloud.environment() | {"VALIDATE_DAILY_CONFIG": str(config), "VALIDATE_DAILY_PLAN_KEY": "k" * 40}
    pairs = [part for name, value in environment.items() for part in ("-e", f"{name}={value}")]
    connection = Connection(exports)
    connection("connect", "--era", era, "--elicit", "form", *pairs, "--", COMMAND, "mcp")
    try:
        yield connection
    finally:
        run("mcpdo", "daemon", "stop", seconds=60, **exports)


@pytest.mark.parametrize("answer", ["accept", "decline"])
@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_person_is_asked_and_what_they_answer_is_done(era: str, answer: str, tmp_path: Path) -> None:
    with running("hostile-ids") as cloud, connected(cloud, era, tmp_path) as connection:
        before = len(cloud.world.heartbeats)
        plan = connection.call("plan_cleanup")["structuredContent"]
        asked = connection.call("cleanup_heartbeats", plan=plan["plan"])["elicitationPending"]
        typed = json.dumps({"typed": f"processor_heartbeats {plan['count']}"})
        told = connection("elicitation/respond", asked["elicitationId"], typed if answer == "accept" else "--decline")
        left = len(cloud.world.heartbeats)

    outcome = told["structuredContent"]
    assert plan["digest"] in asked["message"]
    assert asked["message"].endswith(f"To agree, type: processor_heartbeats {plan['count']}")
    assert outcome["applied"] is (answer == "accept")
    assert before - left == outcome["moved"] == (plan["count"] if answer == "accept" else 0)
