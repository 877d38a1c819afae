from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.judge.clocks import explanation
from checks.judge.finding import Severity
from checks.judge.report import judge
from checks.settings.pipeline import Pipeline
from checks.sources.firestore.tally import HeartbeatDocument

from support.deployed import logs, run
from support.snapshots import LONG_AGO, NOW, document, judged, only, pipeline, snapshot, told

MICRO, SECOND, MINUTE, HOUR = (timedelta(**{unit: 1}) for unit in ("microseconds", "seconds", "minutes", "hours"))
LATELY = timedelta(minutes=2)
PACIFIC = {"timezone": "America/Los_Angeles"}


def beats(doc: str, behind: timedelta, *, stored: timedelta = LATELY, first: bool = False) -> HeartbeatDocument:
    """A document that was stored a while ago with a heartbeat that was behind by then."""
    return document(doc, stored + behind, updated=stored, created=stored if first else LONG_AGO)


def of(*names: str, timezone: str = "UTC", **limits: str) -> Pipeline:
    processors = [{"name": name, **limits} for name in names]
    settings = {"name": "nba", "project": "demo-nba", "timezone": timezone}
    return Pipeline.model_validate({"pipeline": settings, "heartbeats": {"processors": processors}})


def rules(documents: list[HeartbeatDocument], settings: Pipeline) -> list[tuple[str, str]]:
    return [(rule, severity) for rule, severity, _ in told(judged(documents, settings))]


def test_a_processor_whose_heartbeats_are_eight_hours_behind_has_a_wrong_clock_and_is_not_silent() -> None:
    finding = only(snapshot([beats("Active", 8 * HOUR)], of("Active", **PACIFIC)), "wrong-clock")

    assert (finding.severity, finding.subject) == (Severity.P2, "Active")
    assert "its own time is 8h behind" in finding.summary
    assert "looks like local time of America/Los_Angeles written as UTC" in finding.summary
    assert not any(word in finding.model_dump_json() for word in ("stopped", "silent", "channel"))


def test_many_with_a_wrong_clock_are_one_finding_and_no_broken_channel() -> None:
    documents = [beats(f"P{n}", 8 * HOUR, stored=n * SECOND) for n in range(1, 11)]

    finding = only(snapshot(documents, of(*(f"P{n}" for n in range(1, 11)), **PACIFIC)), "wrong-clock")

    assert (finding.severity, finding.subject, finding.count) == (Severity.P2, "processor_heartbeats", 10)
    assert "10 processors beat with a wrong clock or time zone" in finding.summary


def test_runs_beside_a_wrong_clock_are_no_broken_telemetry_path() -> None:
    taken = snapshot([beats("Active", 8 * HOUR)], of("Active", **PACIFIC))
    heard = logs(run("Active", LATELY))

    report = judge(taken.model_copy(update={"logs": heard}))

    assert [finding.rule for finding in report.findings] == ["wrong-clock"]


THERE = of("Active", **PACIFIC)
BEHIND: dict[str, tuple[HeartbeatDocument, Pipeline, str]] = {
    "the pipeline's zone, stored for the first time": (beats("Active", 8 * HOUR, first=True), THERE, "wrong-clock"),
    "the pipeline's zone, down by its own limit": (
        beats("Active", 8 * HOUR), of("Active", timezone="America/Los_Angeles", down_after="3h"), "wrong-clock"
    ),
    "another zone": (beats("Active", 5 * HOUR, stored=100 * MINUTE), of("Active"), "wrong-clock"),
    "another zone, stored for the first time": (beats("Active", 5 * HOUR, first=True), THERE, "stale-heartbeats"),
    "another zone, down by its own limit": (
        beats("Active", 5 * HOUR), of("Active", down_after="3h"), "stale-heartbeats"
    ),
    "no zone, stored minutes ago": (beats("Active", 190 * MINUTE, stored=15 * MINUTE), THERE, "wrong-clock"),
    "no zone, stored a while ago": (
        beats("Active", 190 * MINUTE, stored=15 * MINUTE + MICRO), THERE, "stale-heartbeats"
    ),
    "a slow write": (
        beats("Active", 15 * MINUTE - MICRO, stored=119 * MINUTE), THERE, "stale-heartbeats"
    ),
    "exactly 14 hours": (beats("Active", 14 * HOUR), THERE, "wrong-clock"),
    "more than any zone": (beats("Active", 14 * HOUR + MICRO), THERE, "stale-heartbeats"),
    "not stored within the limit": (beats("Active", 8 * HOUR, stored=2 * HOUR + MICRO), THERE, "stale-heartbeats"),
    "stored at the limit": (beats("Active", 8 * HOUR, stored=2 * HOUR), THERE, "wrong-clock"),
}  # fmt: skip


