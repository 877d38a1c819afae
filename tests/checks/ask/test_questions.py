"""Single questions: recent malformed heartbeats, a page of log lines, long operations."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from checks.ask.questions import long_operations, recent_malformed, search_logs
from checks.evidence.logs import LogPage
from checks.evidence.recent_heartbeats import RecentMalformed
from checks.settings.file import parse_settings
from checks.settings.pipeline import Pipeline
from checks.settings.template import settings_text
from checks.sources.logging.question import LogQuestion
from checks.sources.shared_connections import SharedLogin
from validate_daily.sandbox import Fault, Sandbox, build
from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.faults import Status

from conftest import Serve
from support.emulators import fill

EXAMPLE = parse_settings(settings_text("example"), origin="example")
HOUR = timedelta(hours=1)
PHASE2 = "nba-phase2-raw-processors"


def settings(project: str) -> Pipeline:
    return Pipeline.model_validate(
        {
            "pipeline": {"name": "nba", "project": project},
            "heartbeats": {
                "processors": [{"name": "Odd_2024_totals", "service": "odd"}, {"name": "A", "service": "a"}]
            },
        }
    )


async def ask(cloud: Sandbox, window: timedelta = HOUR) -> RecentMalformed:
    async with SharedLogin() as session:
        found, gaps = await recent_malformed(
            EXAMPLE, window=window, session=session, timeout=10, environment=cloud.environment()
        )
    assert not gaps
    assert found is not None
    return found


async def test_only_what_beat_in_the_window_is_read_and_billed(serve: Serve) -> None:
    cloud = await serve("proliferation")

    found = await ask(cloud)

    assert found.complete
    assert 0 < found.malformed <= found.scanned < 200
    assert found.billed_reads == found.scanned
    assert [each.malformed for each in found.processors] == sorted(
        (e.malformed for e in found.processors), reverse=True
    )
    assert {each.service for each in found.processors if each.service} >= {PHASE2}
    assert [call.method for call in cloud.world.calls] == ["RunQuery"]


async def test_a_wider_window_finds_more(serve: Serve) -> None:
    cloud = await serve("proliferation")

    assert (await ask(cloud, 24 * HOUR)).malformed > (await ask(cloud)).malformed


async def test_more_heartbeats_than_are_read_are_a_gap(serve: Serve) -> None:
    cloud = await serve("proliferation")
    async with SharedLogin() as session:
        found, (gap,) = await recent_malformed(
            EXAMPLE, window=24 * HOUR, most=50, session=session, timeout=10, environment=cloud.environment()
        )

    assert found is not None
    assert (found.scanned, found.complete, found.billed_reads) == (50, False, 51)
    assert "more than 50 heartbeats" in gap.reason


@pytest.mark.emulator
async def test_the_official_emulator_is_read_alike(emulator: str, project: str) -> None:
    now = datetime.now(UTC)
    collection = f"projects/{project}/databases/(default)/documents/processor_heartbeats"
    beats = {
        "A": now,
        "A_None_00000001": now,
        "A_None_00000002": now - timedelta(minutes=30),
        "A_None_00000003": now - timedelta(hours=3),
        "B_2026-01-31_00000004": now - timedelta(minutes=5),
        "Odd_2024_totals": now,
    }
    await fill(emulator, collection, beats.items())
    async with SharedLogin() as session:
        found, gaps = await recent_malformed(
            settings(project),
            window=HOUR,
            session=session,
            timeout=10,
            environment={"FIRESTORE_EMULATOR_HOST": emulator},
        )

    assert not gaps
    assert found is not None
    assert (found.scanned, found.malformed) == (5, 3)
    assert [(each.processor, each.malformed, each.created, each.service) for each in found.processors] == [
        ("A", 2, 2, "a"),
        ("B", 1, 1, None),
    ]
    assert found.processors[0].newest.doc == "A_None_00000001"


@pytest.mark.parametrize("status", get_args(Status))
async def test_whatever_firestore_answers_is_a_gap_with_a_next_step(status: Status, serve: Serve) -> None:
    cloud = await serve("healthy", Fault(service="firestore", status=status))
    async with SharedLogin() as session:
        found, (gap,) = await recent_malformed(
            EXAMPLE, window=HOUR, session=session, timeout=10, environment=cloud.environment()
        )

    assert found is None
    assert status in gap.reason
    assert gap.next_step


async def test_a_retry_tells_the_read_time_of_what_it_read(serve: Serve) -> None:
    cut = Fault(service="firestore", method="RunQuery", status="UNAVAILABLE", cut_after=1, times=1)
    cloud = await serve("proliferation", cut)

    found = await ask(cloud)

    assert [call.method for call in cloud.world.calls] == ["RunQuery", "RunQuery"]
    assert found.billed_reads >= found.scanned
    assert found.until >= cloud.world.calls[-1].at


async def page_of(cloud: Sandbox, question: LogQuestion, limit: int = 10, token: str = "") -> LogPage:
    async with SharedLogin() as session:
        page, gaps = await search_logs(
            EXAMPLE,
            question,
            limit=limit,
            page_token=token,
            session=session,
            timeout=10,
            environment=cloud.environment(),
        )
    assert not gaps
    assert page is not None
    return page


def day(**parts: str) -> LogQuestion:
    now = datetime.now(UTC)
    return LogQuestion(since=now - 24 * HOUR, until=now, **parts)


@pytest.mark.parametrize(
    ("parts", "count"),
    [
        ({"service": "nba-scrapers", "severity": "ERROR"}, 46),
        ({"service": "nba-scrapers", "severity": "CRITICAL"}, 0),
        ({"text": "read timed OUT"}, 40),
        ({"text": 'read timed out" OR severity>="DEFAULT'}, 0),
        ({"regex": "(?i)read timed OUT"}, 40),
        ({"regex": "KeyError: '[a-z_]+' in player [0-9]+"}, 1),
        ({"regex": 'KeyError" OR severity>="DEFAULT'}, 0),
        ({"regex": r"\d+\.\d s$", "severity": "WARNING"}, 30),
        ({"job": "no-such-job"}, 0),
        ({"service": "nba-scrapers", "revision": "nba-scrapers-00000-xxx"}, 0),
    ],
    ids=str,
)
async def test_a_question_finds_what_fits_and_nothing_else(parts: dict[str, str], count: int, serve: Serve) -> None:
    page = await page_of(await serve("noise"), day(**parts), limit=100)

    assert len(page.lines) == count
    assert page.complete
    assert [line.at for line in page.lines] == sorted((line.at for line in page.lines), reverse=True)


async def test_lines_of_one_revision_or_execution_are_found_by_its_name(serve: Serve) -> None:
    cloud = await serve("forgotten-jobs-running")
    lines = (await page_of(cloud, day(), limit=100)).lines
    of_service = next(line for line in lines if line.source == PHASE2)

    found = await page_of(cloud, day(revision=str(of_service.revision)), limit=100)

    assert found.lines
    assert {line.revision for line in found.lines} == {of_service.revision}


async def test_empty_pages_are_followed_until_a_line_comes_or_the_budget_ends(serve: Serve) -> None:
    cloud = await serve("empty-log-pages")
    async with SharedLogin() as session:
        page, (gap,) = await search_logs(
            EXAMPLE, day(), limit=10, session=session, timeout=10, environment=cloud.environment()
        )

    assert page is not None
    assert (page.lines, page.complete) == ((), False)
    assert page.next_page_token
    assert "inconclusive" in gap.reason


async def test_a_question_that_cannot_be_sent_is_a_gap_and_asks_nothing(serve: Serve) -> None:
    cloud = await serve("noise")
    async with SharedLogin() as session:
        page, (gap,) = await search_logs(
            EXAMPLE, day(text="a\nb"), limit=10, session=session, timeout=10, environment=cloud.environment()
        )

    assert page is None
    assert "cannot be searched for" in gap.reason
    assert not cloud.world.calls


async def test_long_operations_cost_one_search(serve: Serve) -> None:
    cloud = await serve("stuck-operation")
    async with SharedLogin() as session:
        logs, gaps = await long_operations(
            EXAMPLE, until=datetime.now(UTC), session=session, timeout=10, environment=cloud.environment()
        )

    assert not gaps
    assert logs is not None
    assert [each.name for each in logs.operations if not each.ended] == ["Loading historical games for 450 players"]
    assert (logs.runs, logs.bursts) == ((), ())
    assert [call.method for call in cloud.world.calls] == ["ListLogEntries"]


@pytest.mark.parametrize("ahead", [timedelta(hours=-3), timedelta(minutes=-40), timedelta(minutes=40), 3 * HOUR])
async def test_the_window_is_one_of_firestores_clock(ahead: timedelta, serve: Serve) -> None:
    here = await ask(await serve("proliferation"))
    cloud = await serve(build("proliferation", clock=Clock(datetime.now(UTC) + ahead)))

    found = await ask(cloud)

    assert abs(found.until - found.since - HOUR) < timedelta(minutes=1)
    assert (found.scanned, found.malformed) == (here.scanned, here.malformed)
    assert found.billed_reads <= 2 * here.billed_reads + 200
