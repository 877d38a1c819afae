"""Nothing is changed unless a person agrees, through the client, to the very plan that they were shown."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.context import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult

from checks.settings.template import settings_text
from mcp_server.app import build_server
from mcp_server.changes.consent import Refusals
from validate_daily.sandbox import Sandbox, build
from validate_daily.sandbox.firestore import stamps
from validate_daily.sandbox.firestore.documents import IdRange

from support.mcp_world import ERAS, refused, told
from support.plans import PLAN

KEY = "k" * 40
CHANGING = {"Commit", "BatchWrite", "CreateDocument", "UpdateDocument", "DeleteDocument"}
WRITES = '\n[writes]\nenabled = true\napproval = "client"\n'


class Person:
    """Answers questions as told, and keeps them."""

    def __init__(self, action: str = "accept", typed: str | None = None) -> None:
        self.action, self.typed = action, typed
        self.asked: list[str] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG002 - the SDK calls it so
        self.asked.append(params.message)
        if self.action != "accept":
            return ElicitResult.model_validate({"action": self.action})
        typed = self.typed if self.typed is not None else params.message.rpartition("To agree, type: ")[2]
        return ElicitResult(action="accept", content={"typed": typed})


class Desk:
    """A practice cloud with left-overs to clean, and settings that allow it."""

    def __init__(self, cloud: Sandbox, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        self.config = folder / "settings.toml"
        self.settings(WRITES)

    def settings(self, writes: str, **replaced: str) -> None:
        text = settings_text("example")
        for old, new in replaced.items():
            text = text.replace(old, new)
        audit = f'\n[audit]\npath = "{self.folder / "audit.jsonl"}"\n' if writes else ""
        self.config.write_text(text + writes + audit)

    @asynccontextmanager
    async def client(self, person: Person | None, era: str, key: str = KEY) -> AsyncGenerator[Client]:
        environment = self.cloud.environment() | {"VALIDATE_DAILY_PLAN_KEY": key}
        server = build_server(self.config, environment=environment)
        async with Client(server, mode=era, elicitation_callback=person) as client:
            yield client

    def ids(self) -> list[str]:
        world = self.cloud.world
        return sorted(name for name, _ in world.heartbeats.scan(IdRange(), stamps.from_datetime(world.clock.now())))

    @property
    def changes(self) -> int:
        return sum(call.method in CHANGING and call.status == "OK" for call in self.cloud.world.calls)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with Sandbox(build("hostile-ids")) as cloud:
        yield Desk(cloud, tmp_path)


async def planned(client: Client) -> dict[str, Any]:
    return await told(client, "plan_cleanup")


@pytest.mark.parametrize("era", ERAS)
async def test_a_person_who_agrees_sees_the_plan_and_has_it_done(desk: Desk, era: str) -> None:
    person, before = Person(), desk.ids()
    async with desk.client(person, era) as client:
        plan = await planned(client)
        assert desk.changes == 0
        outcome = await told(client, "cleanup_heartbeats", plan=plan["plan"])

    (question,) = person.asked
    assert str(plan["count"]) in question
    assert plan["digest"] in question
    assert question.isprintable() or all(line.isprintable() for line in question.splitlines())
    assert (outcome["applied"], outcome["complete"], outcome["moved"]) == (True, True, plan["count"])
    assert len(before) - len(desk.ids()) == plan["count"]


NOES = [
    ("decline", None, "did not agree (decline)"),
    ("cancel", None, "did not agree (cancel)"),
    ("accept", "yes", "did not type"),
    ("accept", "", "did not type"),
]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("action", "typed", "why"), NOES)
async def test_anything_but_the_words_changes_nothing_and_is_not_asked_again(
    desk: Desk, era: str, action: str, typed: str | None, why: str
) -> None:
    person, before = Person(action, typed), desk.ids()
    async with desk.client(person, era) as client:
        plan = await planned(client)
        first = await told(client, "cleanup_heartbeats", plan=plan["plan"])
        again = await told(client, "cleanup_heartbeats", plan=(await planned(client))["plan"])

    assert (first["applied"], again["applied"]) == (False, False)
    assert why in first["why"]
    assert "do not ask again" in again["why"]
    assert len(person.asked) == 1
    assert (desk.changes, desk.ids()) == (0, before)


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_cannot_ask_gets_the_command_for_a_terminal(desk: Desk, era: str) -> None:
    async with desk.client(None, era) as client:
        outcome = await told(client, "cleanup_heartbeats", plan=(await planned(client))["plan"])

    assert outcome["applied"] is False
    assert "cannot ask" in outcome["why"]
    assert outcome["command"] == f"validate-daily cleanup --apply --config {desk.config}"
    assert desk.changes == 0


@pytest.mark.parametrize("era", ERAS)
async def test_by_default_a_person_agrees_in_a_terminal_and_nobody_is_asked_here(desk: Desk, era: str) -> None:
    desk.settings("\n[writes]\nenabled = true\n")
    person = Person()
    async with desk.client(person, era) as client:
        plan = await planned(client)
        outcome = await told(client, "cleanup_heartbeats", plan=plan["plan"])

    assert plan["approval"] == "terminal"
    assert (outcome["applied"], person.asked, desk.changes) == (False, [], 0)
    assert "terminal" in outcome["why"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_plan_that_is_forged_foreign_or_of_another_repair_is_refused_unasked(desk: Desk, era: str) -> None:
    person = Person()
    async with desk.client(person, era) as client:
        plan = (await planned(client))["plan"]
        tampered = plan[:-6] + ("AAAAAA" if not plan.endswith("AAAAAA") else "BBBBBB")
        texts = [
            await refused(client, "cleanup_heartbeats", plan=tampered),
            await refused(client, "cleanup_heartbeats", plan="nonsense"),
            await refused(client, "restore_heartbeats", plan=plan),
        ]
    async with desk.client(person, era, key="x" * 40) as stranger:
        texts.append(await refused(stranger, "cleanup_heartbeats", plan=plan))
    desk.settings(WRITES, **{'project = "nba-props-platform"': 'project = "another"'})
    async with desk.client(person, era) as elsewhere:
        texts.append(await refused(elsewhere, "cleanup_heartbeats", plan=plan))

    assert all("next:" in text or "no" in text for text in texts), texts
    assert (person.asked, desk.changes) == ([], 0)


@pytest.mark.parametrize("era", ERAS)
async def test_what_was_cleaned_up_is_restored_by_the_same_way(desk: Desk, era: str) -> None:
    before = desk.ids()
    async with desk.client(Person(), era) as client:
        done = await told(client, "cleanup_heartbeats", plan=(await planned(client))["plan"])
        back = await told(client, "plan_restore", cleanup=done["plan"])
        assert back["count"] == done["moved"]
        restored = await told(client, "restore_heartbeats", plan=back["plan"])

    assert (restored["applied"], restored["complete"]) == (True, True)
    assert desk.ids() == before


async def test_without_writes_in_a_file_that_was_named_there_are_no_such_tools(desk: Desk, tmp_path: Path) -> None:
    desk.settings("")
    async with desk.client(Person(), "legacy") as client:
        assert not [tool.name for tool in (await client.list_tools()).tools if "clean" in tool.name]


async def test_writes_that_are_switched_off_later_are_off_at_once(desk: Desk) -> None:
    person = Person()
    async with desk.client(person, "2026-07-28") as client:
        plan = await planned(client)
        desk.settings("")
        text = await refused(client, "cleanup_heartbeats", plan=plan["plan"])

    assert "writes are off" in text
    assert (person.asked, desk.changes) == ([], 0)


async def test_over_http_nobody_changes_anything_whom_no_token_names(desk: Desk) -> None:
    environment = desk.cloud.environment() | {"VALIDATE_DAILY_PLAN_KEY": KEY}
    server = build_server(desk.config, environment=environment, remote=True)
    async with Client(server, mode="2026-07-28", elicitation_callback=Person()) as client:
        text = await refused(client, "plan_cleanup")

    assert "only verified callers may change anything" in text
    assert desk.changes == 0


async def test_a_writer_that_still_writes_is_fixed_first(tmp_path: Path) -> None:
    async with Sandbox(build("regrowing")) as cloud:
        desk = Desk(cloud, tmp_path)
        async with desk.client(Person(), "2026-07-28") as client:
            text = await refused(client, "plan_cleanup")

    assert "redeploy nba-phase2-raw-processors" in text
    assert desk.changes == 0


async def test_planning_changes_nothing(desk: Desk) -> None:
    before = desk.ids()
    async with desk.client(Person(), "2026-07-28") as client:
        for _ in range(3):
            await planned(client)

    assert (desk.changes, desk.ids()) == (0, before)


async def test_a_document_that_changed_after_the_plan_is_left_alone_and_reported(desk: Desk) -> None:
    world = desk.cloud.world
    async with desk.client(Person(), "2026-07-28") as client:
        plan = await planned(client)
        name = plan["sample"][0]["path"].partition("/")[2]
        name = next(each for each in desk.ids() if each.startswith(name[:40]))
        world.heartbeats.put(name, world.firestore.database(world.database.name).commit_time(), b"")
        outcome = await told(client, "cleanup_heartbeats", plan=plan["plan"])

    assert outcome["moved"] == plan["count"] - 1
    assert [(each["fate"], each["count"]) for each in outcome["skipped"]] == [("changed", 1)]
    assert name in desk.ids()


async def test_what_a_model_is_sent_with_every_tool_on_stays_within_6500_tokens(desk: Desk) -> None:
    async with desk.client(None, "legacy") as client:
        tools = (await client.list_tools()).tools
    sent = [{"name": tool.name, "description": tool.description, "input_schema": tool.input_schema} for tool in tools]

    assert len(tools) == 20
    assert len(json.dumps(sent)) / 4 <= 6_500


async def test_changing_tools_say_so_and_ask_for_a_person(desk: Desk) -> None:
    async with desk.client(None, "2026-07-28") as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}

    for name in ("cleanup_heartbeats", "restore_heartbeats"):
        hints = tools[name].annotations
        assert hints is not None
        assert (hints.read_only_hint, hints.destructive_hint) == (False, True)
        assert (tools[name].meta or {})["anthropic/requiresUserInteraction"] is True
        assert list(tools[name].input_schema["properties"]) == ["plan"]


def test_a_no_about_one_service_leaves_another_to_be_asked_about() -> None:
    refusals = Refusals()
    refusals.remember(PLAN)

    assert refusals.holds(PLAN)
    assert not refusals.holds(PLAN.model_copy(update={"collection": "another"}))
    assert not refusals.holds(PLAN.model_copy(update={"target": PLAN.target.model_copy(update={"address": "other:1"})}))
