import json
from pathlib import Path

from checks.formats.source_code import SCHEMA, render_source_json, render_source_terminal

from support.code_trees import looked_at

FAULT = "def write(client, name, run_id):\n    doc_id = f'{name}_{run_id}'\n"


def test_a_person_is_told_the_place_the_line_and_what_mends_it(tmp_path: Path) -> None:
    report = looked_at(tmp_path, {"heartbeat.py": FAULT})
    (finding,) = report.findings

    place, line, reason, step, *_, last = render_source_terminal(report).splitlines()

    assert place == f"{finding.severity}  run-scoped-heartbeat-id  heartbeat.py:2:{finding.column}"
    assert line == f"    {finding.text}"
    assert (reason, step) == (f"    {finding.reason}", f"    next: {finding.fix}")
    assert last.startswith("1 finding")


def test_a_program_gets_the_schema_and_every_finding(tmp_path: Path) -> None:
    report = looked_at(tmp_path, {"heartbeat.py": FAULT, "broken.py": "def broken(:\n"})

    text = render_source_json(report)

    body = json.loads(text)
    assert text.isascii()
    assert body["schema"] == SCHEMA
    assert [each["rule"] for each in body["findings"]] == ["run-scoped-heartbeat-id"]
    assert [each["path"] for each in body["unread"]] == ["broken.py"]