@pytest.mark.parametrize("name", BEHIND)
def test_which_document_proves_that_a_clock_is_behind(name: str) -> None:
    behind, settings, rule = BEHIND[name]

    assert [found for found, _ in rules([behind], settings)] == [rule]


def test_a_lag_beyond_any_zone_is_down_as_before() -> None:
    assert rules([beats("Active", 25 * HOUR)], of("Active", **PACIFIC)) == [("stale-heartbeats", "P1")]


def test_a_wrong_clock_that_nobody_stored_for_a_day_is_down() -> None:
    documents = [beats("Active", 8 * HOUR, stored=24 * HOUR + MICRO)]

    assert rules(documents, of("Active", **PACIFIC)) == [("stale-heartbeats", "P1")]


def test_documents_that_were_stored_together_say_nothing_of_a_clock() -> None:
    documents = [beats(f"P{n}", 3 * HOUR) for n in range(2)]

    assert rules(documents, of("P0", "P1")) == [("stale-heartbeats", "P2")] * 2


def test_a_document_that_was_stored_with_others_of_its_processor_says_nothing_of_a_clock() -> None:
    documents = [beats("Active", 3 * HOUR), beats("Active_None_00c0ffee", 4 * HOUR)]

    assert ("stale-heartbeats", "P2") in rules(documents, of("Active"))


def test_a_processor_that_is_truly_late_is_late() -> None:
    report = judged([document("Active", 3 * HOUR)], of("Active", **PACIFIC))

    assert told(report) == [("stale-heartbeats", "P2", "Active")]
    assert "zone" not in report.model_dump_json(include={"findings"})


def test_a_heartbeat_within_its_limit_is_fresh_whatever_its_offset() -> None:
    assert rules([beats("Active", 90 * MINUTE)], of("Active")) == []


