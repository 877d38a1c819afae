from datetime import timedelta

import pytest

from checks.judge.comparison import compare

from support.snapshots import document, judged, pipeline

STALE = timedelta(days=5)
REGISTERED = pipeline(["Active", "Other", "Third", "Fourth"])
FRESH = [document(name) for name in ("Other", "Third", "Fourth")]


def test_what_is_new_gone_and_worse_is_told_by_rule_and_subject() -> None:
    before = judged([document("Active", timedelta(hours=3)), *FRESH[1:]], REGISTERED)
    now = judged([document("Active", STALE), *FRESH, document("Odd", None)], REGISTERED)

    since = compare(before, now)

    assert since.new == ("unparsable-heartbeats: Odd",)
    assert since.worse == ("stale-heartbeats: Active",)
    assert since.gone == ("missing-heartbeats: Other",)
    assert [(each.name, each.before, each.now) for each in since.moved] == [("documents", 3, 5), ("canonical", 3, 5)]


def test_a_finding_that_could_not_be_looked_for_again_is_unseen_and_not_gone() -> None:
    before = judged([document("Active", STALE), *FRESH], REGISTERED)

    since = compare(before, judged(FRESH, REGISTERED, listed=False))

    assert since.gone == ()
    assert since.unseen == ("stale-heartbeats: Active",)


def test_nothing_changed_is_an_empty_comparison() -> None:
    report = judged([document("Active"), *FRESH], REGISTERED)

    since = compare(report, report)

    assert (since.new, since.worse, since.better, since.gone, since.unseen, since.moved) == ((), (), (), (), (), ())


def test_reports_of_different_pipelines_are_not_compared() -> None:
    report = judged(FRESH, REGISTERED)

    with pytest.raises(ValueError, match="it is about 'other'"):
        compare(report.model_copy(update={"pipeline": "other"}), report)
    with pytest.raises(ValueError, match="practice"):
        compare(report.model_copy(update={"practice": False}), report)


def test_a_finding_that_a_cut_list_may_have_left_out_is_unseen_and_not_gone() -> None:
    before = judged([document("Active", STALE), *FRESH], REGISTERED)
    now = judged([document("Active"), *FRESH], REGISTERED).model_copy(update={"truncated": True})

    since = compare(before, now)

    assert (since.gone, since.unseen) == ((), ("stale-heartbeats: Active",))
