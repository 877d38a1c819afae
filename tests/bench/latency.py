"""A healthy check of everything with latency in every call: how many round trips stand one behind the other."""

import asyncio
import statistics
import time
from typing import Any, Final

from checks import Report, check
from checks.settings.file import parse_settings
from checks.settings.template import settings_text
from validate_daily.sandbox import Fault, Sandbox, build

LATENCY: Final = 0.05
ROUNDS: Final = 5


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure with and without latency, in turn, and print medians."""
    asyncio.run(_look(0.0))  # loads Google's packages
    plain: list[float] = []
    slowed: list[float] = []
    calls, billed = 0, 0
    for _ in range(rounds):
        plain.append(asyncio.run(_look(0.0))[0])
        seconds, calls, report = asyncio.run(_look(LATENCY))
        slowed.append(seconds)
        billed = report.census.billed_reads if report.census else 0
    trips = (statistics.median(slowed) - statistics.median(plain)) / LATENCY
    print(f"healthy check of everything, {LATENCY * 1_000:.0f} ms in every call, medians of {rounds} rounds")
    print(f"{'wall without latency, s':<36}{statistics.median(plain):>8.2f}")
    print(f"{'wall with latency, s':<36}{statistics.median(slowed):>8.2f}")
    print(f"{'calls':<36}{calls:>8}")
    print(f"{'sequential round trips':<36}{trips:>8.1f}")
    print(f"{'sum of all round trips, s':<36}{calls * LATENCY:>8.2f}")
    print(f"{'billed reads':<36}{billed:>8}")
    return {
        "wall_s": statistics.median(slowed),
        "calls": calls,
        "sequential_round_trips": trips,
        "billed_reads": billed,
    }


async def _look(latency: float) -> tuple[float, int, Report]:
    world = build("healthy")
    if latency:
        world.faults.add(Fault(latency=latency))
    pipeline = parse_settings(settings_text("example"), origin="example")
    async with Sandbox(world) as cloud:
        started = time.perf_counter()
        report = await check(pipeline, environment=cloud.environment())
        return time.perf_counter() - started, len(world.calls), report
