import json
from datetime import timedelta

from checks import Report
from checks.formats.json import render_json
from checks.judge.comparison import compare

from support.snapshots import document, judged, pipeline

STALE = timedelta(days=5)
REGISTERED = pipeline(["Active", "Other", "Third", "Fourth"])
FRESH = [document(name) for name in ("Other", "Third", "Fourth")]


def test_the_json_report_is_ascii_and_reads_back_character_for_character() -> None:
    hostile = "evil\x1b[2J\u202eid_None_é"

    text = render_json(judged([document(hostile)]))

    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text)["findings"][0]["evidence"][0]["subject"] == hostile


def test_a_report_reads_back_from_its_json() -> None:
    report = judged([document("Active", STALE), *FRESH], REGISTERED)

    assert Report.model_validate(json.loads(render_json(report))) == report


def test_what_changed_stands_under_since() -> None:
    report = judged([document("Active")])

    body = json.loads(render_json(report, compare(report, report)))

    assert (body["since"]["verdict"], body["since"]["new"]) == ("healthy", [])
    assert "since" not in json.loads(render_json(report))
