import json
from pathlib import Path

from checks.formats.sarif import render_sarif

from support.code_trees import looked_at

FAULT = "def write(client, name, run_id):\n    doc_id = f'{name}_{run_id}'\n"


def fingerprints(root: Path, text: str) -> list[str]:
    (run,) = json.loads(render_sarif(looked_at(root, {"heartbeat.py": text})))["runs"]
    return [each["partialFingerprints"]["validateDaily/v1"] for each in run["results"]]


def test_code_that_moves_stays_the_same_alert_and_a_second_one_is_another(tmp_path: Path) -> None:
    once = fingerprints(tmp_path, FAULT)

    assert fingerprints(tmp_path, "\n\n" + FAULT) == once
    twice = fingerprints(tmp_path, FAULT + FAULT)
    assert twice[0] == once[0] != twice[1]


def test_a_file_that_could_not_be_read_makes_the_run_a_failed_one(tmp_path: Path) -> None:
    log = json.loads(render_sarif(looked_at(tmp_path, {"broken.py": "def broken(:\n"})))

    (run,) = log["runs"]
    (invocation,) = run["invocations"]
    assert (log["version"], invocation["executionSuccessful"]) == ("2.1.0", False)
    (note,) = invocation["toolExecutionNotifications"]
    assert note["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "broken.py"
