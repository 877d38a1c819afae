"""What breaks off or is lost on the way: nothing is moved twice, nothing is lost, and running again finishes."""

import asyncio
import multiprocessing
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from validate_daily.repairs.plans.errors import NothingToDoError, UnseenError
from validate_daily.repairs.plans.outcome import Fate
from validate_daily.repairs.plans.plan import CleanupPlan
from validate_daily.sandbox import Fault, World

from support.repair_bench import COLLECTION, TRASH, Bench, bench, run_ids

BROKEN = {
    "fails before effect": Fault(method="Commit", status="UNAVAILABLE", times=1),
    "is lost after effect": Fault(method="Commit", status="UNAVAILABLE", after=True, times=1),
    "is aborted": Fault(method="Commit", status="ABORTED", times=1),
    "is cancelled after effect": Fault(method="Commit", status="CANCELLED", after=True, times=1),
    "has an unknown end after effect": Fault(method="Commit", status="UNKNOWN", after=True, times=1),
}


async def whole(bench: Bench, ids: list[str]) -> set[str]:
    """The ids in the trash, when each id is in exactly one of both places, once."""
    now = await bench.now()  # what a killed process sent may still take effect between two reads
    left, trash = set(await bench.documents(at=now)), await bench.documents(TRASH, now)
    moved = [each.fields["path"].string_value.removeprefix(f"{COLLECTION}/") for each in trash.values()]
    assert len(moved) == len(set(moved))
    assert left | set(moved) == set(ids)
    assert not left & set(moved)
    return set(moved)


@pytest.mark.parametrize("skip", [0, 3])
@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
async def test_a_commit_that_breaks_is_read_again_before_it_is_tried_again(
    ours: Bench, world: World, fault: Fault, skip: int
) -> None:
    ids = run_ids(1_000)
    await ours.put(ids)
    plan = await ours.plan()
    world.faults.add(fault.model_copy(update={"skip": skip}))
    world.calls.clear()

    outcome = await ours.apply(plan)

    assert (outcome.moved, outcome.skipped, outcome.exit_code) == (1_000, (), 0)
    assert await whole(ours, ids) == set(ids)
    commits = [call for call in world.calls if call.method == "Commit"]
    assert len(commits) == (4 if fault.after else 5)


async def test_an_acknowledgement_that_never_comes_is_not_waited_for_without_end(ours: Bench, world: World) -> None:
    ids = run_ids(40)
    await ours.put(ids)
    plan = await ours.plan()
    world.faults.add(Fault(method="Commit", hang=True, after=True, times=1))

    outcome = await ours.apply(plan, seconds=8)

    assert outcome.moved == 40
    assert await whole(ours, ids) == set(ids)


async def test_what_cannot_be_read_again_is_unknown_and_never_called_moved(ours: Bench, world: World) -> None:
    ids = run_ids(10)
    await ours.put(ids)
    plan = await ours.plan()
    world.faults.add(Fault(method="Commit", status="UNAVAILABLE", after=True, times=1))
    world.faults.add(Fault(method="BatchGetDocuments", status="PERMISSION_DENIED", skip=1))

    outcome = await ours.apply(plan)

    (skipped,) = outcome.skipped
    assert (outcome.moved, skipped.fate, skipped.count, outcome.exit_code) == (0, Fate.UNKNOWN, 10, 3)
    world.faults.clear()
    again = await ours.apply(plan)
    assert (again.moved, again.exit_code) == (10, 0)


CUTS = [("Commit", False), ("Commit", True), ("BatchGetDocuments", False)]


@pytest.mark.parametrize(("method", "after"), CUTS)
@pytest.mark.parametrize("skip", range(4))
async def test_a_cleanup_that_is_cut_at_any_call_finishes_when_it_runs_again(
    ours: Bench, world: World, method: str, skip: int, *, after: bool
) -> None:
    ids = run_ids(1_000)
    await ours.put(ids)
    plan = await ours.plan()
    world.calls.clear()
    world.faults.add(Fault(method=method, hang=True, after=after, skip=skip))
    cut = asyncio.create_task(ours.apply(plan))
    while not cut.done() and sum(1 for call in world.calls if call.method == method) <= skip:
        await asyncio.wait({cut}, timeout=0.02)
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)
    world.faults.clear()
    await whole(ours, ids)

    resumed = await ours.apply(plan)
    assert (resumed.moved, resumed.exit_code, resumed.resumed) == (1_000, 0, True)
    assert await whole(ours, ids) == set(ids)


