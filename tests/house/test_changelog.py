"""The changelog is collected from ``changes/``, one file for each change, so that two changes do not collide."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT

FRAGMENTS = sorted((ROOT / "changes").glob("+*.md"))


def collected(project: Path) -> "subprocess.CompletedProcess[str]":
    towncrier = Path(sys.executable).with_name("towncrier")
    command = [towncrier, "build", "--draft", "--version", "1.0.0"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "changes").mkdir()
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_every_change_is_collected() -> None:
    done = collected(ROOT)

    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    for fragment in FRAGMENTS:
        assert " ".join(fragment.read_text("utf-8").split()) in words, fragment.name


def test_a_change_is_listed_by_its_kind(project: Path) -> None:
    (project / "changes" / "+new-rule.added.md").write_text("A rule that\nsees more.\n")

    assert "### Added\n\n- A rule that\n  sees more.\n" in collected(project).stdout


def test_a_change_of_no_kind_is_refused(project: Path) -> None:
    (project / "changes" / "+new-rule.feature.md").write_text("A rule that sees more.\n")

    done = collected(project)

    assert done.returncode != 0
    assert "new-rule.feature.md" in done.stdout + done.stderr
