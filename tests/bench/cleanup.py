"""A cleanup, which also keeps a copy, against a plain script that only deletes; on the official emulator."""

import asyncio
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.measure import in_its_own_process
from support.emulators import fill
from support.official import official_emulator

SIZES: Final = (5_000, 20_000)
FAMILIES: Final = 60
ROUNDS: Final = 3
SIDES: Final = {"ours": "bench.our_cleanup", "plain script": "bench.plain_cleanup"}


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure both, in turn, each on documents of its own, and print a table of medians."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, official_emulator(Path(folder) / "emulator.log") as address:
        for size in SIZES:
            costs = _rounds(address, size, rounds)
            figures[str(size)] = _tell(size, costs)
    return figures


def _rounds(address: str, size: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in SIDES}
    for number in range(rounds):
        for name, module in SIDES.items():
            print(f"cleanup of {size:,}, round {number + 1} of {rounds}: {name}", file=sys.stderr)
            project = f"bench-{size}-{number}-{name.partition(' ')[0]}"
            asyncio.run(_fill(address, project, size))
            done = in_its_own_process(
                module, project, "processor_heartbeats", environment={"FIRESTORE_EMULATOR_HOST": address}
            )
            if done["found"]["gone"] != size:
                raise SystemExit(f"{name} cleaned {done['found']['gone']:,} of {size:,}")
            costs[name].append(done["cost"])
    return costs


async def _fill(address: str, project: str, size: int) -> None:
    collection = f"projects/{project}/databases/(default)/documents/processor_heartbeats"
    now = datetime.now(UTC)
    await fill(address, collection, ((f"Family{n % FAMILIES:02}Processor_None_{n:08x}", now) for n in range(size)))


def _tell(size: int, costs: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    print(f"cleanup of {size:,} documents, official emulator, medians of {len(costs['ours'])} rounds")
    print(f"{'':<28}{'ours':>12}{'plain script':>14}{'ratio':>8}")
    rows: dict[str, Any] = {}
    for key, label, scale in (("wall_s", "wall, s", 1.0), ("memory_bytes", "memory above imports, MB", 1e6)):
        mine, theirs = (statistics.median(each[key] for each in side) / scale for side in costs.values())
        rows[key] = {"ours": mine, "plain": theirs, "ratio": mine / theirs}
        print(f"{label:<28}{mine:>12.1f}{theirs:>14.1f}{mine / theirs:>8.2f}")
    return rows


if __name__ == "__main__":
    run()
