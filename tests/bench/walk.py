"""The census on the practice cloud, with latency in every call: a walk, and reading every document, as they grow."""

import statistics
import sys
from typing import Any, Final

from validate_daily.sandbox import Fault, Sandbox, World, build, running
from validate_daily.sandbox.firestore.made_up import MadeUp, Runs

from bench.measure import in_its_own_process

LATENCY: Final = 0.02
PROCESSORS: Final = tuple(f"Family{number:02}Processor" for number in range(60))
GROWTH: Final = (1_000, 10_000, 101_868, 1_000_000)
LISTED: Final = 101_868
ROUNDS: Final = 3
DATABASE: Final = "projects/bench-project/databases/(default)"


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure a walk of each size, listing one, and the worst case against listing it; print medians."""
    world = build("healthy")
    world.faults.add(Fault(latency=LATENCY))
    sizes = {f"runs{size}": Runs(PROCESSORS, size, world.clock.now()) for size in GROWTH}
    alone = Runs([f"P{number:06}" for number in range(LISTED)], LISTED, world.clock.now())
    print(f"census on the practice cloud, {LATENCY * 1_000:.0f} ms in every call, medians of {rounds} rounds")
    print(f"{'':<40}{'wall, s':>9}{'billed reads':>14}{'memory, MB':>12}")
    told: dict[str, Any] = {}
    with running(world) as cloud:
        for name, runs in {**sizes, "alone": alone}.items():
            _collection(world, name, runs)
        for size in GROWTH:
            _tell(told, f"{size:,} documents", cloud, f"runs{size}", rounds)
        _tell(told, f"{LISTED:,}, each read", cloud, f"runs{LISTED}", rounds, "listing")
        _tell(told, f"{LISTED:,}, no shared beginnings", cloud, "alone", rounds)
        _tell(told, f"{LISTED:,}, the same, each read", cloud, "alone", rounds, "listing")
    return told


def _tell(told: dict[str, Any], name: str, cloud: Sandbox, collection: str, rounds: int, *how: str) -> None:
    figures = told[name] = _median(cloud, collection, rounds, *how)
    wall, billed, memory = figures["wall_s"], figures["billed_reads"], figures["memory_bytes"] / 1e6
    print(f"{name:<40}{wall:>9.2f}{billed:>14,.0f}{memory:>12.1f}", flush=True)


def _collection(world: World, name: str, runs: Runs) -> None:
    world.firestore.database(DATABASE).collections[name] = MadeUp(f"{DATABASE}/documents/{name}/", runs)


def _median(cloud: Sandbox, collection: str, rounds: int, *how: str) -> dict[str, float]:
    print(f"{collection} {' '.join(how)}", file=sys.stderr)
    runs = [
        in_its_own_process("bench.our_walk", collection, *how, environment=cloud.environment()) for _ in range(rounds)
    ]
    return {
        "wall_s": statistics.median(each["cost"]["wall_s"] for each in runs),
        "memory_bytes": max(each["cost"]["memory_bytes"] for each in runs),
        "billed_reads": statistics.median(each["found"]["billed_reads"] for each in runs),
    }


if __name__ == "__main__":
    print(run(), file=sys.stderr)
