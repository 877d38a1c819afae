"""What holds the project together, kept true."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.paths import ROOT
from support.paths import RULES as RULES_FOLDER

BIN = Path(sys.executable).parent
PACKAGES = ("heartbeat", "checks", "mcp_server", "skills", "validate_daily")

CLOCKS = [
    "from datetime import datetime\nNOW = datetime.now()\n",
    "from datetime import UTC, datetime\nNOW = datetime.now(UTC)\n",
    "import datetime\nNOW = datetime.datetime.utcnow()\n",
    "from datetime import date\nTODAY = date.today()\n",
    "import time\nNOW = time.time()\n",
]


@pytest.mark.parametrize("source", CLOCKS)
@pytest.mark.parametrize(
    "place", ["checks/judge/rules/new_rule.py", "checks/judge/report.py", "validate_daily/commands/new.py"]
)
def test_lint_refuses_a_look_at_the_clock(source: str, place: str) -> None:
    command = [BIN / "ruff", "check", "--select", "TID251", "--stdin-filename", ROOT / place, "-"]

    done = subprocess.run(command, cwd=ROOT, input=source, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "the clock is evidence" in done.stdout


def test_a_rule_that_imports_a_clock_breaks_a_contract(tmp_path: Path) -> None:
    for package in PACKAGES:
        (tmp_path / package).symlink_to(ROOT / package)
    (tmp_path / "checks").unlink()
    subprocess.run(["cp", "-r", ROOT / "checks", tmp_path / "checks"], check=True)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (tmp_path / "checks" / "judge" / "rules" / "new_rule.py").write_text("import time\n")

    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "checks.judge.rules.new_rule -> time" in done.stdout


def test_the_lock_pins_every_package_with_hashes_and_no_index_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()

    assert "://" not in lock
    assert not re.search(r"^-", lock, re.MULTILINE)
    requirements = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert requirements
    assert all(re.fullmatch(r"[a-z0-9.-]+(?:\[[a-z,]+\])?==\S+( ; .+)? \\", line) for line in requirements)


def test_every_rule_has_one_name_in_its_file_and_its_function() -> None:
    from checks.judge.rules import RULES  # noqa: PLC0415 - the files are looked at, not the package alone

    files = {path.stem.replace("_", "-") for path in RULES_FOLDER.glob("*.py")} - {"--init--"}
    assert {rule.name for rule in RULES} == files
    for rule in RULES:
        assert rule.judge.__module__ == f"checks.judge.rules.{rule.name.replace('-', '_')}"


def test_every_rule_has_its_test_and_its_page() -> None:
    from checks.judge.rules import RULES  # noqa: PLC0415 - the same

    for rule in RULES:
        assert (ROOT / "tests/checks/judge/rules" / f"test_{rule.name.replace('-', '_')}.py").is_file(), rule.name
        assert (ROOT / "skills/validate-daily/references" / f"{rule.name}.md").is_file(), rule.name


def strings(file: Path) -> Iterator[str]:
    """The strings of a module that are no docstrings."""
    nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
    docstrings = {node.value for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node.value


def test_a_rule_is_named_in_its_own_file_alone() -> None:
    """Whoever speaks of a rule asks its ``RULE``: a name in a string of another file goes stale unseen."""
    from checks.judge.rules import RULES  # noqa: PLC0415 - the same

    texts = {file: " | ".join(strings(file)) for each in PACKAGES for file in (ROOT / each).rglob("*.py")}
    for rule in RULES:
        name = re.compile(rf"(?<![\w-]){rule.name}(?![\w-])")
        spoken = {file for file, text in texts.items() if name.search(text)}
        assert spoken <= {RULES_FOLDER / f"{rule.judge.__name__}.py"}, rule.name


@pytest.mark.long
def test_a_built_wheel_works_in_an_empty_folder(tmp_path: Path) -> None:
    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path / "dist", ROOT)
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    theirs = tmp_path / "venv" / "bin"
    run(theirs / "python", "-m", "pip", "--quiet", "install", *(tmp_path / "dist").glob("*.whl"))

    assert "1,053 documents" in run(theirs / "validate-daily", "demo")
    assert "--format" in run(theirs / "python", "-m", "checks", "--help")
    assert "proliferation" in run(theirs / "validate-daily", "sandbox", "list")
    told = run(theirs / "python", "-c", "import skills; print(*map(skills.read_page, skills.pages()))")
    for page in (ROOT / "skills").rglob("*.md"):
        assert page.read_text("utf-8") in told
    run(theirs / "validate-daily", "init", "--example")
