from datetime import UTC, datetime, timedelta, timezone

import pytest

from validate_daily.sandbox import Clock

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


def test_a_clock_starts_from_the_real_time() -> None:
    before = datetime.now(UTC)
    assert before <= Clock().now() <= datetime.now(UTC)


def test_a_stopped_clock_moves_only_when_it_is_set_ahead() -> None:
    clock = Clock(NOON, speed=0)
    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(hours=3)) == NOON + timedelta(hours=3)


def test_a_fast_clock_gains_on_the_real_one() -> None:
    clock, real = Clock(NOON, speed=1e6), datetime.now(UTC)
    while clock.now() - NOON < timedelta(minutes=1):
        pass
    assert datetime.now(UTC) - real < timedelta(seconds=30)


def test_a_clock_speaks_utc() -> None:
    assert Clock(NOON.astimezone(timezone(timedelta(hours=-8))), speed=0).now().utcoffset() == timedelta()


@pytest.mark.parametrize("wrong", [{"start": datetime(2026, 2, 1)}, {"speed": -1.0}])  # noqa: DTZ001 - refused
def test_a_clock_refuses_what_it_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"timezone|forwards"):
        Clock(**wrong)  # pyright: ignore[reportArgumentType] - refused


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="forwards"):
        Clock().advance(timedelta(seconds=-1))
