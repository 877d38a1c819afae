from datetime import datetime, timedelta
from typing import Any

import pytest

from checks.evidence.logs import Operation
from checks.judge.comparison import compare
from checks.judge.report import Report, judge
from checks.judge.rules import rules_of
from checks.settings.excuses import Accepted
from checks.settings.pipeline import Pipeline

from support.deployed import OLD, logs, operation, revision, seen, service
from support.snapshots import NOW, document, judged, pipeline, run_document, walked

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


def hanging(*operations: Operation) -> Report:
    return judge(seen(service(), told=logs(operations=operations)))


def test_a_hang_that_ended_is_gone_and_another_of_the_same_service_is_new() -> None:
    first = operation(timedelta(minutes=50))
    other = operation(timedelta(minutes=40)).model_copy(update={"name": "Training the model"})

    since = compare(hanging(first), hanging(other))

    assert (since.new, since.gone) == (("stuck-operation: coordinator",), ("stuck-operation: coordinator",))
    assert compare(hanging(first), hanging(first, other)).new == ("stuck-operation: coordinator",)
    assert compare(hanging(first), hanging(first, other)).gone == ()


def test_another_fault_under_the_same_key_has_changed() -> None:
    pinned = judge(seen(service((1, 100), pinned=True)))
    failed = judge(
        seen(service((1, 100), created=3, state="failed", revisions=[revision(1, OLD), revision(3)], pinned=True))
    )

    since = compare(pinned, failed)

    assert "revision-not-serving: phase2" in since.changed
    assert "revision-not-serving: phase2" not in (*since.new, *since.gone)


def accepting(until: datetime) -> Pipeline:
    entry = {"rule": "stale-heartbeats", "subject": "Active", "reason": "known", "by": "ana", "severity": "P1"}
    accepted = Accepted.model_validate(entry | {"until": until})
    return REGISTERED.model_copy(update={"accepted": (accepted,)})


def test_an_acceptance_that_ended_and_one_that_began_are_told() -> None:
    docs = [document("Active", STALE), *FRESH]
    accepted, ended = (judged(docs, accepting(NOW + timedelta(days=days))) for days in (1, -1))

    assert (accepted.exit_code, ended.exit_code) == (0, 1)
    assert compare(accepted, ended).reopened == ("stale-heartbeats: Active",)
    assert compare(ended, accepted).excused == ("stale-heartbeats: Active",)


def test_a_source_that_came_back_is_told() -> None:
    blind, seeing = (judged([document("Active"), *FRESH], REGISTERED, listed=listed) for listed in (False, True))

    assert compare(blind, seeing).seen_again == ("firestore",)
    assert compare(seeing, blind).seen_again == ()


def test_a_processor_whose_heartbeats_are_out_of_reach_now_is_unseen_and_not_gone() -> None:
    known = pipeline(["Active", "Other"])
    ids = [f"Active_None_{n:08x}" for n in range(2)]
    late = timedelta(hours=20)
    before = judge(walked([], [document(ids[0], late), document("Other")], known, read=[document(ids[0], late)]))
    now = judge(walked([(document(ids[0], late), 3_600, 3_600)], [document("Other")], known, reach=timedelta(hours=1)))

    since = compare(before, now)

    assert "stale-heartbeats: Active" in {each.key for each in before.findings}
    assert "stale-heartbeats: Active" in since.unseen
    assert "stale-heartbeats: Active" not in since.gone


def test_a_processor_that_the_channel_speaks_for_now_is_not_gone() -> None:
    docs = [document("Active", STALE), *FRESH]
    now = judged([document(name, STALE) for name in ("Active", "Other", "Third", "Fourth")], REGISTERED)

    since = compare(judged(docs, REGISTERED), now)

    assert (since.changed, since.gone) == (("stale-heartbeats: Active",), ())
    assert since.new == ("heartbeat-channel-down: processor_heartbeats",)


def test_a_processor_that_beats_again_is_gone() -> None:
    since = compare(
        judged([document("Active", STALE), *FRESH], REGISTERED), judged([document("Active"), *FRESH], REGISTERED)
    )

    assert (since.gone, since.unseen, since.changed) == (("stale-heartbeats: Active",), (), ())


def test_a_run_that_died_is_gone_where_another_run_has_died_since() -> None:
    runs = [run_document("Active", silent=timedelta(minutes=40), run_id=run_id) for run_id in ("r1", "r2")]

    since = compare(*(judged([each, *FRESH], REGISTERED) for each in runs))

    assert (since.new, since.gone, since.changed) == (("dead-run: Active",), ("dead-run: Active",), ())


def test_clocks_that_were_told_together_and_are_told_apart_are_not_gone() -> None:
    lagging = [
        document(name, timedelta(hours=8, minutes=2), updated=timedelta(minutes=2, seconds=number))
        for number, name in enumerate(("Active", "Other", "Third"))
    ]

    since = compare(judged([*lagging, FRESH[2]], REGISTERED), judged([*lagging[:2], *FRESH[1:]], REGISTERED))

    assert (since.gone, since.changed) == ((), ("wrong-clock: processor_heartbeats",))


def test_a_report_without_fingerprints_is_compared_by_rule_and_subject() -> None:
    report = judge(seen(service((1, 100), pinned=True)))
    body: dict[str, Any] = report.model_dump(mode="json", by_alias=True) | {"schema": "validate-daily/report/1"}
    for finding in body["findings"]:
        del finding["fingerprint"]
    first = Report.model_validate(body)

    since = compare(first, report)

    assert (since.new, since.gone, since.changed, since.moved) == ((), (), (), ())


def test_reports_of_different_projects_are_not_compared() -> None:
    report = judged(FRESH, REGISTERED)
    target = report.targets[0].model_copy(update={"resource": "projects/other"})
    assert report.census is not None
    census = report.census.model_copy(update={"collection": "projects/other/databases/(default)/documents/beats"})

    with pytest.raises(ValueError, match="it is about project other, not demo-nba"):
        compare(report.model_copy(update={"targets": (target,), "census": census}), report)


def test_a_finding_that_the_other_rules_did_not_look_for_is_unseen() -> None:
    before = judge(seen(service((1, 100), pinned=True)))
    now = judge(seen(service((1, 100), pinned=True)), rules_of("0.2"))

    since = compare(before, now)

    assert since.gone == ()
    assert "revision-not-serving: phase2" in since.unseen
