from datetime import timedelta

import pytest

from support.snapshots import document, judged, pipeline, told

FIVE_DAYS, THREE_HOURS = timedelta(days=5), timedelta(hours=3)


def test_many_processors_that_fell_silent_together_are_one_root_finding() -> None:
    names = [f"Processor{number}" for number in range(12)]

    report = judged([document(name, FIVE_DAYS) for name in names], pipeline(names))

    assert told(report) == [("heartbeat-channel-down", "P1", "processor_heartbeats")]
    assert [fact.subject for fact in report.findings[0].evidence] == [*names[:10], "2 more"]


@pytest.mark.parametrize(
    ("stale", "fresh", "is_channel"),
    [(2, 0, False), (3, 0, True), (3, 3, True), (3, 4, False), (4, 4, True), (4, 5, False)],
)
def test_the_channel_is_blamed_for_at_least_three_and_at_least_half(
    stale: int, fresh: int, *, is_channel: bool
) -> None:
    documents = [document(f"Silent{n}", FIVE_DAYS) for n in range(stale)] + [document(f"Up{n}") for n in range(fresh)]

    rules = {rule for rule, _, _ in told(judged(documents))}

    assert rules == ({"heartbeat-channel-down"} if is_channel else {"stale-heartbeats"})


def test_a_channel_is_as_bad_as_its_worst_processor_and_names_that_first() -> None:
    late = [document(f"Late{n:02}", THREE_HOURS) for n in range(12)]

    report = judged([*late, document("Down", FIVE_DAYS)])

    assert told(report) == [("heartbeat-channel-down", "P1", "processor_heartbeats")]
    facts = report.findings[0].evidence
    assert [fact.subject for fact in facts] == ["Down", *(f"Late{n:02}" for n in range(9)), "3 more"]
    assert facts[-1].detail == "silent as well: 3 late"


def test_a_channel_on_which_all_are_only_late_is_p2() -> None:
    report = judged([document(f"Late{n}", THREE_HOURS) for n in range(5)])

    assert told(report) == [("heartbeat-channel-down", "P2", "processor_heartbeats")]


def test_silent_strangers_do_not_bring_the_channel_down() -> None:
    documents = [document("Active"), *(document(f"Stranger{n}", FIVE_DAYS) for n in range(9))]

    assert told(judged(documents, pipeline(["Active"]))) == [("stale-heartbeats", "P2", "processor_heartbeats")]
