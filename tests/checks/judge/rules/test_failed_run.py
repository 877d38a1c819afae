from collections.abc import Mapping
from datetime import timedelta

import pytest

from checks.judge.finding import Finding
from checks.judge.verdict import Verdict
from checks.settings.pipeline import Pipeline

from support.snapshots import document, found, judged, pipeline, run_document, snapshot, told, walked

LONG = timedelta(minutes=100)


def failed(*documents: object, settings: Pipeline | None = None) -> list[Finding]:
    return found(snapshot(documents, settings or pipeline(["Loader"])), "failed-run")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("status", ["failed", "error", "FAILED", " Error "])
def test_a_run_that_ended_as_failed_is_said_with_its_word(status: str) -> None:
    (finding,) = failed(run_document("Loader", status, run_id="r1", data_date="2026-01-31", progress=7))

    assert (finding.severity, finding.subject) == ("P2", "Loader")
    assert finding.summary == f"its last run ended as {status.strip().lower()}"
    assert [fact.subject for fact in finding.evidence] == ["Loader", "r1", "2026-01-31", "7"]


@pytest.mark.parametrize("status", ["running", "completed", "success", "paused", "fail", "failed!", "", None])
def test_other_words_are_no_failure(status: str | None) -> None:
    assert judged([run_document("Loader", status)], pipeline(["Loader"])).verdict is Verdict.HEALTHY


def test_a_pipeline_has_words_of_its_own() -> None:
    settings = pipeline(["Loader"], status={"failed": ["Kaputt\u202e"]})

    (finding,) = failed(run_document("Loader", "KAPUTT\u202e"), settings=settings)
    assert "\u202e" not in finding.summary
    assert failed(run_document("Loader", "failed"), settings=settings) == []


@pytest.mark.parametrize("doc", ["Loader", "Loader_2026-01-31_ab12cd34", "OldLoader"])
def test_only_the_newest_document_of_a_processor_speaks(doc: str) -> None:
    settings = pipeline([{"name": "Loader", "former_names": ["OldLoader"]}])
    other = "Loader" if doc != "Loader" else "OldLoader"

    assert failed(run_document(doc, "failed", LONG), run_document(other, "completed"), settings=settings) == []
    assert failed(run_document(doc, "failed"), run_document(other, "completed", LONG), settings=settings)


@pytest.mark.parametrize("silent", [-timedelta(minutes=57), -timedelta(days=365)])
def test_a_failure_by_a_clock_that_is_ahead_is_one(silent: timedelta) -> None:
    (finding,) = failed(run_document("Loader", "failed", silent))

    assert "Firestore stored it" in finding.evidence[0].detail


def test_a_document_that_was_counted_and_not_read_might_be_newer() -> None:
    first = run_document("Loader_None_00000001", "failed", LONG)

    assert found(walked([(first, 9, 8)], [first], pipeline(["Loader"]), reach=timedelta(hours=1)), "failed-run") == []
    assert found(walked([(first, 9, 8)], [first], pipeline(["Loader"])), "failed-run")


@pytest.mark.parametrize("excuse", [{"retired": True}, {"expected": False}])
def test_who_need_not_beat_has_no_failed_run(excuse: Mapping[str, object]) -> None:
    documents = [run_document("Loader", "failed")]

    assert judged(documents, pipeline([{"name": "Loader", **excuse}])).verdict is Verdict.HEALTHY


def test_failures_of_processors_that_are_not_registered_are_one_finding() -> None:
    strangers = [run_document(f"Stranger{n}", "failed") for n in range(12)]
    report = judged([document("Loader"), *strangers], pipeline(["Loader"]))

    assert told(report) == [("failed-run", "P2", "processor_heartbeats")]
    assert report.findings[0].count == 12


def test_all_of_many_that_failed_are_named() -> None:
    names = [f"P{n}" for n in range(10)]
    report = judged([run_document(each, "failed", lasted=None) for each in names], pipeline(names))

    assert report.exit_code == 2
    assert {subject for _, _, subject in told(report)} == set(names)


def test_another_run_that_fails_is_another_fault() -> None:
    (one,) = failed(run_document("Loader", "failed", run_id="r1"))
    (same,) = failed(run_document("Loader", "failed", run_id="r1", progress=3))
    (other,) = failed(run_document("Loader", "failed", run_id="r2"))

    assert one.fingerprint == same.fingerprint != other.fingerprint
