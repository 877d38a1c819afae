"""The commands that change things, run as a person or a script runs them."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from validate_daily.sandbox import Sandbox, build, running

from support.commands import run, settings, typed

COLLECTION = "processor_heartbeats"


@pytest.fixture
def cloud() -> Iterator[Sandbox]:
    """A thousand documents too many, and a writer that was fixed more than an hour ago."""
    world = build("proliferation")
    for service in {one.service for one in world.pipeline.processors}:
        world.deploy(service, "new")
    world.advance(timedelta(hours=2))
    with running(world) as sandbox:
        yield sandbox


def documents(sandbox: Sandbox) -> int:
    return len(sandbox.world.heartbeats)


def trash(sandbox: Sandbox) -> int:
    return len(sandbox.world.database.collection(f"{COLLECTION}_trash"))


def told(done: subprocess.CompletedProcess[str]) -> Mapping[str, object]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_person_cleans_up_restores_and_sees_it_all_in_the_audit(cloud: Sandbox, tmp_path: Path) -> None:
    config = settings(tmp_path)
    plan = run(cloud, "cleanup", "--config", config, "--format", "json")
    count = told(plan)["count"]
    assert isinstance(count, int)
    before = documents(cloud)

    code, said = typed(cloud, f"{COLLECTION} {count}", "cleanup", "--apply", "--config", config)
    assert code == 0, said
    assert "PRACTICE: cleanup of" in said
    assert f"{count:,} of {count:,} documents moved" in said
    assert trash(cloud) == count
    assert documents(cloud) <= before - count + 30
    found = re.search(r"validate-daily restore ([0-9a-f]{16})", said)
    assert found is not None

    code, said = typed(cloud, f"{COLLECTION} {count}", "restore", found[1], "--apply", "--config", config)
    assert code == 0, said
    assert trash(cloud) == 0

    audit = run(cloud, "audit", "--config", config)
    assert audit.returncode == 0
    assert re.search(
        rf"restore .* after in nba-props-platform \(practice\): {count:,} of {count:,} documents moved; "
        r"by .* \(local user, unverified\), terminal",
        audit.stdout,
    )
    assert "4 lines, chain whole" in audit.stdout


def test_anything_else_that_is_typed_changes_nothing(cloud: Sandbox, tmp_path: Path) -> None:
    code, said = typed(cloud, "yes", "cleanup", "--apply", "--config", settings(tmp_path))

    assert (code, trash(cloud)) == (1, 0)
    assert "not approved" in said


def test_without_a_terminal_nobody_can_be_asked(cloud: Sandbox, tmp_path: Path) -> None:
    done = run(cloud, "cleanup", "--apply", "--config", settings(tmp_path))

    assert (done.returncode, trash(cloud)) == (1, 0)
    assert "no terminal to ask a person at" in done.stderr


def test_an_assistants_shell_approves_nothing(cloud: Sandbox, tmp_path: Path) -> None:
    config = settings(tmp_path, "unattended = true")
    token = str(told(run(cloud, "cleanup", "--config", config, "--format", "json"))["plan"])

    for way in (("--approve", token), ("--apply",)):
        done = run(cloud, "cleanup", *way, "--config", config, CLAUDECODE="1")
        assert (done.returncode, trash(cloud)) == (1, 0)
        assert "an assistant cannot approve what it proposes" in done.stderr


def test_a_script_applies_exactly_the_plan_that_it_was_given(cloud: Sandbox, tmp_path: Path) -> None:
    plan = told(run(cloud, "cleanup", "--config", settings(tmp_path), "--format", "json"))
    token = str(plan["plan"])

    refused = run(cloud, "cleanup", "--approve", token, "--config", settings(tmp_path))
    assert (refused.returncode, trash(cloud)) == (1, 0)
    assert "[writes] unattended is false" in refused.stderr

    forged = run(cloud, "cleanup", "--approve", token[:-6] + "AAAAAA", "--config", settings(tmp_path))
    assert forged.returncode == 64

    config = settings(tmp_path, "unattended = true")
    outcome = told(run(cloud, "cleanup", "--approve", token, "--config", config, "--format", "json"))
    assert (outcome["moved"], trash(cloud)) == (plan["count"], plan["count"])


def test_writes_are_off_unless_a_named_file_says_otherwise(cloud: Sandbox, tmp_path: Path) -> None:
    Path(settings(tmp_path)).rename("validate-daily.toml")

    done = run(cloud, "cleanup")

    assert done.returncode == 64
    assert "merely found in the open directory" in done.stderr


def test_while_old_code_still_writes_a_cleanup_names_what_to_redeploy(tmp_path: Path) -> None:
    world = build("proliferation")
    world.advance(timedelta(hours=1))
    with running(world) as sandbox:
        done = run(sandbox, "cleanup", "--config", settings(tmp_path))

    assert done.returncode == 1
    assert "redeploy nba-phase2-raw-processors" in done.stderr


def test_a_clean_collection_is_no_failure(tmp_path: Path) -> None:
    with running("repaired") as sandbox:
        done = run(sandbox, "cleanup", "--config", settings(tmp_path))

    assert done.returncode == 0
    assert "nothing to clean" in done.stderr


def test_a_broken_audit_is_told_with_its_line(cloud: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text("{}\n")
    path.chmod(0o600)

    done = run(cloud, "audit", "--config", settings(tmp_path, f"[audit]\npath = '{path}'"))

    assert done.returncode == 1
    assert "broken at line 1" in done.stderr
