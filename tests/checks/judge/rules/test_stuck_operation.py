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
