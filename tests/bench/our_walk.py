"""What is measured: a census of sixty processors, and its judgement; or the same where every document is read."""

import asyncio
import os
import sys

from checks.ask.snapshot import load, target_of
from checks.evidence.snapshot import Snapshot
from checks.judge.report import judge
from checks.judge.rules import HEARTBEATS, rules_of
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget
from checks.sources.firestore.census import CensusResult, read_heartbeats
from checks.sources.firestore.id_walk import Terms
from checks.sources.progress import quiet

from bench.measure import measured
from bench.walk import DATABASE, PROCESSORS


def census(collection: str, *how: str) -> dict[str, int]:
    """The figures of a report on it."""
    pipeline = Pipeline.model_validate(
        {
            "pipeline": {"name": "bench", "project": DATABASE.split("/")[1]},
            "heartbeats": {"collection": collection, "processors": list(PROCESSORS)},
        }
    )
    target = target_of(pipeline, "firestore", os.environ)
    terms = Terms(small=10_000_000) if "listing" in how else Terms()

    async def read() -> CensusResult:
        return await read_heartbeats(pipeline, target, Budget(300), quiet, terms=terms)

    reading = asyncio.run(read())
    if reading.census is None or reading.read_time is None or (reading.gaps and collection != "alone"):
        raise SystemExit(f"the census failed: {reading.gaps}")
    snapshot = Snapshot(
        pipeline=pipeline, taken_at=reading.read_time, census=reading.census, gaps=reading.gaps, targets=(target,)
    )
    report = judge(snapshot, rules_of(HEARTBEATS))
    if report.verdict != "P0":
        raise SystemExit(f"judged wrongly: {report}")
    return {
        "total": reading.census.total,
        "writers": len(reading.census.families),
        "billed_reads": reading.census.billed_reads,
    }


if __name__ == "__main__":
    load(["firestore"])  # before the clock starts
    measured(lambda: census(*sys.argv[1:]))
