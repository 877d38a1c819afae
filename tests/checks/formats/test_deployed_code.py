import json

from checks.evidence.snapshot import Target
from checks.formats.deployed_code import render_probe, render_probe_json
from checks.judge.deployed.code import missing, report_of

from support.snapshots import A_GAP, NOW

TARGET = Target(source="cloud-run", address="127.0.0.1:1", resource="projects/demo-nba", practice=True)
REPORT = report_of("nba", NOW, [missing("phase\x1b2")], [A_GAP], [TARGET])


def test_the_practice_line_the_result_and_each_subject_are_told_escaped() -> None:
    practice, result, _, subject, *_ = render_probe(REPORT, {}).splitlines()

    assert practice == "PRACTICE: asked 127.0.0.1:1, not Google: this says nothing about production"
    assert result == f" {REPORT.result}  nba · 2026-02-01 22:00:00 UTC"
    assert r"phase\x1b2" in subject


def test_what_was_not_seen_comes_last() -> None:
    assert render_probe(REPORT, {}).endswith(
        f"Not seen\n    {A_GAP.source}: {A_GAP.reason}\n    next: {A_GAP.next_step}\n"
    )


def test_the_json_is_ascii_and_bears_provenance_only_where_a_checkout_was_asked() -> None:
    text = render_probe_json(REPORT, {})

    body = json.loads(text)
    assert text.isascii()
    assert body["subjects"][0]["subject"] == "phase\x1b2"
    assert "provenance" not in body
