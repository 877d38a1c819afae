"""What a client is told of the tools: names, arguments, answers, and what all of it costs a model."""

import json

import pytest

from mcp_server.app import read_tools
from validate_daily.sandbox import scenario_names

from conftest import Serve
from support.mcp_world import ARGUMENTS, ERAS, client_of, environment_of, text_of
from support.paths import TOOLS as SNAPSHOT

NAMES = [
    "check_heartbeats",
    "count_heartbeats",
    "recent_malformed_heartbeats",
    "list_deployments",
    "describe_service",
    "verify_deployed_code",
    "search_logs",
    "find_stuck_operations",
    "verify_handoff",
    "write_handoff",
]
CORE = ("denied-run", "healthy", "hostile-ids", "hostile-logs", "permission-lost", "proliferation", "split-traffic")
STORIES = [
    pytest.param(name, marks=() if name in CORE else pytest.mark.long)
    for name in scenario_names()
    if not name.startswith("hanging")
]


def tokens(text: str) -> float:
    return len(text) / 4


@pytest.mark.parametrize("era", ERAS)
async def test_the_tools_have_exactly_these_names_and_are_all_marked_as_reading(era: str) -> None:
    async with client_of({}, era) as client:
        tools = (await client.list_tools()).tools

    assert [tool.name for tool in tools] == NAMES
    for tool in tools:
        assert tool.title
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.destructive_hint is False
        assert tool.description
        assert tool.output_schema is not None
        assert tool.input_schema["additionalProperties"] is False


async def test_every_word_that_a_client_is_told_of_the_tools_is_in_the_snapshot() -> None:
    """After a change that is meant: ``make renew``."""
    async with client_of({}) as client:
        tools = [
            tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in (await client.list_tools()).tools
        ]

    assert tools == json.loads(SNAPSHOT.read_text("utf-8"))


async def test_what_a_model_is_sent_about_the_tools_stays_within_3000_tokens() -> None:
    async with client_of({}) as client:
        tools = (await client.list_tools()).tools
    sent = [{"name": tool.name, "description": tool.description, "input_schema": tool.input_schema} for tool in tools]

    assert tokens(json.dumps(sent)) <= 3_000


@pytest.mark.parametrize("scenario", STORIES)
async def test_default_answers_stay_within_2500_tokens_and_1000_when_all_is_well(scenario: str, serve: Serve) -> None:
    async with client_of(environment_of(await serve(scenario)), seconds=600) as client:
        for name, arguments in ARGUMENTS.items():
            result = await client.call_tool(name, arguments)
            assert not result.is_error or "PERMISSION_DENIED" in text_of(result), text_of(result)
            most = 1_000 if scenario == "healthy" else 2_500
            assert tokens(text_of(result)) <= most, (name, text_of(result))
            assert tokens(json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))) <= most


async def test_the_whole_check_stays_within_2500_tokens_too(serve: Serve) -> None:
    async with client_of(environment_of(await serve("permission-lost"))) as client:
        result = await client.call_tool("check_heartbeats", {"phase": "all"})

    assert tokens(text_of(result)) <= 2_500
    assert result.structured_content is not None
    assert result.structured_content["truncated"] is True
    assert result.structured_content["next_cursor"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("era", ERAS)
async def test_an_argument_that_does_not_exist_is_refused_by_name(name: str, era: str) -> None:
    async with client_of({}, era) as client:
        result = await client.call_tool(name, ARGUMENTS[name] | {"ids": ["PlayerGameSummaryProcessor"]})

    assert result.is_error
    assert text_of(result) == f"{name}: ids: no such argument"


def test_the_list_of_tools_is_the_one_that_is_visible() -> None:
    assert [tool.name for tool in read_tools()] == NAMES
