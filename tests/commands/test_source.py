"""``validate-daily source`` as people, hooks and code scanning run it."""

import json
import subprocess
from pathlib import Path
from typing import Final

from support import prepared

FAULT: Final = "def write(client, name, run_id):\n    doc_id = f'{name}_{run_id}'\n"


def _run(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return prepared.run("source", *arguments, folder=where)


def test_a_clean_tree_exits_0_and_says_what_was_read(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print('hello')\n")
    done = _run(tmp_path, ".")
    assert done.returncode == 0
    assert "1 Python file" in done.stdout


def test_a_fault_exits_1_in_every_format_and_at_the_same_place(tmp_path: Path) -> None:
    (tmp_path / "heartbeat.py").write_text(FAULT)
    told, as_json, as_sarif = (_run(tmp_path, ".", "--format", form) for form in ("terminal", "json", "sarif"))
    assert {told.returncode, as_json.returncode, as_sarif.returncode} == {1}
    assert "heartbeat.py:2:" in told.stdout
    (found,) = json.loads(as_json.stdout)["findings"]
    assert (found["rule"], found["path"], found["line"]) == ("run-scoped-heartbeat-id", "heartbeat.py", 2)
    log = json.loads(as_sarif.stdout)
    (run,) = log["runs"]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert log["version"] == "2.1.0"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == found["rule"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("heartbeat.py", 2)


def test_a_file_that_cannot_be_read_exits_3_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def broken(:\n")
    done = _run(tmp_path, ".")
    assert done.returncode == 3
    assert "broken.py" in done.stdout


def test_of_named_files_only_theirs_is_told(tmp_path: Path) -> None:
    (tmp_path / "heartbeat.py").write_text(FAULT)
    (tmp_path / "main.py").write_text("print('hello')\n")
    assert _run(tmp_path, "main.py").returncode == 0
    assert _run(tmp_path, "heartbeat.py").returncode == 1


def test_a_path_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    done = _run(tmp_path, "nowhere")
    assert done.returncode == 64
    assert "nowhere does not exist" in done.stderr
