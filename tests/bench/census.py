"""The census of 101,868 documents on the official emulator: the whole check against the plain script."""

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
FIGURES: Final = {"wall_s": "wall, s", "cpu_s": "client CPU, s", "memory_bytes": "memory above imports, MB"}


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure both, in turn, and print a table of medians."""
    with tempfile.TemporaryDirectory() as folder, official_emulator(Path(folder) / "emulator.log") as address:
        print(f"filling the official emulator with {DOCUMENTS:,} documents", file=sys.stderr)
        asyncio.run(_fill(address))
        runs: dict[str, list[dict[str, Any]]] = {"ours": [], "plain script": []}
        for number in range(rounds):
            for name, module in (("ours", "bench.our_check"), ("plain script", "bench.plain_script")):
                print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr)
                environment = {"FIRESTORE_EMULATOR_HOST": address}
                runs[name].append(in_its_own_process(module, PROJECT, COLLECTION, environment=environment))
    return _tell(runs)


async def _fill(address: str) -> None:
    collection = f"projects/{PROJECT}/databases/(default)/documents/{COLLECTION}"
    now = datetime.now(UTC)
    await fill(address, collection, ((f"Family{n % FAMILIES:02}Processor_None_{n:08x}", now) for n in range(DOCUMENTS)))


def _tell(runs: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    ours, plain = runs["ours"], runs["plain script"]
    for figure in ("total", "malformed", "recent", "writers"):
        if {each["found"][figure] for each in (*ours, *plain)} != {ours[0]["found"][figure]}:
            raise SystemExit(f"they do not agree on {figure}: {runs}")
    rows: dict[str, Any] = {}
    print(f"census of {DOCUMENTS:,} documents, official emulator, medians of {len(ours)} rounds")
    print(f"{'':<28}{'ours':>12}{'plain script':>14}{'ratio':>8}")
    for key, name in FIGURES.items():
        scale = 1e6 if key == "memory_bytes" else 1.0
        mine, theirs = (statistics.median(each["cost"][key] for each in side) / scale for side in (ours, plain))
        rows[key] = {"ours": mine, "plain": theirs, "ratio": mine / theirs}
        print(f"{name:<28}{mine:>12.1f}{theirs:>14.1f}{mine / theirs:>8.2f}")
    billed = ours[0]["found"]["billed_reads"], plain[0]["found"]["billed_reads"]
    rows["billed_reads"] = {"ours": billed[0], "plain": billed[1], "ratio": billed[0] / billed[1]}
    print(f"{'billed reads':<28}{billed[0]:>12,}{billed[1]:>14,}{billed[0] / billed[1]:>8.2f}")
    return {"documents": DOCUMENTS, "rounds": len(ours), "figures": rows}
