"""What rules say of documents that were counted and not read: only what more reading cannot retract."""

from datetime import timedelta

import pytest

from checks.judge.report import Report, judge
from checks.judge.rules import RULES
from checks.judge.verdict import Verdict

from support.snapshots import FRESH, document, pipeline, told, walked

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST = document("A_None_1", 3 * DAY, created=3 * DAY)


def summaries(report: Report, rule: str) -> list[str]:
    return [finding.summary for finding in report.findings if finding.rule == rule]


@pytest.mark.parametrize(("then", "grows"), [(30, False), (29, True), (31, False), (None, False)])
def test_more_documents_than_55_minutes_ago_are_regrowth(then: int | None, *, grows: bool) -> None:
    report = judge(walked([(FIRST, 30, then)], [document("A_None_2", created=DAY)]))

    assert bool(summaries(report, "regrowth")) == grows
    assert report.growth is not None
    assert report.growth.malformed_last_hour is None
    assert report.growth.malformed_growth == (None if then is None else 30 - then)


def test_growth_is_told_as_the_least_that_it_can_be() -> None:
    report = judge(walked([(FIRST, 30, 18)], [document("A_None_2", created=DAY)]))

    assert summaries(report, "regrowth") == ["at least 12 malformed documents created in the last hour: it grows"]


def test_a_document_of_this_hour_is_regrowth_although_more_went_than_came() -> None:
    report = judge(walked([(FIRST, 30, 500)], [document("A_None_2", created=FRESH)]))

    assert summaries(report, "regrowth") == ["at least 1 malformed document created in the last hour: it grows"]


def test_a_canonical_heartbeat_newer_than_all_that_was_not_read_is_the_newest() -> None:
    report = judge(walked([(FIRST, 30, 30)], read=[document("A", FRESH)], reach=HOUR))

    assert {rule for rule, _, _ in told(report)} == {"malformed-ids"}


@pytest.mark.parametrize(
    ("reach", "verdict", "rule"),
    [
        (timedelta(minutes=10), Verdict.UNKNOWN, "unreadable-evidence"),
        (timedelta(hours=2), Verdict.UNKNOWN, "unreadable-evidence"),
        (timedelta(hours=2, microseconds=1), Verdict.P2, "stale-heartbeats"),
        (timedelta(hours=24, microseconds=1), Verdict.P1, "stale-heartbeats"),
    ],
    ids=["all newer read", "the limit", "late", "down"],
)
def test_a_processor_out_of_reach_is_as_late_as_is_proved_and_else_unseen(
    reach: timedelta, verdict: Verdict, rule: str
) -> None:
    report = judge(walked([(FIRST, 30, 30)], reach=reach))

    assert report.verdict is verdict
    assert report.findings[0].rule == rule
    assert (report.score is None) == (verdict is Verdict.UNKNOWN)


def test_a_stale_processor_out_of_reach_is_told_without_a_document() -> None:
    (finding,) = [
        each
        for each in judge(walked([(FIRST, 30, 30)], reach=2 * DAY), RULES).findings
        if each.rule == "stale-heartbeats"
    ]

    assert finding.summary == "down: more than 2d since its newest heartbeat, above 1d"
    assert [(fact.subject, fact.detail) for fact in finding.evidence] == [("A", "no heartbeat for more than 2d")]


def test_a_silent_channel_is_told_by_the_least_age() -> None:
    ranges = [(document(f"{name}_None_1", 9 * DAY, created=9 * DAY), 9, 9) for name in "ABC"]

    report = judge(walked(ranges, reach=2 * DAY))

    assert "the last of them more than 2d ago" in summaries(report, "heartbeat-channel-down")[0]


def test_nothing_is_said_of_ids_that_do_not_parse_where_they_were_counted() -> None:
    report = judge(walked([(FIRST, 30, 30)], [document("A_None_2", created=DAY)]))

    assert summaries(report, "malformed-ids") == ["30 malformed ids of 1 processor"]


def test_what_a_walk_leaves_out_is_not_checked_and_said() -> None:
    settings = pipeline(["A"])

    report = judge(walked([(FIRST, 30, 30)], read=[document("A")], settings=settings))

    assert [each.what for each in report.not_checked if each.what == "unparsable-heartbeats"]
    assert report.census is not None
    assert report.census.method == "ranges"
    assert report.census.by_processor["A"].created_last_hour is None
