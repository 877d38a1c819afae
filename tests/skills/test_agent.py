"""The headless agent, in a process of its own: the real package, the real server over stdio, a scripted model."""

import json
import re
from pathlib import Path

import pytest

from validate_daily.sandbox import Sandbox

from conftest import Serve
from support.agents import DAILY, LOOK, LOOK_TWICE, agent, concluding
from support.messages_api import Fail, Raw, Request, Say, Step, Use, results, scripted
from support.paths import EXAMPLE

PAGE = Use("read_page", {"path": "validate-daily/references/heartbeat-proliferation.md"})


def untouched(cloud: Sandbox, before: int) -> bool:
    """Nothing was moved away; processors may have written more meanwhile."""
    moved = len(cloud.world.database.collection("processor_heartbeats_trash"))
    return moved == 0 and len(cloud.world.heartbeats) >= before


async def test_a_proliferation_is_diagnosed_from_end_to_end_and_nothing_changes(serve: Serve) -> None:
    cloud = await serve("proliferation")
    before = len(cloud.world.heartbeats)
    turns: list[Step] = [
        LOOK,
        PAGE,
        Use("recent_malformed_heartbeats"),
        Use("verify_deployed_code", {"subject": "nba-phase2-raw-processors"}),
        LOOK,
        concluding,
    ]
    with scripted(turns) as script:
        code, report, said = await agent(cloud, script, "documents proliferate")

    assert code == 1
    assert (report["ended"], report["verdict"], report["exit_code"]) == ("concluded", "P0", 1)
    assert report["code"]["findings"][0]["rule"] == "heartbeat-proliferation"
    assert report["conclusion"]["root_rule"] == "heartbeat-proliferation"
    assert report["disagreements"] == []
    assert [each["tool"] for each in report["calls"]] == [
        "check_heartbeats",
        "recent_malformed_heartbeats",
        "verify_deployed_code",
        "check_heartbeats",
    ]
    assert all(each["error"] is None for each in report["calls"])
    assert "→ verify_deployed_code" in said
    assert untouched(cloud, before)


