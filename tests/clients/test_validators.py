"""Other people's validators of skills and plugins find nothing to complain of."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from skills import SKILLS

from support.node import copied, run
from support.paths import ROOT

pytestmark = pytest.mark.long

BIN = Path(sys.executable).parent


@pytest.mark.parametrize("skill", SKILLS)
def test_the_skill_specification_is_kept(skill: str) -> None:
    done = subprocess.run(
        [BIN / "agentskills", "validate", ROOT / "skills" / skill], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_validator_would_say_so_if_it_were_not(tmp_path: Path) -> None:
    broken = tmp_path / "validate-daily"
    shutil.copytree(ROOT / "skills" / "validate-daily", broken)
    (broken / "SKILL.md").write_text("---\nname: another\n---\n")

    done = subprocess.run([BIN / "agentskills", "validate", broken], capture_output=True, text=True, check=False)

    assert done.returncode != 0


def test_the_linter_of_agents_files_has_nothing_to_say(tmp_path: Path) -> None:
    plugin = copied(tmp_path / "plugin")
    shutil.copy(ROOT / "CLAUDE.md", plugin)

    done = subprocess.run([BIN / "agnix", "--strict", plugin], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors, 0 warnings" in done.stdout + done.stderr


def test_claude_codes_own_strict_validation_passes(tmp_path: Path) -> None:
    plugin = copied(tmp_path / "plugin")

    done = run("claude", "plugin", "validate", "--strict", plugin, CLAUDE_CONFIG_DIR=str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Validation passed" in done.stdout


def test_of_the_repository_it_only_says_that_the_map_is_no_part_of_the_plugin(tmp_path: Path) -> None:
    done = run("claude", "plugin", "validate", "--strict", "--json", ROOT, CLAUDE_CONFIG_DIR=str(tmp_path))

    told = json.loads(done.stdout)
    parts = [told["manifest"], *told["contents"]]
    assert [error for part in parts for error in part["errors"]] == []
    (warning,) = [warning["message"] for part in parts for warning in part["warnings"]]
    assert warning.startswith("CLAUDE.md at the plugin root is not loaded")
    assert {server["name"] for server in told["provides"]["mcpServers"]} == {"validate-daily"}
    assert told["provides"]["skills"] == ["validate-daily:session-handoff", "validate-daily:validate-daily"]
