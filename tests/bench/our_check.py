"""What is measured: the whole check, census and judgement, as the command runs it."""

import asyncio
import sys

from checks import check
from checks.ask.snapshot import load
from checks.settings.file import parse_settings

from bench.measure import measured


def census(project: str, collection: str) -> dict[str, int]:
    """The same figures from a report."""
    settings = f'[pipeline]\nname = "bench"\nproject = "{project}"\n[heartbeats]\ncollection = "{collection}"\n'
    report = asyncio.run(check(parse_settings(settings, origin="bench"), timeout=300))
    if report.census is None or report.growth is None:
        raise SystemExit(f"the census failed: {report.gaps}")
    return {
        "total": report.census.total,
        "malformed": report.census.malformed,
        "recent": report.growth.malformed_last_hour or 0,
        "writers": len(report.census.by_processor) + report.census.omitted,
        "billed_reads": report.census.billed_reads,
    }


if __name__ == "__main__":
    load(["firestore"])  # before the clock starts, as the plain script's client is
    measured(lambda: census(*sys.argv[1:3]))
