import asyncio
from dataclasses import dataclass, field

import pytest

from checks.sources.logging.quota import RateLimit, shared_limit


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list[float])

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def test_sixty_reads_come_at_once_and_the_next_waits_for_its_minute() -> None:
    time = Time()
    limit = RateLimit(clock=time.clock, sleep=time.sleep)

    assert [await limit.turn(0) for _ in range(60)] == [True] * 60
    time.now += 10
    assert await limit.turn(50)

    assert time.slept == [50.0]


async def test_no_minute_ever_sees_more_than_the_limit() -> None:
    time = Time()
    limit = RateLimit(3, 10.0, clock=time.clock, sleep=time.sleep)
    turns: list[float] = []

    for step in (0, 1, 0, 4, 0, 0, 30, 0, 0, 0, 2):
        time.now += step
        assert await limit.turn(100)
        turns.append(time.now)

    assert all(later - earlier >= 10 for earlier, later in zip(turns, turns[3:], strict=False))


async def test_a_turn_that_is_too_far_off_is_refused_and_costs_nothing() -> None:
    time = Time()
    limit = RateLimit(1, 60.0, clock=time.clock, sleep=time.sleep)

    assert await limit.turn(0)
    assert not await limit.turn(59.9)
    assert not await limit.turn(-1)
    assert await limit.turn(60)

    assert time.slept == [60.0]


async def test_those_who_wait_together_get_different_turns() -> None:
    time = Time()
    slept: list[float] = []

    async def note(seconds: float) -> None:
        slept.append(seconds)

    limit = RateLimit(1, 60.0, clock=time.clock, sleep=note)

    assert all(await asyncio.gather(*(limit.turn(1_000) for _ in range(4))))
    assert slept == [60.0, 120.0, 180.0]


@pytest.mark.parametrize(("address", "project", "same"), [("a", "p", True), ("a", "q", False), ("b", "p", False)])
def test_a_project_behind_an_address_has_one_limit(address: str, project: str, same: bool) -> None:  # noqa: FBT001 - a column of the table
    assert (shared_limit(address, project) is shared_limit("a", "p")) is same
