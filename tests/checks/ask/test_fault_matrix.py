"""Each source, failing in each way: never healthy, always a gap that names it, and the others are still judged."""

import asyncio
import math

import pytest

from checks import Report, Verdict, check
from checks.settings.file import parse_settings
from checks.settings.template import settings_text
from validate_daily.sandbox import Fault

from conftest import Serve

EXAMPLE = parse_settings(settings_text("example"), origin="example")
SIDES = {"firestore": "firestore", "run": "cloud-run", "logging": "logging", "registry": "registry"}
STATUSES = [
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "INTERNAL",
    "UNAUTHENTICATED",
]
SECONDS = 12.0


async def look(serve: Serve, *faults: Fault, seconds: float = SECONDS) -> Report:
    sandbox = await serve("healthy", *faults)
    started = asyncio.get_running_loop().time()
    report = await check(EXAMPLE, timeout=seconds, environment=sandbox.environment())
    assert asyncio.get_running_loop().time() - started < seconds + 3
    return report


def assert_unknown_because_of(report: Report, side: str) -> None:
    source = SIDES[side]
    assert report.verdict is Verdict.UNKNOWN
    assert report.score is None
    assert source in {gap.source for gap in report.gaps}
    assert {gap.source for gap in report.gaps} <= {source, "clock"}
    assert all(gap.reason and gap.next_step for gap in report.gaps)
    assert (report.census is None) == (side == "firestore")


async def test_without_faults_everything_is_seen(serve: Serve) -> None:
    report = await look(serve)

    assert (report.verdict, report.score, report.gaps, report.not_checked) == (Verdict.HEALTHY, 100, (), ())
    assert {target.source for target in report.targets} == set(SIDES.values())


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("side", SIDES)
async def test_a_source_that_fails_is_a_gap_and_the_others_are_still_judged(
    serve: Serve, side: str, status: str
) -> None:
    report = await look(serve, Fault.model_validate({"service": side, "status": status}))

    assert_unknown_because_of(report, side)
    assert len(report.targets) == len(SIDES)


@pytest.mark.parametrize("side", SIDES)
async def test_a_source_that_hangs_is_a_gap_within_the_timeout(serve: Serve, side: str) -> None:
    report = await look(serve, Fault.model_validate({"service": side, "hang": True}), seconds=2.0)

    assert_unknown_because_of(report, side)


async def test_empty_pages_of_logs_for_ever_are_inconclusive(serve: Serve) -> None:
    sandbox = await serve("healthy")
    sandbox.world.logs.search.empty_pages = math.inf

    report = await check(EXAMPLE, timeout=SECONDS, environment=sandbox.environment())

    assert_unknown_because_of(report, "logging")
    assert any("inconclusive" in gap.reason for gap in report.gaps)


@pytest.mark.parametrize("side", [side for side in SIDES if side != "firestore"])
async def test_a_fault_that_passes_leaves_no_gap(serve: Serve, side: str) -> None:
    report = await look(serve, Fault.model_validate({"service": side, "status": "UNAVAILABLE", "times": 1}))

    assert report.verdict is Verdict.HEALTHY
