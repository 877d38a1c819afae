from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.judge.finding import Severity
from checks.judge.verdict import Verdict

from support.snapshots import document, judged, pipeline, told

MICRO = timedelta(microseconds=1)
LATE, DOWN = timedelta(hours=2), timedelta(hours=24)

AGES = [
    (LATE - MICRO, "healthy"),
    (LATE, "healthy"),
    (LATE + MICRO, "P2"),
    (DOWN, "P2"),
    (DOWN + MICRO, "P1"),
]


@pytest.mark.parametrize(("age", "verdict"), AGES, ids=str)
@pytest.mark.parametrize("registered", [True, False], ids=["registered", "nobody registered"])
def test_a_processor_is_late_then_down_exactly_after_its_limits(
    age: timedelta, verdict: str, *, registered: bool
) -> None:
    settings = pipeline(["Silent"] if registered else [])

    assert judged([document("Silent", age)], settings).verdict == verdict


def test_a_processor_has_limits_of_its_own() -> None:
    settings = pipeline([{"name": "Weekly", "late_after": "8d", "down_after": "15d"}])

    assert judged([document("Weekly", timedelta(days=8))], settings).verdict is Verdict.HEALTHY
    assert judged([document("Weekly", timedelta(days=9))], settings).verdict is Verdict.P2
    assert judged([document("Weekly", timedelta(days=16))], settings).verdict is Verdict.P1


def test_run_scoped_documents_keep_a_processor_alive() -> None:
    settings = pipeline(["Active"])
    documents = [document("Active", timedelta(days=5)), document("Active_None_00c0ffee")]

    assert "stale-heartbeats" not in {rule for rule, _, _ in told(judged(documents, settings))}


def test_documents_under_a_former_name_keep_a_processor_alive() -> None:
    settings = pipeline([{"name": "p2_raw.schedule", "former_names": ["ScheduleProcessor"]}])

    assert judged([document("ScheduleProcessor")], settings).verdict is Verdict.HEALTHY


def test_a_former_name_that_went_silent_is_no_finding_once_the_new_name_beats() -> None:
    settings = pipeline([{"name": "p2_raw.schedule", "former_names": ["ScheduleProcessor"]}])
    documents = [document("p2_raw.schedule"), document("ScheduleProcessor", timedelta(days=30))]

    assert judged(documents, settings).verdict is Verdict.HEALTHY


@pytest.mark.parametrize("excuse", [{"retired": True}, {"expected": False}], ids=["retired", "not expected"])
def test_an_excused_processor_may_fall_silent(excuse: dict[str, bool]) -> None:
    settings = pipeline(["Active", {"name": "Excused", **excuse}])

    assert judged([document("Active"), document("Excused", timedelta(days=30))], settings).verdict is Verdict.HEALTHY


def test_silent_processors_that_nobody_registered_are_one_finding_of_p2() -> None:
    documents = [document("Active"), *(document(f"Stranger{n}", timedelta(days=30)) for n in range(5))]

    report = judged(documents, pipeline(["Active"]))

    assert told(report) == [("stale-heartbeats", "P2", "processor_heartbeats")]
    assert len(report.findings[0].evidence) == 5


def test_an_incomplete_listing_proves_nobody_stale() -> None:
    report = judged([document("Silent", timedelta(days=5))], counted=2, listed=False)

    assert told(report) == [("unreadable-evidence", "unknown", "firestore")]
    assert report.verdict is Verdict.UNKNOWN


@given(st.integers(0, 10 * 86_400), st.integers(0, 10 * 86_400))
def test_a_silent_processor_never_gets_healthier(first: int, more: int) -> None:
    def rank(age: timedelta) -> int:
        root = judged([document("Silent", age)]).root
        return Severity.P2.rank + 1 if root is None else root.severity.rank

    assert rank(timedelta(seconds=first + more)) <= rank(timedelta(seconds=first))
