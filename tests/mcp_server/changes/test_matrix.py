"""Every tool that changes, every way to answer, both protocol revisions, both ways to the server: only yes changes."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from mcp_server.app import write_tools
from validate_daily.sandbox import Sandbox, build

from support.approvals import CHANGES, Change, Ground, Person, Told, aged, resealed
from support.mcp_world import ERAS

CELLS_THAT_CANNOT_EXIST = {
    "a question in the 2025-11-25 revision over HTTP": "the server keeps no session that could carry it to the client",
    "a cap that services or jobs exceed": "a plan names one service, and the jobs that the settings say follow it",
}


@pytest.fixture(params=["stdio", "http"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=CHANGES, ids=lambda change: change.tool)
def change(request: pytest.FixtureRequest) -> Change:
    return request.param


@pytest.fixture
async def ground(change: Change, era: str, way: str, tmp_path: Path) -> AsyncGenerator[Ground]:
    world = build(change.scenario)
    world.run.takes = timedelta(milliseconds=100)
    async with Sandbox(world) as cloud:
        ground = Ground(cloud, tmp_path, era, http=way == "http")
        ground.write()
        yield ground


def test_the_matrix_knows_every_tool_that_changes() -> None:
    changing = {tool.name for tool in write_tools() if tool.annotations and not tool.annotations.read_only_hint}

    assert changing == {each.tool for each in CHANGES}


async def test_only_a_person_who_agrees_to_this_plan_changes_anything(ground: Ground, change: Change) -> None:
    done = await _first(ground, change)
    token = await ground.plan(change, done)
    before = ground.changes
    noes = await _noes(ground, change, token)

    assert ground.changes == before
    assert {name: told.text for name, told in noes.items() if told.applied} == {}
    assert not any(told.refused for name, told in noes.items() if name in {"decline", "cancel", "no elicitation"})

    person = Person()
    yes = await ground.call(person, change.tool, plan=token)
    can_ask = not (ground.http and ground.era == "legacy")
    assert (yes.applied, bool(person.asked), ground.changes > before) == (can_ask, can_ask, can_ask), yes.text
    if not can_ask:
        assert "validate-daily" in yes.answer["command"]
        return
    after = ground.changes
    again = await ground.call(Person(), change.tool, plan=token)
    assert (again.applied, ground.changes) == (False, after), "a plan that has ended never starts again"
    assert "is over and cannot start again" in again.text


async def _first(ground: Ground, change: Change) -> str | None:
    """What must have happened before, agreed to in the revision that can always ask."""
    if change.first is None:
        return None
    modern = Ground(ground.cloud, ground.folder, "2026-07-28", http=ground.http)
    told = await modern.call(Person(), change.first.tool, plan=await modern.plan(change.first, None))
    assert told.applied, told.text
    return str(told.answer["plan"])


async def _noes(ground: Ground, change: Change, token: str) -> dict[str, Told]:
    """The answer of each way that agrees to nothing."""
    kind, tool = change.kind, change.tool
    told = {
        "decline": await ground.call(Person("decline"), tool, plan=token),
        "cancel": await ground.call(Person("cancel"), tool, plan=token),
        "no elicitation": await ground.call(None, tool, plan=token),
        "stale answer": await ground.call(Person(typed="another-subject 7"), tool, plan=token),
        "tampered plan": await ground.call(Person(), tool, plan=f"{token[:-6]}AAAAAA"),
        "another project": await ground.call(Person(), tool, plan=resealed(token, kind, project="another")),
    }
    if change.capped:
        told["cap exceeded"] = await ground.call(Person(), tool, plan=resealed(token, kind, default_max=0))
    told["expired plan"] = await ground.call(Person(), tool, plan=aged(token, kind))
    ground.write(writes=False)
    told["writes off"] = await _switched_off(ground, tool, token)
    ground.write()
    return told


async def _switched_off(ground: Ground, tool: str, token: str) -> Told:
    """A server whose writes are off has no such tool; one that had it when they went off refuses."""
    async with ground.client(Person()) as client:
        assert tool not in {each.name for each in (await client.list_tools()).tools}
    ground.write()
    async with ground.client(Person()) as client:
        ground.write(writes=False)
        result = await client.call_tool(tool, {"plan": token})
    return Told(str(result.content), bool(result.is_error))
