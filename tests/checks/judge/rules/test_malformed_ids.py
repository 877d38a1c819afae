import pytest

from checks.judge.verdict import Verdict

from support.snapshots import document, judged, pipeline, told

PATTERNS = [
    "NbacTeamBoxscoreProcessor_None_097ffc9c",
    "ProcessorName_2026-01-31_abc123",
    "ProcessorName_202601_abc123",
    "p2_nba_raw.season_2024_totals",
    "report 2026-01-31",
    "x1999-12-31",
]


@pytest.mark.parametrize("doc", PATTERNS)
def test_each_pattern_of_the_incident_is_flagged(doc: str) -> None:
    report = judged([document(doc)])

    assert told(report) == [("malformed-ids", "P2", "processor_heartbeats")]
    assert report.findings[0].evidence[0].subject == doc


@pytest.mark.parametrize("doc", PATTERNS)
def test_a_registered_id_is_canonical_however_it_looks(doc: str) -> None:
    report = judged([document(doc)], pipeline([doc]))

    assert report.verdict is Verdict.HEALTHY
    assert report.census is not None
    assert (report.census.canonical, report.census.malformed) == (1, 0)


def test_ids_that_do_not_parse_as_run_scoped_are_reported_as_left_alone() -> None:
    report = judged([document("p2_nba_raw.season_2024_totals"), document("Active_None_00c0ffee")])

    assert "1 of them does not parse as run-scoped" in report.findings[0].summary


def test_a_part_of_the_collection_already_shows_malformed_ids() -> None:
    report = judged([document("Active_None_00c0ffee")], counted=9, listed=False)

    assert report.verdict is Verdict.UNKNOWN
    assert ("malformed-ids", "P2", "processor_heartbeats") in told(report)
    assert report.findings[-1].summary.startswith("at least 1 malformed")


def test_ids_without_a_mark_name_their_writer_and_lead_to_no_cleanup() -> None:
    runs = [document(f"Loader_{n:08x}-4942-1773-49ef-145fa82a8c67", name="Loader") for n in range(35)]

    report = judged([document("Loader"), *runs], pipeline(["Loader"]))

    (finding,) = report.findings
    assert finding.summary.startswith("35 malformed ids of 1 processor; 35 of them do not parse as run-scoped")
    assert "fix what writes them (Loader), then remove them by hand" in finding.next_step
    assert report.census is not None
    assert (report.census.canonical, report.census.malformed) == (1, 35)


def test_an_id_that_firestore_made_up_is_told_with_its_writer() -> None:
    runs = [document(each, name="Loader") for each in ("sngeqqXY5QodyzYHWfrX", "HJb6XhaAmABFjxuPgO02")]

    report = judged([document("Loader"), *runs], pipeline(["Loader"]))

    assert report.findings[0].evidence[0].detail == "one of 2, written by Loader"