async def test_a_recount_that_fails_makes_the_outcome_unknown(ours: Bench, world: World) -> None:
    await ours.put(run_ids(3))
    plan = await ours.plan()
    world.faults.add(Fault(method="RunQuery", status="PERMISSION_DENIED", skip=1))

    outcome = await ours.apply(plan)

    assert (outcome.moved, outcome.recount, outcome.exit_code) == (3, None, 3)
    assert "counting again" in outcome.unseen[0]


def _apply(address: str, project: str, folder: str) -> None:
    async def work() -> None:
        async with bench(address, project, Path(folder)) as ours:
            await ours.apply(await ours.plan(most=10_000))

    asyncio.run(work())


def _killed_after(address: str, project: str, folder: Path, seconds: float) -> float:
    """Run a cleanup in a process of its own, and kill it so long after its audit line "before"; how long it ran."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_apply, args=(address, project, str(folder)))
    process.start()
    audit = folder / "audit" / "audit.jsonl"
    while process.is_alive() and not (audit.exists() and audit.stat().st_size):
        process.join(0.005)
    began = time.monotonic()
    deadline = began + seconds
    while process.is_alive() and time.monotonic() < deadline:
        process.join(max(0.0, deadline - time.monotonic()))
    if process.pid and process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return time.monotonic() - began


async def _kill_and_finish(address: str, project: str, folder: Path, *, documents: int, within: float) -> int:
    """Kill at a moment of its own, check, finish, check; returns how many had been moved when it was killed."""
    ids = run_ids(documents)
    async with bench(address, project, folder) as ours:
        await ours.put(ids)
        await asyncio.to_thread(_killed_after, address, project, folder, within)
        moved = await whole(ours, ids)
        with suppress(NothingToDoError):
            outcome = await ours.apply(await _planned(ours))
            assert outcome.exit_code == 0
        assert await whole(ours, ids) == set(ids)
        assert all(line.event.moment in {"before", "after"} for line in ours.audit.lines())
        return len(moved)


async def _planned(ours: Bench) -> CleanupPlan:
    """A plan. The emulator may still be at the last commit of what was killed: a count and a listing then differ."""
    try:
        return await ours.plan(most=10_000)
    except UnseenError as error:
        if "as of the same moment" not in error.reason:
            raise
        return await ours.plan(most=10_000)


@pytest.mark.emulator
@pytest.mark.parametrize("place", range(10))
async def test_a_cleanup_that_is_killed_at_any_moment_finishes_when_it_runs_again(
    emulator: str, project: str, tmp_path: Path, place: int
) -> None:
    await _kill_and_finish(emulator, project, tmp_path, documents=600, within=place * 0.05)


@pytest.mark.long
@pytest.mark.emulator
async def test_a_large_cleanup_survives_kills_at_random_moments(emulator: str, project: str, tmp_path: Path) -> None:
    """Six moments of the time that one takes here, unless KILLS asks for more: each takes half a minute."""
    moments = random.Random(0)  # noqa: S311 - moments, no secret
    found: list[int] = []
    async with bench(emulator, f"{project}-whole", tmp_path) as ours:
        await ours.put(run_ids(5_000))
        long = await asyncio.to_thread(_killed_after, emulator, f"{project}-whole", tmp_path, 120.0)
    for place in range(int(os.environ.get("KILLS", "6"))):
        folder = tmp_path / str(place)
        folder.mkdir()
        within = moments.uniform(0, long)
        found.append(await _kill_and_finish(emulator, f"{project}-{place}", folder, documents=5_000, within=within))
    assert any(0 < moved < 5_000 for moved in found)