def running(behind: timedelta, *, stored: timedelta, started: timedelta) -> HeartbeatDocument:
    found = beats("Active", behind, stored=stored)
    return found._replace(status="running", started=(found.beat or 0) - started // MICRO)


def test_a_run_whose_clock_is_behind_by_less_than_its_limit_did_not_die() -> None:
    assert rules([running(HOUR, stored=SECOND, started=HOUR)], of("Active")) == []
    assert rules([running(8 * HOUR, stored=SECOND, started=HOUR)], of("Active", late_after="12h", **PACIFIC)) == []


def test_a_run_that_died_stays_dead_though_something_else_stored_its_document() -> None:
    assert rules([running(38 * MINUTE, stored=MINUTE, started=HOUR)], of("Active")) == [("dead-run", "P1")]


def test_a_run_by_a_wrong_clock_that_nobody_stores_any_more_died() -> None:
    found = rules([running(8 * HOUR, stored=16 * MINUTE, started=HOUR)], of("Active", **PACIFIC))

    assert ("dead-run", "P1") in found


def test_a_document_that_bears_the_time_of_its_runs_start_says_nothing_of_a_clock() -> None:
    still = running(190 * MINUTE, stored=SECOND, started=timedelta())

    assert rules([still], of("Active")) == [("stale-heartbeats", "P2")]
    assert rules([running(8 * HOUR, stored=SECOND, started=timedelta())], THERE) == [("wrong-clock", "P2")]


def test_a_clock_that_is_ahead_keeps_no_dead_processor_fresh() -> None:
    documents = [document("Active", HOUR, updated=10 * HOUR)]

    assert rules(documents, of("Active", timezone="Asia/Tokyo")) == [("stale-heartbeats", "P2")]
    assert rules([document("Active", HOUR, updated=25 * HOUR)], of("Active")) == [("stale-heartbeats", "P1")]


def test_a_clock_that_is_ahead_is_named_while_the_processor_beats() -> None:
    finding = only(snapshot([document("Active", 30 * MINUTE, updated=90 * MINUTE)], of("Active")), "wrong-clock")

    assert "its own time is 1h ahead" in finding.summary
    assert "UTC+01:00" in finding.summary


def test_a_quiet_window_excuses_the_clock_of_its_processor_alone() -> None:
    names = [f"P{n}" for n in range(5)]
    told_of = of(*names, **PACIFIC).model_dump()
    window = {"processors": ["P0"], "from": NOW - HOUR, "until": NOW + HOUR, "reason": "off day"}
    settings = Pipeline.model_validate(told_of | {"quiet": [window]})

    report = judged([beats(name, 8 * HOUR, stored=n * SECOND) for n, name in enumerate(names, 1)], settings)

    assert [finding.count for finding in report.findings] == [4]
    assert [each.finding.subject for each in report.quiet] == ["P0"]


ZONES = {
    "winter": (-8 * HOUR, "America/Los_Angeles", datetime(2026, 1, 5, tzinfo=UTC), "local time of America/Los_Angeles"),
    "summer": (-7 * HOUR, "America/Los_Angeles", datetime(2026, 7, 5, tzinfo=UTC), "local time of America/Los_Angeles"),
    "winter time in summer": (-8 * HOUR, "America/Los_Angeles", datetime(2026, 7, 5, tzinfo=UTC), "UTC-08:00"),
    "the other way round": (8 * HOUR, "America/Los_Angeles", datetime(2026, 1, 5, tzinfo=UTC), "UTC taken for local"),
    "half an hour": (5.5 * HOUR, "UTC", datetime(2026, 1, 5, tzinfo=UTC), "UTC+05:30"),
    "a quarter": (5.75 * HOUR, "Asia/Kathmandu", datetime(2026, 1, 5, tzinfo=UTC), "local time of Asia/Kathmandu"),
    "a slow write": (-8 * HOUR - 90 * SECOND, "UTC", datetime(2026, 1, 5, tzinfo=UTC), "UTC-08:00"),
    "no zone": (-8 * HOUR - 91 * SECOND, "UTC", datetime(2026, 1, 5, tzinfo=UTC), None),
    "beyond all zones": (15 * HOUR, "UTC", datetime(2026, 1, 5, tzinfo=UTC), None),
}  # fmt: skip


@pytest.mark.parametrize("name", ZONES)
def test_what_an_offset_looks_like(name: str) -> None:
    offset, timezone, at, said = ZONES[name]
    found = explanation(offset, timezone, at)

    assert found is None if said is None else said in (found or "")


@given(st.integers(0, 48 * 60), st.integers(0, 48 * 60), st.integers(0, 48 * 60), st.booleans())
def test_a_longer_time_without_any_write_never_looks_better(behind: int, stored: int, more: int, first: bool) -> None:  # noqa: FBT001
    def rank(stored: int) -> int:
        settings = of("Active", timezone="America/Los_Angeles")
        found = judged([beats("Active", behind * MINUTE, stored=stored * MINUTE, first=first)], settings).findings
        return min((finding.severity.rank for finding in found), default=Severity.P2.rank + 1)

    assert rank(stored + more) <= rank(stored)


def test_a_pipeline_without_registered_processors_is_judged_as_well() -> None:
    assert [rule for rule, *_ in told(judged([beats("Stranger", 8 * HOUR)], pipeline()))] == ["wrong-clock"]
