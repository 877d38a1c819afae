from datetime import timedelta

import pytest

from support.snapshots import document, judged, pipeline, told

MINUTE, MICRO, HOUR = timedelta(minutes=1), timedelta(microseconds=1), timedelta(hours=1)


@pytest.mark.parametrize(("ahead", "found"), [(MINUTE, False), (MINUTE + MICRO, True)], ids=["skew", "future"])
def test_a_heartbeat_from_the_future_is_found_beyond_a_minute_of_skew(ahead: timedelta, *, found: bool) -> None:
    assert told(judged([document("Eager", -ahead)])) == ([("future-heartbeats", "P2", "Eager")] if found else [])


def test_a_future_heartbeat_does_not_keep_a_dead_processor_alive() -> None:
    documents = [document("Dead", timedelta(days=5)), document("Dead_None_00c0ffee", timedelta(hours=-3))]

    rules = {(rule, severity) for rule, severity, _ in told(judged(documents, pipeline(["Dead"])))}

    assert rules == {("stale-heartbeats", "P1"), ("future-heartbeats", "P2"), ("malformed-ids", "P2")}


def test_a_future_heartbeat_is_told_what_its_offset_looks_like() -> None:
    report = judged([document("Eager", -5 * HOUR, updated=30 * MINUTE)])

    assert "looks like local time at UTC+05:30 written as UTC" in report.findings[0].summary


STORED = {
    "at the limit": (2 * HOUR, None),
    "late": (2 * HOUR + MICRO, "P2"),
    "at the other limit": (24 * HOUR, "P2"),
    "down": (24 * HOUR + MICRO, "P1"),
}


@pytest.mark.parametrize(("stored", "severity"), STORED.values(), ids=STORED)
@pytest.mark.parametrize("age", [timedelta(days=-365), None], ids=["a year ahead", "a text"])
def test_a_processor_behind_such_a_heartbeat_is_late_then_down(
    age: timedelta | None, stored: timedelta, severity: str | None
) -> None:
    report = judged([document("Dead", age, updated=stored)], pipeline(["Dead"]))

    assert [found for rule, found, _ in told(report) if rule == "stale-heartbeats"] == ([severity] if severity else [])


@pytest.mark.parametrize("age", [timedelta(days=-365), None], ids=["a year ahead", "a text"])
def test_many_processors_behind_such_heartbeats_fell_silent_together(age: timedelta | None) -> None:
    names = [f"P{n}" for n in range(4)]

    report = judged([document(name, age, updated=25 * HOUR) for name in names], pipeline(names))

    assert ("heartbeat-channel-down", "P1", "processor_heartbeats") in told(report)


def test_a_document_that_was_stored_lately_speaks_for_others_of_its_processor() -> None:
    documents = [document("Odd", None, updated=25 * HOUR), document("Odd_None_00c0ffee", timedelta(days=-365))]

    assert "stale-heartbeats" not in {rule for rule, _, _ in told(judged(documents, pipeline(["Odd"])))}
