from datetime import timedelta

import pytest

from support.snapshots import document, judged, pipeline, told

MINUTE, MICRO = timedelta(minutes=1), timedelta(microseconds=1)


@pytest.mark.parametrize(("ahead", "found"), [(MINUTE, False), (MINUTE + MICRO, True)], ids=["skew", "future"])
def test_a_heartbeat_from_the_future_is_found_beyond_a_minute_of_skew(ahead: timedelta, *, found: bool) -> None:
    assert told(judged([document("Eager", -ahead)])) == ([("future-heartbeats", "P2", "Eager")] if found else [])


def test_a_future_heartbeat_does_not_keep_a_dead_processor_alive() -> None:
    documents = [document("Dead", timedelta(days=5)), document("Dead_None_00c0ffee", timedelta(hours=-3))]

    rules = {(rule, severity) for rule, severity, _ in told(judged(documents, pipeline(["Dead"])))}

    assert rules == {("stale-heartbeats", "P1"), ("future-heartbeats", "P2"), ("malformed-ids", "P2")}
