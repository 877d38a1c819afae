"""The census of 101,868 documents on the official emulator: count and whole check, against the plain script."""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.measure import in_its_own_process
from support.emulators import fill
from support.official import official_emulator

DOCUMENTS: Final = 101_868
FAMILIES: Final = 60
ROUNDS: Final = 3
PROJECT: Final = "bench-project"
COLLECTION: Final = "processor_heartbeats"
MODULES: Final = {"count": "bench.our_count", "check": "bench.our_check", "plain script": "bench.plain_script"}
FIGURES: Final = {"wall_s": "wall, s", "cpu_s": "client CPU, s", "memory_bytes": "memory above imports, MB"}


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure both, in turn, and print a table of medians."""
    with tempfile.TemporaryDirectory() as folder, official_emulator(Path(folder) / "emulator.log") as address:
        print(f"filling the official emulator with {DOCUMENTS:,} documents", file=sys.stderr)
        asyncio.run(_fill(address))
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in MODULES}
        for number in range(rounds):
            for name, module in MODULES.items():
                print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr)
                environment = {"FIRESTORE_EMULATOR_HOST": address}
                runs[name].append(in_its_own_process(module, PROJECT, COLLECTION, environment=environment))
    return _tell(runs)


async def _fill(address: str) -> None:
    collection = f"projects/{PROJECT}/databases/(default)/documents/{COLLECTION}"
    now = datetime.now(UTC)
    await fill(address, collection, ((f"Family{n % FAMILIES:02}Processor_None_{n:08x}", now) for n in range(DOCUMENTS)))


def _tell(runs: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    count, ours, plain = runs["count"], runs["check"], runs["plain script"]
    for figure in ("total", "malformed", "recent", "writers"):
        if {each["found"][figure] for each in (*ours, *plain)} != {ours[0]["found"][figure]}:
            raise SystemExit(f"they do not agree on {figure}: {runs}")
    if {(each["found"]["total"], each["found"]["p0"]) for each in count} != {(DOCUMENTS, True)}:
        raise SystemExit(f"the count is wrong: {count}")
    print(f"census of {DOCUMENTS:,} documents, official emulator, medians of {len(ours)} rounds")
    print(f"{'':<28}{'count':>10}{'check':>10}{'plain script':>14}{'times count':>13}{'times check':>13}")
    rows: dict[str, Any] = {}
    for key, name in FIGURES.items():
        scale = 1e6 if key == "memory_bytes" else 1.0
        rows[key] = _row(name, [[each["cost"][key] / scale for each in side] for side in (count, ours, plain)], "10.1f")
    rows["billed_reads"] = _row(
        "billed reads", [[each["found"]["billed_reads"] for each in side] for side in (count, ours, plain)], "10,.0f"
    )
    return {"documents": DOCUMENTS, "rounds": len(ours), "figures": rows}


def _row(name: str, sides: list[list[float]], form: str) -> dict[str, float]:
    count, ours, plain = (statistics.median(side) for side in sides)
    print(f"{name:<28}{count:{form}}{ours:{form}}{plain:>14,.1f}{plain / count:>13.1f}{plain / ours:>13.2f}")
    return {"count": count, "check": ours, "plain": plain, "times_count": plain / count, "times_check": plain / ours}


if __name__ == "__main__":
    print(run(), file=sys.stderr)
