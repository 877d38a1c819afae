"""A watch proves that nothing grew back, or says what did and who runs the writer."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from checks.settings.file import Settings, parse_settings
from validate_daily.repairs.documents.session import open_session
from validate_daily.repairs.loop.watch import LOOKS, watch
from validate_daily.repairs.plans.errors import UnseenError
from validate_daily.repairs.plans.plan import Principal
from validate_daily.repairs.plans.regrowth import WatchResult
from validate_daily.sandbox import Fault, Sandbox, World, build

from support.paths import EXAMPLE


async def watched(world: World, meanwhile: Callable[[int], None]) -> WatchResult:
    """A watch in which each wait lets something happen instead of passing time."""
    settings = Settings(
        parse_settings(EXAMPLE.read_text() + "\n[writes]\nenabled = true\n", origin="F"), Path("F"), named=True
    )
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        meanwhile(len(waits))

    async with (
        Sandbox(world) as cloud,
        open_session(settings, Principal(name="ana"), timeout=30, environment=cloud.environment()) as session,
    ):
        found = await watch(session, timedelta(minutes=2), waiting=wait)
    assert sum(waits) <= timedelta(minutes=2).total_seconds()
    return found


async def test_where_nothing_grows_it_says_so_after_all_its_looks() -> None:
    world = build("repaired")
    found = await watched(world, lambda _: world.advance(timedelta(minutes=30)))

    assert (found.grown, found.unseen, found.looks, found.exit_code) == ((), None, LOOKS + 1, 0)
    assert found.until - found.since >= timedelta(hours=2)


async def test_what_grows_is_told_by_processor_and_service_and_ends_the_watch() -> None:
    world = build("regrowing")
    found = await watched(world, lambda _: world.advance(timedelta(minutes=30)))

    assert found.exit_code == 1
    assert {each.service for each in found.grown} == {"nba-phase2-raw-processors"}
    assert found.looks < LOOKS + 1
    assert all("_None_" in name or "_202" in name for name in found.sample)


async def test_documents_from_before_are_no_growth() -> None:
    found = await watched(build("hostile-ids"), lambda _: None)

    assert (found.grown, found.exit_code) == ((), 0)


async def test_a_look_that_fails_leaves_it_unknown() -> None:
    world = build("repaired")
    found = await watched(world, lambda _: world.faults.add(Fault(method="RunQuery", status="PERMISSION_DENIED")))

    assert found.exit_code == 3
    assert "PERMISSION_DENIED" in (found.unseen or "")


async def test_without_a_first_look_there_is_no_watch() -> None:
    world = build("repaired")
    world.faults.add(Fault(method="*", service="firestore", status="PERMISSION_DENIED"))
    wait: Callable[[int], None] = lambda _: None  # noqa: E731 - nothing happens
    with pytest.raises(UnseenError, match="listing processor_heartbeats"):
        await watched(world, wait)
