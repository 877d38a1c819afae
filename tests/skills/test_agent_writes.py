"""Changes by way of the agent: each is asked about at the terminal, and a person's words alone let it happen."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol, cast

import pytest
from pexpect import EOF
from pexpect.fdpexpect import fdspawn

from validate_daily.sandbox import Sandbox, World, build

from conftest import Serve
from support.agents import LOOK, concluding, environment_for
from support.commands import at_terminal
from support.messages_api import Request, Script, Step, Turn, Use, scripted, told
from support.paths import EXAMPLE

WRITERS = (
    "nba-phase2-raw-processors",
    "nba-phase3-analytics-processors",
    "nba-phase4-precompute-processors",
    "prediction-coordinator",
    "prediction-worker",
)
QUESTION = re.compile(r"To agree, type: ([^\r\n]+)\s+Your answer, anything else to stop: ")


def config(folder: Path) -> Path:
    path = folder / "settings.toml"
    audit = folder / "audit.jsonl"
    path.write_text(
        f'{EXAMPLE.read_text()}\n[writes]\nenabled = true\napproval = "client"\n[audit]\npath = "{audit}"\n'
    )
    return path


def applying(tool: str) -> Callable[[Request], Turn]:
    """Apply the plan that the last tool made."""
    return lambda request: Use(tool, {"plan": told(request)["plan"]})


def later(world: World, hours: int, turn: Turn) -> Callable[[Request], Turn]:
    """Time goes by, and then the turn."""

    def step(_: Request) -> Turn:
        world.advance(timedelta(hours=hours))
        return turn

    return step


def answered(environment: dict[str, str], folder: Path, answer: Callable[[str], str] = str) -> tuple[int, str, int]:
    """Run it at a terminal of its own, and answer each question; exit code, what was shown, how many were asked."""
    command = ("agent", "repair it", "--allow-writes", "--config", str(config(folder)))
    with at_terminal(environment, *command) as (done, mine):
        terminal, shown, asked = cast("Terminal", fdspawn(mine, encoding="utf-8", timeout=120)), "", 0
        while terminal.expect([QUESTION, EOF]) == 0:
            shown += terminal.before + terminal.after
            asked += 1
            terminal.sendline(answer(terminal.match[1]))
        return done.wait(60), shown + terminal.before, asked


def own(cloud: Sandbox, script: Script, folder: Path, **variables: str) -> dict[str, str]:
    """A user of their own, with a key."""
    return environment_for(cloud, script, XDG_STATE_HOME=str(folder), XDG_CONFIG_HOME=str(folder), **variables)


class Terminal(Protocol):
    """As much of a terminal as is needed here."""

    before: str
    after: str
    match: re.Match[str]

    def expect(self, pattern: list[object]) -> int: ...
    def sendline(self, s: str) -> int: ...


@pytest.mark.long
async def test_at_a_terminal_the_closed_loop_is_repaired(serve: Serve, tmp_path: Path) -> None:
    world = build("fix-pushed")
    world.run.takes = timedelta(milliseconds=50)
    cloud = await serve(world)
    turns: list[Step] = [LOOK]
    for service in WRITERS:
        turns += [Use("plan_redeploy", {"service": service}), applying("redeploy_service")]
    turns += [Use("plan_job_update", {"service": WRITERS[0]}), applying("update_job_image")]
    turns += [later(world, 2, Use("plan_cleanup")), applying("cleanup_heartbeats")]
    turns += [later(world, 1, LOOK), concluding]
    with scripted(turns) as script:
        code, shown, asked = await asyncio.to_thread(answered, own(cloud, script, tmp_path), tmp_path)

    assert asked == len(WRITERS) + 2, shown
    assert len(world.heartbeats) == 30
    assert len(world.database.collection("processor_heartbeats_trash")) > 1_000
    assert not re.search("heartbeat-proliferation|regrowth|malformed-ids|DISAGREES", shown.rpartition("by the code")[2])
    assert code == 1  # nba-scrapers runs old code still: its fix was never pushed


async def test_a_person_who_types_something_else_has_nothing_changed(serve: Serve, tmp_path: Path) -> None:
    world = build("fix-pushed")
    cloud = await serve(world)
    turns: list[Step] = [
        Use("plan_redeploy", {"service": WRITERS[0]}),
        applying("redeploy_service"),
        LOOK,
        concluding,
    ]
    with scripted(turns) as script:
        code, shown, asked = await asyncio.to_thread(answered, own(cloud, script, tmp_path), tmp_path, lambda _: "no")

    assert (code, asked) == (1, 1), shown
    assert not any(call.method in {"UpdateService", "UpdateJob", "Commit"} for call in world.calls)


async def test_an_assistants_own_shell_may_not_allow_writes(serve: Serve, tmp_path: Path) -> None:
    cloud = await serve("fix-pushed")
    with scripted([]) as script:
        environment = own(cloud, script, tmp_path, CLAUDECODE="1")
        code, shown, asked = await asyncio.to_thread(answered, environment, tmp_path)

    assert (code, asked) == (64, 0)
    assert "an assistant cannot approve what it proposes" in shown
