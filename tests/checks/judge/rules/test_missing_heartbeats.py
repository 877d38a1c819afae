import pytest

from checks.judge.verdict import Verdict

from support.snapshots import document, judged, pipeline, told


def test_an_expected_processor_without_a_document_is_p1_by_name() -> None:
    report = judged([document("Here")], pipeline(["Here", {"name": "Gone", "service": "phase2"}]))

    assert told(report) == [("missing-heartbeats", "P1", "Gone")]
    assert "phase2" in report.findings[0].next_step


@pytest.mark.parametrize("processors", [[], ["Gone"]], ids=["nobody registered", "one registered"])
def test_an_empty_collection_is_one_finding_that_says_where_it_looked(processors: list[str]) -> None:
    report = judged([], pipeline(processors))

    assert told(report) == [("missing-heartbeats", "P1", "processor_heartbeats")]
    assert "projects/demo-nba/databases/(default)/documents/processor_heartbeats" in report.findings[0].summary


def test_a_count_of_zero_proves_emptiness_though_the_listing_failed() -> None:
    assert judged([], pipeline(["Gone"]), counted=0, listed=False).verdict is Verdict.P1


def test_an_incomplete_listing_proves_nobody_missing() -> None:
    report = judged([document("Here")], pipeline(["Here", "Unseen"]), counted=2, listed=False)

    assert report.verdict is Verdict.UNKNOWN
    assert told(report) == [("unreadable-evidence", "unknown", "firestore")]


@pytest.mark.parametrize(
    "doc", ["Alive_None_00c0ffee", "Alive_2026-01-31_00c0ffee", "FormerName", "FormerName_None_00c0ffee"]
)
def test_a_processor_with_any_document_of_its_names_is_not_missing(doc: str) -> None:
    settings = pipeline([{"name": "Alive", "former_names": ["FormerName"]}])

    assert "missing-heartbeats" not in {rule for rule, _, _ in told(judged([document(doc)], settings))}


@pytest.mark.parametrize("excuse", [{"retired": True}, {"expected": False}], ids=["retired", "not expected"])
def test_an_excused_processor_may_have_no_document(excuse: dict[str, bool]) -> None:
    settings = pipeline(["Here", {"name": "Excused", **excuse}])

    assert judged([document("Here")], settings).verdict is Verdict.HEALTHY


def test_that_nobody_is_registered_is_said() -> None:
    report = judged([document("Here")])

    assert report.verdict is Verdict.HEALTHY
    assert "missing-heartbeats" in [each.what for each in report.not_checked]


TWINS = ["unit00processor", "UNIT00PROCESSOR", "unit_00_processor", "Unit00-Processor", "Unit00.Processor",
         "\uff35nit00Processor", "Unit00Pr\u043ecessor"]  # fmt: skip


@pytest.mark.parametrize("twin", TWINS)
def test_another_spelling_of_a_missing_processor_is_named_as_the_cause(twin: str) -> None:
    report = judged([document(twin)], pipeline([{"name": "Unit00Processor", "service": "loader"}]))

    finding = report.findings[0]
    assert (finding.rule, finding.severity, finding.subject) == ("missing-heartbeats", "P1", "Unit00Processor")
    assert [fact.subject for fact in finding.evidence] == [twin]
    assert "make loader write Unit00Processor, or register the other spelling" in finding.next_step


def test_a_document_that_says_that_a_missing_processor_writes_it_is_named() -> None:
    report = judged([document("boxscores", name="Unit00Processor")], pipeline(["Unit00Processor"]))

    assert [fact.subject for fact in report.findings[0].evidence] == ["boxscores"]


def test_a_registered_processor_of_another_spelling_is_no_twin() -> None:
    report = judged([document("unit00processor")], pipeline(["Unit00Processor", "unit00processor"]))

    assert report.findings[0].evidence == ()
    assert "retired = true" in report.findings[0].next_step