async def test_the_model_is_given_the_skill_the_read_only_tools_and_a_cached_beginning(serve: Serve) -> None:
    with scripted([PAGE, *DAILY]) as script:
        code, _, _ = await agent(await serve(), script)

    first = script.requests[0]
    assert code == 0
    assert first["model"] == "claude-sonnet-5-5"
    assert first["messages"][0] == {"role": "user", "content": "daily"}
    assert "## The daily check" in first["system"][0]["text"]
    assert first["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert first["cache_control"] == {"type": "ephemeral"}
    names = {tool["name"] for tool in first["tools"]}
    assert {"check_heartbeats", "verify_handoff", "read_page", "submit_report"} <= names
    assert not {"cleanup_heartbeats", "redeploy_service"} & names
    assert "heartbeat-proliferation" in json.dumps(results(script.requests[1])[0])


async def test_where_model_and_code_disagree_the_code_stands_and_the_disagreement_is_shown(serve: Serve) -> None:
    def lying(request: Request) -> Use:
        return concluding(
            request,
            verdict="healthy",
            root_rule=None,
            root_subject=None,
            affected=["no-such-service"],
            healthy=["processor_heartbeats"],
            evidence=[{"subject": "made-up", "says": "all is well", "tool": "search_logs"}],
        )

    with scripted([LOOK, lying]) as script:
        code, report, _ = await agent(await serve("proliferation"), script)

    assert code == 1
    assert report["verdict"] == report["code"]["verdict"] == "P0"
    assert report["conclusion"]["verdict"] == "healthy"
    told = {(each["about"], each["said"]) for each in report["disagreements"]}
    assert {
        ("verdict", "healthy"),
        ("root cause", "none"),
        ("healthy", "processor_heartbeats"),
        ("affected", "no-such-service"),
        ("evidence", "made-up"),
        ("evidence", "search_logs"),
    } <= told


@pytest.mark.long
async def test_unknown_stays_unknown_whatever_the_model_says(serve: Serve) -> None:
    def well(request: Request) -> Use:
        return concluding(request, verdict="healthy", root_rule=None, root_subject=None, not_checked=[])

    with scripted([LOOK, well]) as script:
        code, report, _ = await agent(await serve("denied-run"), script)

    assert code == 3
    assert report["verdict"] == "unknown"
    assert ("not checked", "nothing") in {(each["about"], each["said"]) for each in report["disagreements"]}


@pytest.mark.parametrize(
    ("turns", "ended", "arguments"),
    [
        ([LOOK] * 9, "turn-limit", ("--turns", "2")),
        ([Say("all is well"), Say("all is well")], "no-report", ()),
        pytest.param([LOOK] * 9, "token-limit", ("--tokens", "1000"), marks=pytest.mark.long),
        pytest.param([Say("…", stop="max_tokens")], "cut-off", (), marks=pytest.mark.long),
        ([Say("no", stop="refusal")], "refused", ()),
        pytest.param([Say("…", stop="model_context_window_exceeded")], "context-too-long", (), marks=pytest.mark.long),
        pytest.param(
            [Fail(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum")],
            "context-too-long",
            (),
            marks=pytest.mark.long,
        ),
        pytest.param([Fail(400, "invalid_request_error", "something else")], "api-error", (), marks=pytest.mark.long),
        ([Raw("event: message_start\ndata: {no json\n\n")], "api-error", ()),
        pytest.param([LOOK, Raw("event: ping\ndata: {}\n\n", cut=True)], "unreachable", (), marks=pytest.mark.long),
        pytest.param([Raw("<html>a proxy</html>")], "api-error", (), marks=pytest.mark.long),
        pytest.param([LOOK, Fail(401, "authentication_error", "revoked")], "api-error", (), marks=pytest.mark.long),
        ([LOOK, *[Fail(529, "overloaded_error", "Overloaded", "0.01")] * 9], "overloaded", ()),
        pytest.param(
            [Fail(429, "rate_limit_error", "slow down", "30")] * 9,
            "time-limit",
            ("--time", "1s"),
            marks=pytest.mark.long,
        ),
        pytest.param(
            [Use("submit_report", {"verdict": "splendid"}), Say("there"), Say("there")],
            "no-report",
            (),
            marks=pytest.mark.long,
        ),
    ],
)
async def test_what_does_not_conclude_is_said_and_is_never_healthy(
    turns: list[Step], ended: str, arguments: tuple[str, ...], serve: Serve
) -> None:
    with scripted(turns) as script:
        script.usage["input_tokens"] = 900
        code, report, _ = await agent(await serve(), script, *arguments)

    assert code == 3
    assert (report["ended"], report["conclusion"]) == (ended, None)
    assert report["reason"]
    assert report["verdict"] == "healthy"
    assert report["exit_code"] == 3


@pytest.mark.long
async def test_money_is_counted_by_kind_of_token_and_ends_a_run(serve: Serve) -> None:
    with scripted([LOOK] * 9) as script:
        script.usage |= {
            "input_tokens": 100_000,
            "output_tokens": 10_000,
            "cache_read_input_tokens": 100_000,
            "cache_creation_input_tokens": 100_000,
        }
        code, report, _ = await agent(await serve(), script, "--dollars", "1.0", "--tokens", "90000000")

    assert (code, report["ended"]) == (3, "money-limit")
    assert report["spent"]["turns"] == 2
    assert report["spent"]["dollars"] == pytest.approx(2 * (0.2 + 0.1 + 0.02 + 0.25))


@pytest.mark.long
async def test_a_busy_api_is_asked_again_as_it_says_and_the_run_goes_on(serve: Serve) -> None:
    turns: list[Step] = [Fail(529, "overloaded_error", "Overloaded", "0.01"), LOOK, Fail(429, "x", "y", "0.01"), *DAILY]
    with scripted(turns) as script:
        code, report, _ = await agent(await serve(), script)

    assert (code, report["ended"]) == (0, "concluded")
    assert len(script.requests) == 5


@pytest.mark.long
async def test_a_report_that_is_not_valid_is_named_and_may_be_mended(serve: Serve) -> None:
    with scripted([LOOK, Use("submit_report", {"verdict": "splendid"}), *DAILY]) as script:
        code, report, _ = await agent(await serve(), script)

    assert (code, report["ended"]) == (0, "concluded")
    (refused, *_) = results(script.requests[2])
    assert refused["is_error"]
    assert "verdict" in json.dumps(refused["content"])
    assert "root_cause" in json.dumps(refused["content"])


@pytest.mark.long
async def test_a_tool_that_fails_is_an_answer_and_stands_in_the_report(serve: Serve) -> None:
    with scripted([Use("describe_service", {"service": "no-such-service"}), *DAILY]) as script:
        code, report, said = await agent(await serve(), script)

    assert code == 0
    assert "no-such-service" in report["calls"][0]["error"]
    assert "← describe_service failed" in said
    assert results(script.requests[1])[0]["is_error"]


@pytest.mark.long
async def test_a_tool_or_a_page_that_is_not_there_is_said_to_the_model(serve: Serve) -> None:
    turns: list[Step] = [Use("delete_everything"), Use("read_page", {"path": "../../etc/passwd"}), *DAILY]
    with scripted(turns) as script:
        code, report, _ = await agent(await serve(), script)

    assert code == 0
    assert [each["tool"] for each in report["calls"]] == ["check_heartbeats"]
    assert results(script.requests[1])[0]["is_error"]
    assert "there is no such page" in json.dumps(results(script.requests[2])[0])


@pytest.mark.long
async def test_several_calls_at_once_are_all_answered(serve: Serve) -> None:
    with scripted([LOOK_TWICE, *DAILY]) as script:
        code, report, _ = await agent(await serve(), script)

    assert code == 0
    assert sorted(each["tool"] for each in report["calls"][:2]) == ["check_heartbeats", "count_heartbeats"]
    assert len(results(script.requests[1])) == 2


@pytest.mark.long
async def test_without_a_report_the_model_is_asked_once_more(serve: Serve) -> None:
    with scripted([LOOK, Say("It is healthy, I think."), *DAILY]) as script:
        code, report, said = await agent(await serve(), script)

    assert (code, report["ended"]) == (0, "concluded")
    assert "It is healthy, I think." in said
    assert script.requests[2]["messages"][-1]["role"] == "user"
    assert "submit_report" in json.dumps(script.requests[2]["messages"][-1])


@pytest.mark.parametrize(
    ("turns", "variables", "what"),
    [
        ([], {"ANTHROPIC_API_KEY": ""}, "there is no key"),
        ([Fail(401, "authentication_error", "invalid x-api-key")], {}, "is refused: .*invalid x-api-key"),
        ([Fail(403, "permission_error", "not yours")], {}, "is refused: .*not yours"),
        ([Fail(404, "not_found_error", "model: none")], {}, "claude-sonnet-5-5: the Messages API does not have it"),
    ],
)
async def test_a_key_or_model_that_does_not_work_is_wrong_usage(
    turns: list[Step], variables: dict[str, str], what: str, serve: Serve
) -> None:
    with scripted(turns) as script:
        code, report, said = await agent(await serve(), script, config=EXAMPLE, **variables)

    assert (code, report) == (64, {})
    assert re.search(what, said), said


async def test_the_key_stays_in_this_process_and_out_of_every_output(serve: Serve) -> None:
    with scripted(DAILY) as script:
        code, report, said = await agent(await serve(), script, ANTHROPIC_API_KEY="sk-ant-very-secret")

    assert code == 0
    assert script.headers[0]["authorization"] == "Bearer sk-ant-very-secret"
    assert "sk-ant-very-secret" not in json.dumps(report) + said + json.dumps(script.requests)


@pytest.mark.long
async def test_words_that_a_terminal_would_obey_are_escaped(serve: Serve) -> None:
    with scripted([Say("\x1b[2J\x1b[31mhealthy\x07"), *DAILY]) as script:
        _, _, said = await agent(await serve(), script)

    assert "\x1b" not in said
    assert "\\x1b[2J" in said


async def test_without_a_terminal_nothing_can_be_allowed_and_nothing_is_asked(serve: Serve, tmp_path: Path) -> None:
    cloud = await serve("proliferation")
    before = len(cloud.world.heartbeats)
    config = tmp_path / "settings.toml"
    config.write_text(EXAMPLE.read_text() + '\n[writes]\nenabled = true\napproval = "client"\n')
    with scripted(DAILY) as script:
        code, _, said = await agent(cloud, script, "--allow-writes", config=config)

    assert code == 64
    assert "there is no terminal to ask a person at" in said
    assert script.requests == []
    assert untouched(cloud, before)


@pytest.mark.parametrize(
    ("writes", "what"),
    [("", "does not switch writes on"), ("[writes]\nenabled = true\n", 'approval is "terminal"')],
)
async def test_writes_that_the_settings_do_not_allow_are_refused_at_once(
    writes: str, what: str, serve: Serve, tmp_path: Path
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(f"{EXAMPLE.read_text()}\n{writes}")
    with scripted([]) as script:
        code, _, said = await agent(await serve(), script, "--allow-writes", config=config)

    assert code == 64
    assert what in said


@pytest.mark.long
async def test_with_writes_on_and_not_allowed_the_tools_that_write_are_not_offered(
    serve: Serve, tmp_path: Path
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(EXAMPLE.read_text() + '\n[writes]\nenabled = true\napproval = "client"\n')
    cloud = await serve("proliferation")
    before = len(cloud.world.heartbeats)
    with scripted([Use("cleanup_heartbeats", {"plan": "x"}), *DAILY]) as script:
        code, report, _ = await agent(cloud, script, config=config)

    assert code == 1
    assert not {"cleanup_heartbeats", "redeploy_service"} & {tool["name"] for tool in script.requests[0]["tools"]}
    assert report["writes_allowed"] is False
    assert untouched(cloud, before)


@pytest.mark.long
async def test_another_model_needs_its_price_or_no_limit_of_money(serve: Serve) -> None:
    cloud = await serve()
    with scripted(DAILY) as script:
        code, _, said = await agent(cloud, script, "--model", "claude-opus-5-5")
        free, report, _ = await agent(cloud, script, "--model", "claude-opus-5-5", "--dollars", "0")

    assert code == 64
    assert "no price of claude-opus-5-5 is known" in said
    assert free == 0
    assert report["spent"]["dollars"] is None


@pytest.mark.parametrize("arguments", [("--turns", "0"), ("--tokens", "1"), ("--model", "a b"), ("--server", "x")])
async def test_an_argument_out_of_bounds_is_named(arguments: tuple[str, str], serve: Serve) -> None:
    with scripted([]) as script:
        code, _, said = await agent(await serve(), script, *arguments)

    assert code == 64
    assert arguments[0] in said
