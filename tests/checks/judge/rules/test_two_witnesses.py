from datetime import timedelta

import pytest

from checks import judge
from checks.evidence.logs import Run
from checks.judge.finding import Finding

from support.deployed import logs, run, seen, service, settings
from support.snapshots import document, told, walked

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STALE, FRESH = 5 * DAY, timedelta(minutes=5)


def findings(heartbeat: timedelta | None, *runs: Run, **how: bool | timedelta) -> list[Finding]:
    documents = [document("Other")] + ([document("Active", heartbeat)] if heartbeat is not None else [])
    pipeline = settings([{"name": "Active", "service": "phase2"}, "Other"])
    witnessed = logs(run("Other"), *runs, **how)  # pyright: ignore[reportArgumentType] - two keywords, each of its type

    return list(judge(seen(service(), documents=documents, told=witnessed, pipeline=pipeline)).findings)


def test_fresh_heartbeat_and_fresh_run_is_healthy() -> None:
    assert findings(FRESH, run()) == []


@pytest.mark.parametrize("heartbeat", [STALE, None], ids=["stale", "missing"])
def test_a_silent_heartbeat_beside_fresh_runs_is_a_broken_path_and_a_pipeline_that_is_fine(
    heartbeat: timedelta | None,
) -> None:
    root, carried = findings(heartbeat, run())

    assert (root.rule, root.severity, root.subject) == ("two-witnesses", "P1", "Active")
    assert root.summary.startswith("telemetry path broken, pipeline fine")
    assert "phase2" in root.next_step
    assert carried.cause == root.key
    assert carried.points == 0


def test_a_late_heartbeat_beside_fresh_runs_is_p2() -> None:
    assert findings(3 * HOUR, run())[0].severity == "P2"


def test_a_silent_heartbeat_without_runs_is_a_stopped_processor() -> None:
    root, carried = findings(STALE)

    assert (root.severity, root.subject) == ("P1", "Active")
    assert root.summary.startswith("the processor stopped")
    assert carried.rule == "stale-heartbeats"


def test_a_fresh_heartbeat_without_runs_is_a_lying_witness() -> None:
    (finding,) = findings(FRESH)

    assert (finding.severity, finding.subject) == ("P2", "Active")
    assert finding.summary.startswith("one witness lies")


def test_a_search_that_was_cut_short_proves_no_absence_of_runs() -> None:
    assert [finding.rule for finding in findings(STALE, complete=False)] == ["stale-heartbeats"]
    assert findings(FRESH, complete=False) == []


def test_a_window_shorter_than_the_limit_proves_no_absence_of_runs() -> None:
    assert findings(FRESH, window=12 * HOUR) == []


@pytest.mark.parametrize(("later", "broken"), [(2 * HOUR + timedelta(microseconds=1), True), (2 * HOUR, False)])
def test_only_runs_later_than_the_last_heartbeat_by_more_than_its_limit_break_the_path(
    later: timedelta, *, broken: bool
) -> None:
    summary = findings(STALE, run(ago=STALE - later), window=10 * DAY)[0].summary

    assert summary.startswith("telemetry path broken" if broken else "the processor stopped")


def test_a_processor_that_stopped_a_few_hours_ago_is_p2() -> None:
    root = findings(3 * HOUR, run(ago=4 * HOUR))[0]

    assert (root.severity, root.summary) == ("P2", "the processor stopped: heartbeats and runs fell silent together")


def test_no_run_line_of_anybody_beside_fresh_heartbeats_accuses_nobody() -> None:
    report = judge(seen(service(), told=logs()))

    assert told(report) == []
    assert [each.what for each in report.not_checked] == ["two-witnesses", "code probes"]
    assert "holds the run_marker 'Processor run completed: '" in report.not_checked[0].reason


def test_a_whole_pipeline_without_heartbeats_and_runs_is_one_finding() -> None:
    names = [f"Processor{number}" for number in range(5)]
    documents = [document(name, STALE) for name in names]

    report = judge(seen(service(), documents=documents, told=logs(), pipeline=settings(names)))

    assert told(report) == [
        ("two-witnesses", "P1", "processor_heartbeats"),
        ("heartbeat-channel-down", "P1", "processor_heartbeats"),
    ]
    assert report.findings[0].summary.startswith("the whole pipeline stopped")
    assert report.findings[1].cause == report.findings[0].key


@pytest.mark.parametrize(("reach", "last", "told"), [
    (3 * HOUR, 2.5 * HOUR, None),
    (3 * HOUR, 23 * HOUR, None),
    (5 * HOUR, 2.5 * HOUR, "telemetry path broken"),
    (None, 23 * HOUR, "the processor stopped"),
])  # fmt: skip
def test_a_heartbeat_that_is_only_known_to_be_older_than_something_proves_no_stop(
    reach: timedelta | None, last: timedelta, told: str | None
) -> None:
    """With all of it read, the heartbeat is a day old; runs that are later than the reach are later than the beat."""
    old = document("Active_2026-01-31_ab12cd", DAY)
    pipeline = settings([{"name": "Active", "service": "phase2"}, "Other"])
    found = walked([(old, 3_600, 3_600)], [] if reach else [old], pipeline, read=[document("Other")], reach=reach)
    whole = seen(service(), told=logs(run("Other"), run("Active", last)), pipeline=pipeline)
    taken = whole.model_copy(update={"census": found.census})

    said = [each.summary for each in judge(taken).findings if each.rule == "two-witnesses"]

    assert [each.partition(",")[0].partition(":")[0] for each in said] == ([told] if told else [])
