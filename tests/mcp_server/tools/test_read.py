"""The tools look and change nothing, say the same as the command line, and go on from page to page."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from checks import check
from checks.evidence.base import inert
from checks.settings.file import parse_settings
from checks.settings.template import settings_text
from validate_daily.sandbox import Clock, Fault, build, scenario_names

from conftest import Serve
from support.mcp_world import ARGUMENTS, ERAS, client_of, environment_of, refused, told
from support.paths import EXAMPLE

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
CORE = ("denied", "hostile-ids", "missing", "proliferation")
STORIES = [
    pytest.param(name, marks=() if name in CORE else pytest.mark.long)
    for name in scenario_names()
    if not name.startswith("hanging")
]
READING = {
    "RunQuery", "RunAggregationQuery", "BatchGetDocuments", "GetDocument", "ListDocuments",
    "ListServices", "ListJobs", "ListRevisions", "GetService", "GetJob", "GetRevision",
    "ListLogEntries", "GetManifest", "GetBlob",
}  # fmt: skip
"""Every method that a reading tool may call."""

PHASE2 = "nba-phase2-raw-processors"


def shown(value: Any) -> Any:
    """What the command line says, with every stranger's text as a model may see it."""
    if isinstance(value, dict):
        return {inert(key): shown(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [shown(each) for each in cast("list[Any]", value)]
    return inert(value) if isinstance(value, str) else value


def timeless(report: dict[str, Any]) -> dict[str, Any]:
    return {**report, "taken_at": None}


async def command_line(environment: dict[str, str]) -> dict[str, Any]:
    arguments = ("-m", "checks", "--config", str(EXAMPLE), "--phase", "0.2", "--format", "json", "--timeout", "600")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return dict(json.loads(output))


@pytest.mark.parametrize("scenario", STORIES)
async def test_over_mcp_a_report_says_what_the_command_line_says(scenario: str, serve: Serve) -> None:
    """Field by field, of a world whose clock stands still."""
    cloud = await serve(build(scenario, clock=Clock(NOON, speed=0)))
    async with client_of(environment_of(cloud), seconds=600) as client:
        over_mcp = await told(client, "check_heartbeats")

    printed = await command_line(environment_of(cloud))

    assert printed.keys() == over_mcp.keys()
    for field, value in timeless(over_mcp).items():
        assert value == shown(timeless(printed)[field]), field


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("scenario", ["proliferation", "forgotten-jobs", "hostile-logs"])
async def test_no_reading_tool_makes_a_call_that_changes(scenario: str, era: str, serve: Serve) -> None:
    cloud = await serve(scenario)
    before = len(cloud.world.heartbeats)
    async with client_of(environment_of(cloud), era) as client:
        tools = (await client.list_tools()).tools
        cloud.world.calls.clear()
        for tool in tools:
            await told(client, tool.name, **ARGUMENTS[tool.name])

    called = {call.method for call in cloud.world.calls}
    assert called
    assert called <= READING
    assert len(cloud.world.heartbeats) >= before


async def test_all_processors_are_paged_through_as_of_one_moment(serve: Serve) -> None:
    cloud = await serve("proliferation")
    async with client_of(environment_of(cloud)) as client:
        page = await told(client, "count_heartbeats", limit=7)
        pages = [page]
        cloud.world.advance(timedelta(minutes=20))
        while page["next_cursor"]:
            page = await told(client, "count_heartbeats", limit=7, cursor=page["next_cursor"])
            pages.append(page)

    rows = [row for page in pages for row in page["processors"]]
    assert len({row["processor"] for row in rows}) == len(rows)
    assert sum(row["canonical"] + row["malformed"] for row in rows) == pages[0]["total"] == 1_053
    assert {page["searched"]["until"] for page in pages} == {pages[0]["searched"]["until"]}
    assert [page["omitted"] for page in pages][-1] == 0
    assert pages[0]["billed_reads"] > 1_053
    assert not any(page["billed_reads"] for page in pages[1:])


async def test_a_page_may_be_asked_of_another_instance(serve: Serve) -> None:
    cloud = await serve("proliferation")
    async with client_of(environment_of(cloud)) as one:
        first = await told(one, "count_heartbeats", limit=3)
    cloud.world.advance(timedelta(minutes=20))
    async with client_of(environment_of(cloud)) as another:
        second = await told(another, "count_heartbeats", limit=3, cursor=first["next_cursor"])

    assert second["total"] == first["total"]
    assert second["searched"]["until"] == first["searched"]["until"]
    assert {row["processor"] for row in second["processors"]}.isdisjoint(
        row["processor"] for row in first["processors"]
    )


async def test_deployments_and_findings_are_paged_through_without_loss(serve: Serve) -> None:
    cloud = await serve("permission-lost")
    async with client_of(environment_of(cloud)) as client:
        names, cursor = list[str](), None
        while cursor or not names:
            page = await told(client, "list_deployments", cursor=cursor)
            names += [each["name"] for each in page["deployments"]]
            cursor = page["next_cursor"]
        found, cursor, report = list[str](), None, dict[str, Any]()
        while cursor or not found:
            report = await told(client, "check_heartbeats", phase="all", cursor=cursor)
            found += [f"{each['rule']}: {each['subject']}" for each in report["findings"]]
            cursor = report["next_cursor"]
    whole = await check(parse_settings(settings_text("example"), origin="example"), environment=cloud.environment())

    assert len(names) == len(set(names)) == 27
    assert found == [finding.key for finding in whole.findings]
    assert report["verdict"] == whole.verdict


async def test_log_lines_are_paged_through_within_one_window(serve: Serve) -> None:
    cloud = await serve("noise")
    async with client_of(environment_of(cloud)) as client:
        page = await told(
            client, "search_logs", service="nba-scrapers", severity="ERROR", within_minutes=1440, limit=20
        )
        texts = [line["text"] for line in page["lines"]]
        windows = {(page["searched"]["since"], page["searched"]["until"])}
        while page["next_cursor"]:
            page = await told(
                client, "search_logs", service="nba-scrapers", severity="ERROR", within_minutes=1440, limit=20,
                cursor=page["next_cursor"],
            )  # fmt: skip
            texts += [line["text"] for line in page["lines"]]
            windows.add((page["searched"]["since"], page["searched"]["until"]))

    assert len(texts) == 46
    assert page["complete"] is True
    assert len(windows) == 1


async def test_a_cursor_of_other_arguments_or_of_nobody_is_refused(serve: Serve) -> None:
    async with client_of(environment_of(await serve("proliferation"))) as client:
        page = await told(client, "count_heartbeats", limit=3)
        other = await refused(client, "count_heartbeats", limit=4, cursor=page["next_cursor"])
        nonsense = await refused(client, "search_logs", cursor="bm9uc2Vuc2U")
        foreign = await refused(client, "list_deployments", cursor=page["next_cursor"])

    assert "other arguments" in other
    assert "not one that this tool gave" in nonsense
    assert "not one that this tool gave" in foreign


async def test_a_cursor_that_firestore_keeps_no_longer_is_refused(serve: Serve) -> None:
    from mcp_server.answers.counts import CountPlace  # noqa: PLC0415 - a cursor that no answer gives
    from mcp_server.cursor import asked, write_cursor  # noqa: PLC0415 - the same

    old = write_cursor(CountPlace(asked=asked(10), read_time=datetime.now(UTC) - timedelta(hours=2), start=10))
    async with client_of(environment_of(await serve())) as client:
        assert "call again without a cursor" in await refused(client, "count_heartbeats", cursor=old)


async def test_what_writes_now_is_named_with_its_service_and_revision(serve: Serve) -> None:
    async with client_of(environment_of(await serve("regrowing"))) as client:
        found = await told(client, "recent_malformed_heartbeats")
        healthy = await told(client, "recent_malformed_heartbeats", within_minutes=1)

    assert found["malformed"] == sum(each["malformed"] for each in found["processors"]) > 0
    assert {each["service"] for each in found["processors"]} == {PHASE2}
    assert all(each["created"] for each in found["processors"])
    assert healthy["malformed"] <= found["malformed"]


async def test_an_operation_that_hangs_is_stuck_by_the_verdict_of_the_code(serve: Serve) -> None:
    async with client_of(environment_of(await serve("stuck-operation"))) as client:
        found = await told(client, "find_stuck_operations")

    assert found["verdict"] == "P1"
    assert [(each["operation"], each["source"]) for each in found["stuck"]] == [
        ("Loading historical games for 450 players", "prediction-coordinator")
    ]
    assert found["stuck"][0]["minutes"] >= 50


@pytest.mark.parametrize(
    ("scenario", "name", "verdict"),
    [
        ("tag-moved", PHASE2, "P1"),
        ("pinned-traffic", "nba-phase3-analytics-processors", "P1"),
        ("split-traffic", "nba-phase3-analytics-processors", "P1"),
        ("rollout-in-progress", "nba-phase4-precompute-processors", "unknown"),
        ("revision-never-ready", "nba-scrapers", "P1"),
        ("stale-label", "nba-phase3-analytics-processors", "P2"),
        ("forgotten-jobs-running", "nbac-team-boxscore-processor-backfill", "P1"),
        ("denied-registry", PHASE2, "unknown"),
    ],
)
async def test_each_service_and_job_has_the_verdict_of_the_rules_about_it(
    scenario: str, name: str, verdict: str, serve: Serve
) -> None:
    async with client_of(environment_of(await serve(scenario))) as client:
        listed = await told(client, "list_deployments", limit=100)
        one = await told(client, "describe_service", service=name)

    by_name = {each["name"]: each["verdict"] for each in listed["deployments"]}
    assert one["verdict"] == verdict
    assert by_name.get(name, verdict) == verdict
    order = ["P0", "P1", "unknown", "P2", "healthy"]
    verdicts = [order.index(each["verdict"]) for each in listed["deployments"]]
    assert verdicts == sorted(verdicts)


async def test_a_service_that_does_not_exist_is_refused_with_a_guess(serve: Serve) -> None:
    async with client_of(environment_of(await serve())) as client:
        text = await refused(client, "describe_service", service="nba-phase2-raw-procesors")

    assert "did you mean nba-phase2-raw-processors" in text
    assert "list_deployments" in text


FAILING = {
    "firestore": ["check_heartbeats", "count_heartbeats", "recent_malformed_heartbeats"],
    "run": ["list_deployments"],
    "logging": ["search_logs", "find_stuck_operations"],
}


@pytest.mark.parametrize("status", ["UNAVAILABLE", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"])
@pytest.mark.parametrize("side", FAILING)
async def test_what_cannot_be_read_is_unknown_with_a_next_step(side: Any, status: Any, serve: Serve) -> None:
    cloud = await serve("healthy", Fault(service=side, status=status))
    async with client_of(environment_of(cloud)) as client:
        for tool in FAILING[side]:
            answer = await told(client, tool)
            assert answer["gaps"], tool
            assert all(gap["next_step"] for gap in answer["gaps"])
            assert answer.get("complete", False) is False
            assert answer.get("verdict", "unknown") == "unknown"
            for count in ("total", "malformed", "scanned", "ended"):
                assert answer.get(count) is None


async def test_an_empty_answer_says_what_was_searched_and_why_it_can_be_empty(serve: Serve) -> None:
    cloud = await serve("healthy")
    async with client_of(environment_of(cloud)) as client:
        lines = await told(client, "search_logs", contains="no such words", severity="WARNING")
        writers = await told(client, "recent_malformed_heartbeats")
        operations = await told(client, "find_stuck_operations")

    assert lines["lines"] == []
    assert lines["complete"] is True
    assert "DEFAULT" in lines["note"]
    assert lines["searched"]["since"] < lines["searched"]["until"]
    assert "canonical" in writers["note"]
    assert operations["verdict"] == "healthy"


async def test_without_usable_settings_the_server_runs_and_each_call_says_what_to_do(tmp_path: Path) -> None:
    missing = {"VALIDATE_DAILY_CONFIG": str(tmp_path / "none.toml")}
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[pipeline]\nname = "x"\nproject = "y"\ncolour = 1\n')
    async with client_of(missing) as client:
        assert len((await client.list_tools()).tools) == len(ARGUMENTS)
        assert "cannot be read" in await refused(client, "check_heartbeats")
    async with client_of({"VALIDATE_DAILY_CONFIG": str(wrong)}) as client:
        assert "pipeline.colour: unknown key" in await refused(client, "check_heartbeats")
        wrong.write_text(settings_text("example"))
        assert "no such argument" in await refused(client, "check_heartbeats", colour=1)


async def test_a_source_that_the_settings_leave_out_is_refused_with_the_reason(tmp_path: Path, serve: Serve) -> None:
    config = tmp_path / "validate-daily.toml"
    config.write_text(settings_text("example") + '\n[sources]\nlogging = "off"\ncloud_run = "off"\n')
    async with client_of(environment_of(await serve(), config)) as client:
        assert "switched off by choice" in await refused(client, "search_logs")
        assert "switched off by choice" in await refused(client, "list_deployments")
        report = await told(client, "check_heartbeats", phase="all")

    assert {each["what"] for each in report["not_checked"]} >= {"logging", "cloud-run"}


async def test_a_wrong_regular_expression_says_so(serve: Serve) -> None:
    async with client_of(environment_of(await serve())) as client:
        answer = await told(client, "search_logs", matches="(unclosed")

    assert answer["complete"] is False
    assert "INVALID_ARGUMENT" in answer["gaps"][0]["reason"]


async def test_a_firestore_that_comes_back_is_read_by_the_same_server(serve: Serve) -> None:
    cloud = await serve("healthy")
    cloud.world.faults.add(Fault(service="firestore", status="UNAVAILABLE", times=8))
    async with client_of(environment_of(cloud)) as client:
        first = await told(client, "check_heartbeats")
        second = await told(client, "check_heartbeats")

    assert first["verdict"] == "unknown"
    assert second["verdict"] == "healthy"


async def test_progress_of_a_long_read_reaches_a_client_that_asks(serve: Serve) -> None:
    heard: list[tuple[float, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, message))

    async with client_of(environment_of(await serve("proliferation"))) as client:
        await client.call_tool("check_heartbeats", {}, progress_callback=hear)

    assert heard
    assert [step for step, _ in heard] == sorted({step for step, _ in heard})
    assert any("heartbeats" in (message or "") for _, message in heard)


async def test_what_runs_is_told_page_by_page_worst_first(serve: Serve) -> None:
    cloud = await serve("proliferation")
    seen: list[str] = []
    async with client_of(environment_of(cloud)) as client:
        answer = await told(client, "verify_deployed_code")
        assert (answer["result"], answer["results"]) == ("contradicted", {"contradicted": 27})
        while True:
            seen += [each["name"] for each in answer["subjects"]]
            assert answer["omitted"] == 27 - len(seen)
            if not answer["next_cursor"]:
                break
            answer = await told(client, "verify_deployed_code", cursor=answer["next_cursor"])

    assert len(seen) == len(set(seen)) == 27
    assert answer["truncated"] is False


async def test_of_one_service_every_level_and_every_share_is_told(serve: Serve) -> None:
    async with client_of(environment_of(await serve("split-traffic"))) as client:
        answer = await told(client, "verify_deployed_code", subject="nba-phase3-analytics-processors")
        other = await refused(client, "verify_deployed_code", subject="nobody")

    assert [each["level"] for each in answer["levels"]][:3] == ["runtime", "bytes", "digest"]
    assert [(each["percent"], each["proofs"][0]["result"]) for each in answer["images"]] == [
        (30, "contradicted"),
        (70, "matched"),
    ]
    assert "no code probe of the settings is about nobody" in other


async def test_what_runs_is_unknown_where_the_registry_cannot_be_read(serve: Serve) -> None:
    async with client_of(environment_of(await serve("denied-registry"))) as client:
        answer = await told(client, "verify_deployed_code", subject=PHASE2)

    assert (answer["complete"], bool(answer["gaps"])) == (False, True)
    assert {each["level"]: each["result"] for each in answer["levels"]}["bytes"] == "unknown"


async def test_a_last_page_of_one_processor_is_not_left_out(serve: Serve) -> None:
    cloud = await serve("healthy")
    async with client_of(environment_of(cloud)) as client:
        page = await told(client, "count_heartbeats", limit=29)
        last = await told(client, "count_heartbeats", limit=29, cursor=page["next_cursor"])

    assert (len(page["processors"]), len(last["processors"]), last["next_cursor"]) == (29, 1, None)
