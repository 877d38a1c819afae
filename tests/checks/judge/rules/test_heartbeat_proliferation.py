import pytest

from checks.judge.verdict import Verdict

from support.snapshots import document, judged, pipeline, told

LIMITS = [(50, "healthy"), (51, "P2"), (100, "P2"), (101, "P1"), (500, "P1"), (501, "P0")]


@pytest.mark.parametrize(("total", "verdict"), LIMITS)
def test_the_total_decides_exactly_above_each_threshold(total: int, verdict: str) -> None:
    report = judged(document(f"Processor{number}") for number in range(total))

    assert report.verdict == verdict
    assert report.census is not None
    assert report.census.total == total


@pytest.mark.parametrize(("total", "verdict"), [(3, "healthy"), (4, "P2"), (6, "P1"), (8, "P0")])
def test_the_settings_move_the_thresholds_and_the_report_echoes_them(total: int, verdict: str) -> None:
    settings = pipeline().model_copy(
        update={"thresholds": pipeline().thresholds.model_copy(update={"notice": 3, "p1": 5, "p0": 7})}
    )

    report = judged([document(f"Processor{number}") for number in range(total)], settings)

    assert report.verdict == verdict
    assert (report.thresholds.notice, report.thresholds.p1, report.thresholds.p0) == (3, 5, 7)


def test_a_count_alone_supports_p0_while_the_listing_is_missing() -> None:
    report = judged([], counted=501, listed=False)

    assert report.verdict is Verdict.P0
    assert report.score is None
    assert ("unreadable-evidence", "unknown", "firestore") in told(report)


def test_documents_seen_before_a_listing_broke_support_p0_without_a_count() -> None:
    report = judged([document(f"Processor{number}") for number in range(501)], counted=False, listed=False)

    assert report.verdict is Verdict.P0
    assert report.root is not None
    assert report.root.summary.startswith("at least 501 documents")


def test_a_notice_seen_in_part_stays_below_unknown() -> None:
    report = judged([document(f"Processor{number}") for number in range(51)], counted=False, listed=False)

    assert report.verdict is Verdict.UNKNOWN
    assert "heartbeat-proliferation" in {finding.rule for finding in report.findings}


def test_the_top_writers_are_named_with_the_service_behind_them() -> None:
    settings = pipeline([{"name": "p2_raw.schedule", "former_names": ["ScheduleProcessor"], "service": "phase2"}])
    documents = [document(f"ScheduleProcessor_None_{number:08x}") for number in range(60)]

    report = judged([*documents, document("p2_raw.schedule")], settings)

    assert report.root is not None
    assert report.root.rule == "heartbeat-proliferation"
    assert [fact.subject for fact in report.root.evidence] == ["ScheduleProcessor"]
    assert "60 malformed documents" in report.root.evidence[0].detail
    assert "phase2" in report.root.next_step


def test_documents_without_a_mark_of_a_run_lead_to_no_cleanup_that_moves_nothing() -> None:
    runs = [document(f"Loader_{1_706_600_000 + n}_f2f467ad", name="Loader") for n in range(600)]

    report = judged([document("Loader"), *runs], pipeline([{"name": "Loader", "service": "loader"}]))

    assert report.verdict is Verdict.P0
    assert [fact.subject for fact in report.findings[0].evidence] == ["Loader"]
    assert "remove its documents by hand" in report.findings[0].next_step
    assert "(loader)" in report.findings[0].next_step


def test_processors_alone_lead_to_no_cleanup() -> None:
    report = judged([document(f"Processor{number}") for number in range(501)])

    assert "clean" not in report.findings[0].next_step
