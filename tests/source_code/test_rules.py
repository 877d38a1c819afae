"""Each rule: what is its fault, and what looks like it and is none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from validate_daily.source_code.rules import ABOUT, RULES

from support.code_trees import looked_at, places

Files = Mapping[str, str]

_OWN: Final = {"app/__init__.py": "", "app/alerts.py": "", "app/fast.py": "import numpy\n"}
_TRY: Final = "try:\n    {import_}\nexcept {caught}:\n    {body}\n"
_REDIS: Final = _TRY.format(import_="import redis", caught="ImportError", body="redis = None")
_BASE: Final = "FROM python:3.12-slim\nWORKDIR /app\n"


def _tried(import_: str, body: str, caught: str = "ImportError") -> Files:
    return _OWN | {"app/main.py": _TRY.format(import_=import_, caught=caught, body=body)}


def _heartbeat(line: str) -> Files:
    return {"heartbeat.py": f"def write(client, name, date, run_id):\n    {line}\n"}


def _image(dockerfile: str, requirements: str = "flask==3.1\n", **more: str) -> Files:
    return {
        "requirements.txt": requirements,
        "Dockerfile": _BASE + dockerfile,
        "app/__init__.py": "",
        "app/main.py": "from app import other\n",
        "app/other.py": "",
        **more,
    }


_FAULTS: Final[dict[str, tuple[str, Files, int]]] = {
    "a directory between packages": (
        "missing-init",
        {"a/__init__.py": "", "a/b/c.py": "", "a/main.py": "from a.b import c\n"},
        1,
    ),
    "a neighbour of packages": (
        "missing-init",
        {"src/a/__init__.py": "", "src/b/c.py": "", "src/a/main.py": "\nimport b.c\n"},
        2,
    ),
    "one's own module becomes None": ("swallowed-import-error", _tried("from app import alerts", "alerts = None"), 3),
    "one's own module becomes a flag": ("swallowed-import-error", _tried("import app.alerts", "HAVE = False"), 3),
    "one's own module is passed over": ("swallowed-import-error", _tried("import app.alerts", "pass"), 3),
    "anything at all is caught": (
        "swallowed-import-error",
        _tried("from app import alerts", "alerts = None", "Exception"),
        3,
    ),
    "a package that is required": (
        "swallowed-import-error",
        {
            "requirements.txt": "redis==5\n",
            "main.py": _TRY.format(import_="import redis", caught="ImportError", body="redis = None"),
        },
        3,
    ),
    "an id of an f-string": ("run-scoped-heartbeat-id", _heartbeat('doc_id = f"{name}_{date}_{run_id}"'), 2),
    "an id that is added up": ("run-scoped-heartbeat-id", _heartbeat('doc_id = name + "_" + run_id'), 2),
    "an id given at once": (
        "run-scoped-heartbeat-id",
        _heartbeat('client.collection("processor_heartbeats").document(f"{name}_{run_id}").set({})'),
        2,
    ),
    "an id left to Firestore": (
        "run-scoped-heartbeat-id",
        _heartbeat('client.collection("processor_heartbeats").document().set({})'),
        2,
    ),
    "a server that nothing installs": (
        "command-needs-package",
        _image('COPY . .\nRUN pip install -r requirements.txt\nCMD ["gunicorn", "app.main:app"]\n'),
        5,
    ),
    "a server in a shell's words": (
        "command-needs-package",
        _image("COPY . .\nRUN pip install -r requirements.txt\nCMD exec gunicorn --bind :$PORT app.main:app\n"),
        5,
    ),
    "a module that no COPY takes": (
        "copy-leaves-out-package",
        _image('COPY app/__init__.py app/main.py app/\nCMD ["python", "-m", "app.main"]\n'),
        3,
    ),
    "a module that is ignored": (
        "copy-leaves-out-package",
        _image('COPY . .\nCMD ["python", "-m", "app.main"]\n', **{".dockerignore": "app/other.py\n"}),
        3,
    ),
}

_NO_FAULTS: Final[dict[str, Files]] = {
    "a namespace from the top": {"a/b/c.py": "", "main.py": "from a.b import c\n"},
    "a namespace that is declared": {
        "a/__init__.py": "",
        "a/b/c.py": "",
        "a/main.py": "from a.b import c\n",
        "setup.cfg": "[options]\npackages = find_namespace:\n",
    },
    "a directory that only tests import": {
        "a/__init__.py": "",
        "a/b/c.py": "",
        "tests/test_c.py": "from a.b import c\n",
    },
    "what no requirements name": {
        "main.py": _TRY.format(import_="import ujson", caught="ImportError", body="ujson = None")
    },
    "a module that needs what is optional": _tried("from app import fast", "fast = None"),
    "an error that is logged": _tried("from app import alerts", "logger.warning('no alerts')"),
    "an error that goes on": _tried("from app import alerts", "raise RuntimeError('no alerts')"),
    "another implementation": _tried("from app import alerts", "from app import slow as alerts"),
    "a flag that is asked": _OWN
    | {
        "app/main.py": _TRY.format(import_="from app import alerts", caught="ImportError", body="alerts = None")
        + "if alerts is None:\n    raise SystemExit('no alerts')\n"
    },
    "an id that is the processor's name": _heartbeat("doc_id = name"),
    "a run in a field": _heartbeat('client.collection("processor_heartbeats").document(name).set({"run": run_id})'),
    "an id of something else": {"runs.py": 'def write(name, run_id):\n    doc_id = f"{name}_{run_id}"\n'},
    "a server that is installed": _image(
        'COPY . .\nRUN pip install -r requirements.txt\nCMD ["gunicorn", "app.main:app"]\n', "gunicorn==23.0\n"
    ),
    "a module that is copied": _image('COPY app/ app/\nCMD ["python", "-m", "app.main"]\n'),
}


@pytest.mark.parametrize(("rule", "files", "line"), _FAULTS.values(), ids=_FAULTS)
def test_a_fault_is_found_at_its_line_and_nothing_else_is(tmp_path: Path, rule: str, files: Files, line: int) -> None:
    (found,) = looked_at(tmp_path, files).findings
    assert (found.rule, found.line) == (rule, line)
    assert found.reason
    assert found.fix


@pytest.mark.parametrize("files", _NO_FAULTS.values(), ids=_NO_FAULTS)
def test_what_only_looks_like_a_fault_is_none(tmp_path: Path, files: Files) -> None:
    assert places(looked_at(tmp_path, files)) == set()


def test_every_rule_has_a_case() -> None:
    assert {rule for rule, _, _ in _FAULTS.values()} == {rule.name for rule in RULES}


def test_what_a_base_image_may_bring_is_unsure_and_no_finding(tmp_path: Path) -> None:
    files = _image('COPY . .\nRUN make install\nCMD ["gunicorn", "app.main:app"]\n')
    report = looked_at(tmp_path, files)
    assert "command-needs-package" not in {each.rule for each in report.findings}
    assert "gunicorn" in " ".join(each.reason for each in report.unsure)


def test_an_allowance_needs_a_reason_and_a_finding(tmp_path: Path) -> None:
    body = "alerts = None"
    allowed = "ImportError:  # validate-daily: allow[swallowed-import-error] {}\n    #".format
    told = {
        "with a reason": _tried("from app import alerts", body, allowed("built without alerts on purpose")),
        "without one": _tried("from app import alerts", body, allowed("")),
        "for nothing": {"main.py": "import os  # validate-daily: allow[missing-init] once it was so\n"},
    }
    found = {name: looked_at(tmp_path / name, files) for name, files in told.items()}
    assert found["with a reason"].findings == ()
    assert found["with a reason"].allowed == 1
    assert {each.rule for each in found["without one"].findings} == {
        "swallowed-import-error",
        "allowance-without-reason",
    }
    assert [each.rule for each in found["for nothing"].findings] == ["unused-allowance"]
    assert {"allowance-without-reason", "unused-allowance"} <= ABOUT.keys()


def test_a_file_that_is_no_python_is_unread_and_not_clean(tmp_path: Path) -> None:
    report = looked_at(tmp_path, {"main.py": "def broken(:\n"})
    assert [each.path for each in report.unread] == ["main.py"]
