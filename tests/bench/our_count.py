"""What is measured: total and severity, as ``check --count`` tells them."""

import asyncio
import sys

from checks import check
from checks.ask.snapshot import load
from checks.settings.file import parse_settings

from bench.measure import measured


def count(project: str, collection: str) -> dict[str, int]:
    """The total, and whether it is P0."""
    settings = f'[pipeline]\nname = "bench"\nproject = "{project}"\n[heartbeats]\ncollection = "{collection}"\n'
    report = asyncio.run(check(parse_settings(settings, origin="bench"), count_only=True, timeout=300))
    if report.census is None:
        raise SystemExit(f"the count failed: {report.gaps}")
    return {
        "total": report.census.total,
        "p0": report.verdict == "P0",
        "billed_reads": report.census.billed_reads,
    }


if __name__ == "__main__":
    load(["firestore"])  # before the clock starts, as the plain script's client is
    measured(lambda: count(*sys.argv[1:3]))
