from datetime import timedelta

import pytest

from checks import judge

from support.deployed import logs, operation, run, seen, service, tag
from support.snapshots import told

MICRO, MINUTE = timedelta(microseconds=1), timedelta(minutes=1)


@pytest.mark.parametrize(("started", "stuck"), [(30 * MINUTE, False), (30 * MINUTE + MICRO, True)])
def test_an_operation_without_end_is_stuck_exactly_after_its_limit(started: timedelta, *, stuck: bool) -> None:
    report = judge(seen(service(), tags=[tag()], told=logs(run(), operations=[operation(started)])))

    assert told(report) == ([("stuck-operation", "P1", "coordinator")] if stuck else [])


@pytest.mark.parametrize("how", [{"ended": True}, {"complete": False}], ids=["ended", "the search was cut short"])
def test_an_operation_that_ended_or_may_have_is_not_stuck(how: dict[str, bool]) -> None:
    told_of = operation(50 * MINUTE, ended=how.get("ended", False))
    witnessed = logs(run(), operations=[told_of], complete=how.get("complete", True))

    assert told(judge(seen(service(), tags=[tag()], told=witnessed))) == []


def test_an_operation_that_was_tried_again_and_ended_is_over() -> None:
    witnessed = logs(run(), operations=[operation(5 * MINUTE * 60), operation(4 * MINUTE * 60, ended=True)])

    assert told(judge(seen(service(), tags=[tag()], told=witnessed))) == []


def test_an_operation_of_the_same_name_that_ended_in_another_service_ends_nothing() -> None:
    elsewhere = operation(4 * MINUTE * 60, ended=True).model_copy(update={"source": "worker"})
    witnessed = logs(run(), operations=[operation(5 * MINUTE * 60), elsewhere])

    report = judge(seen(service(), tags=[tag()], told=witnessed))

    assert told(report) == [("stuck-operation", "P1", "coordinator")]


def test_an_operation_that_gave_a_sign_after_a_later_one_began_goes_on() -> None:
    witnessed = logs(run(), operations=[operation(120 * MINUTE, sign=5 * MINUTE), operation(100 * MINUTE, ended=True)])

    assert told(judge(seen(service(), tags=[tag()], told=witnessed))) == [("stuck-operation", "P1", "coordinator")]


def test_operations_that_start_together_are_no_retries_of_each_other() -> None:
    witnessed = logs(run(), operations=[operation(60 * MINUTE), operation(60 * MINUTE - MICRO, ended=True)])

    assert told(judge(seen(service(), tags=[tag()], told=witnessed))) == [("stuck-operation", "P1", "coordinator")]


def test_a_name_that_never_ends_is_one_finding_with_its_count_the_newest_first() -> None:
    every = [operation(number * 5 * MINUTE) for number in range(1, 287)]

    (finding,) = judge(seen(service(), tags=[tag()], told=logs(run(), operations=every))).findings

    assert (finding.severity, finding.count) == ("P1", 286)
    assert "286 of 286" in finding.summary
    assert len(finding.evidence) < 10


def test_a_later_attempt_at_the_same_task_is_a_restart() -> None:
    first = operation(50 * MINUTE).model_copy(update={"task": 3, "attempt": 0})
    again = operation(10 * MINUTE).model_copy(update={"task": 3, "attempt": 1})
    other = operation(10 * MINUTE).model_copy(update={"task": 4, "attempt": 1})

    assert told(judge(seen(service(), tags=[tag()], told=logs(run(), operations=[first, again])))) == []
    report = judge(seen(service(), tags=[tag()], told=logs(run(), operations=[first, other])))
    assert told(report) == [("stuck-operation", "P1", "coordinator")]


def test_what_hangs_in_the_part_that_was_searched_is_told_although_the_search_was_cut_short() -> None:
    cut = logs(run(), operations=[operation(50 * MINUTE)], complete=False)
    searched = cut.model_copy(update={"operations_since": cut.until - 60 * MINUTE})

    assert told(judge(seen(service(), tags=[tag()], told=searched))) == [("stuck-operation", "P1", "coordinator")]
