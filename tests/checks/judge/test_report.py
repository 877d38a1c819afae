import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence.snapshot import Snapshot
from checks.judge.finding import Severity
from checks.judge.report import MOST_FINDINGS, MOST_PROCESSORS, Report, judge
from checks.judge.rules import rules_of
from checks.judge.verdict import Verdict
from checks.settings.excuses import Quiet

from support.deployed import seen, service
from support.paths import SCHEMA
from support.snapshots import NOW, document, judged, pipeline, run_document, snapshot


def test_a_healthy_collection_is_healthy_with_full_score_and_all_rules_run() -> None:
    report = judged([document(f"Processor{n}") for n in range(30)])

    assert (report.verdict, report.score, report.exit_code) == (Verdict.HEALTHY, 100, 0)
    assert report.rules_run == tuple(rule.name for rule in rules_of("0.2"))
    assert [each.what for each in report.not_checked][:3] == ["cloud-run", "logging", "registry"]
    assert {name for each in report.not_checked for name in each.rules} >= {"two-witnesses", "job-image-differs"}


def test_judging_by_no_rules_is_an_error_and_never_healthy() -> None:
    with pytest.raises(ValueError, match="no rules"):
        judge(snapshot([document("Active")]), ())


def test_an_incomplete_census_without_a_gap_cannot_even_be_expressed() -> None:
    with pytest.raises(ValueError, match="needs a gap"):
        Snapshot(pipeline=pipeline(), taken_at=NOW, census=None, gaps=())


@given(
    docs=st.lists(st.sampled_from(["A", "B", "C", "D_None_1", "E_2026-01-01_x", "x y", "F"]), unique=True),
    hours=st.integers(0, 40),
    listed=st.booleans(),
    counted=st.booleans(),
)
def test_whatever_was_not_seen_completely_is_never_healthy(
    docs: list[str], hours: int, *, listed: bool, counted: bool
) -> None:
    report = judged([document(doc, timedelta(hours=hours)) for doc in docs], listed=listed, counted=counted)

    if not (listed and counted):
        assert report.verdict is not Verdict.HEALTHY
        assert report.score is None
        assert report.gaps


@pytest.mark.parametrize(
    ("severities", "verdict"),
    [("P0 unknown", "P0"), ("P1 unknown", "P1"), ("unknown P2", "unknown"), ("P2", "P2")],
)
def test_p0_and_p1_outrank_unknown_and_unknown_outranks_p2(severities: str, verdict: str) -> None:
    ranked = sorted((Severity(each) for each in severities.split()), key=lambda severity: severity.rank)

    assert ranked[0] == verdict


def test_every_lost_point_of_the_score_belongs_to_a_finding() -> None:
    documents = [document(f"Active_None_{n:08x}", timedelta(days=5)) for n in range(600)]
    settings = pipeline(["Active", *(f"Gone{n}" for n in range(5))])

    report = judged(documents, settings)

    assert report.score == 0
    assert sum(finding.points for finding in report.findings) == 100


def test_every_finding_says_what_to_do_next() -> None:
    documents = [document(f"Active_None_{n:08x}", created=timedelta(0)) for n in range(501)]
    documents += [document("Late", timedelta(hours=3)), document("Mute", None), document("Eager", timedelta(hours=-3))]
    documents += [document("Slow", timedelta(hours=4), updated=timedelta(minutes=1))]
    documents += [run_document("Killed", silent=timedelta(minutes=20)), run_document("Failed", "failed")]
    names = ["Active", "Late", "Mute", "Eager", "Slow", "Gone", "Killed", "Failed"]

    settings = pipeline(names)
    old = Quiet.model_validate(
        {"processors": ["Nobody"], "from": NOW - timedelta(days=1), "until": NOW, "reason": "off-season"}
    )
    report = judged(documents, settings.model_copy(update={"quiet": (old,)}))

    assert {finding.rule for finding in report.findings} == {
        rule.name
        for rule in rules_of("0.2")
        if rule.name not in {"heartbeat-channel-down", "unreadable-evidence", "mixed-practice"}
    }
    assert all(finding.next_step for finding in report.findings)


def test_a_long_list_of_processors_is_cut_and_says_so() -> None:
    report = judged([document(f"Processor{n:03}") for n in range(MOST_PROCESSORS + 7)])

    assert report.census is not None
    assert (len(report.census.by_processor), report.census.omitted) == (MOST_PROCESSORS, 7)
    assert not report.truncated


def test_a_long_list_of_findings_is_cut_and_says_so() -> None:
    expected = [f"Processor{n:03}" for n in range(MOST_FINDINGS + 1)]

    report = judged([document("Stranger")], pipeline(expected))

    assert len(report.findings) == MOST_FINDINGS
    assert report.truncated


def test_the_published_schema_is_the_one_that_reports_have() -> None:
    assert json.loads(SCHEMA.read_text()) == Report.model_json_schema(mode="serialization")


def test_a_finding_that_something_cannot_be_told_yet_withholds_the_score() -> None:
    report = judge(seen(service(reconciling=True)))

    assert (report.verdict, report.score) == (Verdict.UNKNOWN, None)
