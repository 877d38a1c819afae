from datetime import UTC, datetime, timedelta

import pytest

from heartbeat.document_id import Kind, parse
from validate_daily.sandbox import Clock, World, build
from validate_daily.sandbox.firestore import stamps
from validate_daily.sandbox.firestore.documents import IdRange, Version

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
PHASE2 = "nba-phase2-raw-processors"


def at_noon(name: str) -> World:
    return build(name, clock=Clock(NOON, speed=0))


def versions(world: World) -> dict[str, Version]:
    return dict(world.heartbeats.scan(IdRange(), stamps.from_datetime(world.clock.now())))


def malformed(world: World) -> int:
    return sum(parse(document_id).kind is not Kind.CANONICAL for document_id in versions(world))


def test_fixed_code_updates_in_place() -> None:
    world = at_noon("healthy")
    before = versions(world)
    world.advance(timedelta(hours=1))
    after = versions(world)
    assert before.keys() == after.keys()
    assert all(after[name].updated > before[name].updated for name in after)
    assert all(after[name].created == before[name].created for name in after)
    assert world.clock.now() == NOON + timedelta(hours=1)


def test_old_code_adds_some_nine_hundred_documents_a_day() -> None:
    world = at_noon("proliferation")
    world.advance(timedelta(days=1))
    assert 850 <= len(world.heartbeats) - 1_053 <= 950
    assert malformed(world) == len(world.heartbeats)


def test_a_deployment_stops_the_growth_and_brings_canonical_documents() -> None:
    world = at_noon("regrowing")
    world.deploy(PHASE2, "new")
    before = malformed(world)
    world.advance(timedelta(hours=9))
    assert malformed(world) == before
    ages = [stamps.from_datetime(world.clock.now()) - version.updated for name, version in versions(world).items()
            if parse(name).kind is Kind.CANONICAL]  # fmt: skip
    assert max(ages) <= 15 * 60 * stamps.SECOND


def test_a_cleanup_without_a_deployment_regrows() -> None:
    world = at_noon("regrowing")
    now = world.database.commit_time()
    for document_id in versions(world):
        if parse(document_id).kind is not Kind.CANONICAL:
            world.heartbeats.put(document_id, now, None)
    assert malformed(world) == 0
    world.advance(timedelta(minutes=30))
    assert malformed(world) > 5


def test_silent_code_writes_nothing() -> None:
    world = at_noon("healthy")
    for service in world.pipeline.services:
        world.deploy(service.name, "silent")
    before = versions(world)
    world.advance(timedelta(days=2))
    assert versions(world) == before


def test_time_may_pass_in_steps_of_any_size() -> None:
    once, often = at_noon("proliferation"), at_noon("proliferation")
    once.advance(timedelta(hours=2))
    for _ in range(8):
        often.advance(timedelta(minutes=15))
    assert versions(once).keys() == versions(often).keys()


def test_history_reaches_back_an_hour() -> None:
    world = at_noon("healthy")
    world.advance(timedelta(hours=3))
    then = stamps.from_datetime(world.clock.now() - timedelta(minutes=59))
    seen = [world.heartbeats.get(processor.name, then) for processor in world.pipeline.processors]
    assert all(version is not None and then - version.updated <= 900 * stamps.SECOND for version in seen)


def test_a_service_that_does_not_exist_cannot_be_deployed() -> None:
    with pytest.raises(ValueError, match="nba-phase9 is no service"):
        at_noon("healthy").deploy("nba-phase9", "new")
