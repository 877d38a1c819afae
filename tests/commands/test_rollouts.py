"""The commands that redeploy, roll back, update jobs and walk the loop, run as a person or a script runs them."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from validate_daily.sandbox import Sandbox, World, build, running

from support.commands import COMMAND, run, settings, typed
from support.rollout_cloud import PHASE2


def quick(scenario: str) -> World:
    world = build(scenario)
    world.run.takes = timedelta(milliseconds=300)
    return world


@pytest.fixture
def moved() -> Iterator[Sandbox]:
    with running(quick("tag-moved")) as sandbox:
        yield sandbox


def answer(sandbox: Sandbox, *command: str) -> dict[str, Any]:
    done = run(sandbox, *command, "--format", "json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def images(sandbox: Sandbox) -> list[str]:
    return [revision.image for revision, _ in sandbox.world.service(PHASE2).serving()]


def test_a_person_redeploys_and_takes_it_back(moved: Sandbox, tmp_path: Path) -> None:
    config, before = settings(tmp_path), images(moved)
    plan = run(moved, "redeploy", PHASE2, "--config", config)
    assert plan.returncode == 0, plan.stderr
    assert "Nothing was changed" in plan.stdout
    assert images(moved) == before

    code, said = typed(moved, f"{PHASE2} 1", "redeploy", PHASE2, "--apply", "--config", config)
    assert code == 0, said
    assert "DONE: redeploy" in said
    assert images(moved) != before

    code, said = typed(moved, f"{PHASE2} 1", "rollback", PHASE2, "--apply", "--config", config)
    assert code == 0, said
    assert images(moved) == before
    audit = run(moved, "audit", "--config", config).stdout
    assert f"redeploy {PHASE2}" in audit
    assert f"rollback {PHASE2}" in audit
    assert "4 lines, chain whole" in audit


def test_what_does_not_start_says_not_deployed_and_exits_1(tmp_path: Path) -> None:
    config = settings(tmp_path, "unattended = true")
    with running(quick("gunicorn-missing")) as sandbox:
        before = images(sandbox)
        refused = run(sandbox, "redeploy", PHASE2, "--config", config)
        assert refused.returncode == 1
        assert f"redeploy {PHASE2} --tag latest --even-if-bad --config {config} --apply" in refused.stderr
        token = answer(sandbox, "redeploy", PHASE2, "--even-if-bad", "--config", config)["plan"]
        done = run(sandbox, "redeploy", PHASE2, "--approve", token, "--config", config)

        assert done.returncode == 1
        assert done.stdout.startswith("NOT DEPLOYED: redeploy")
        assert 'exec: "gunicorn": executable file not found' in done.stdout
        assert images(sandbox) == before


def test_one_that_is_killed_midway_is_known_and_is_resumed_by_its_id(moved: Sandbox, tmp_path: Path) -> None:
    config = settings(tmp_path, "unattended = true")
    moved.world.run.takes = timedelta(seconds=3)
    told = answer(moved, "redeploy", PHASE2, "--config", config)
    environment = os.environ | moved.environment()
    command = (COMMAND, "redeploy", PHASE2, "--approve", told["plan"], "--config", config)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    while sum(call.method == "UpdateService" and call.status == "OK" for call in moved.world.calls) < 2:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = images(moved)

    unknown = run(moved, "redeploy", PHASE2, "--resume", "0" * 16, "--config", config)
    assert unknown.returncode == 1
    assert "knows of no start" in unknown.stderr
    assistant = run(moved, "redeploy", PHASE2, "--resume", told["id"], "--config", config, CLAUDECODE="1")
    assert assistant.returncode == 1
    done = run(moved, "redeploy", PHASE2, "--resume", told["id"], "--config", config)
    assert done.returncode == 0, done.stderr
    assert "the template was this plan's already" in done.stdout
    assert images(moved) != before
    assert images(moved) == [f"{moved.world.pipeline.repository(PHASE2)}@{told['digest']}"]


def test_a_redeploy_that_was_rolled_back_does_not_come_back(moved: Sandbox, tmp_path: Path) -> None:
    config, before = settings(tmp_path, "unattended = true"), images(moved)
    plan = answer(moved, "redeploy", PHASE2, "--config", config)
    assert run(moved, "redeploy", PHASE2, "--approve", plan["plan"], "--config", config).returncode == 0
    back = answer(moved, "rollback", PHASE2, "--config", config)["plan"]
    assert run(moved, "rollback", PHASE2, "--approve", back, "--config", config).returncode == 0

    for again in (("--resume", plan["id"]), ("--approve", plan["plan"])):
        done = run(moved, "redeploy", PHASE2, *again, "--config", config)
        assert done.returncode == 1
        assert f"the plan {plan['id']} is over and cannot start again: it ended at" in done.stderr
    assert images(moved) == before


def test_a_plan_is_applied_to_what_it_is_about_and_to_nothing_else(moved: Sandbox, tmp_path: Path) -> None:
    config = settings(tmp_path, "unattended = true")
    token = answer(moved, "redeploy", PHASE2, "--config", config)["plan"]
    other = run(moved, "redeploy", "nba-scrapers", "--approve", token, "--config", config)
    kind = run(moved, "rollback", PHASE2, "--approve", token, "--config", config)

    assert other.returncode == kind.returncode == 64
    assert f"the plan is about {PHASE2}, not nba-scrapers" in other.stderr
    assert "this is a plan of a redeploy" in kind.stderr
    assert not any(call.method == "UpdateService" for call in moved.world.calls)


def test_jobs_are_listed_with_verdicts_and_updated(tmp_path: Path) -> None:
    config = settings(tmp_path, "unattended = true")
    with running(quick("forgotten-jobs")) as sandbox:
        listed = run(sandbox, "jobs", "--config", config)
        rows = json.loads(run(sandbox, "jobs", "--config", config, "--format", "json").stdout)["jobs"]
        token = answer(sandbox, "jobs", "--update", PHASE2, "--config", config)["plan"]
        done = run(sandbox, "jobs", "--update", PHASE2, "--approve", token, "--config", config)
        after = run(sandbox, "jobs", "--config", config)
        nothing = run(sandbox, "jobs", "--apply", "--config", config)

    assert listed.returncode == 1
    assert f"21 jobs would not run what {PHASE2} serves" in listed.stdout
    assert {row["verdict"] for row in rows} == {"P2"}
    assert all(row["name"] in listed.stdout and row["follows"] == PHASE2 for row in rows)
    assert (done.returncode, after.returncode) == (0, 0)
    assert "21 of 21 name" in done.stdout
    assert nothing.returncode == 64
    assert "--update SERVICE" in nothing.stderr


def test_jobs_that_cannot_be_seen_are_unknown(tmp_path: Path) -> None:
    with running(build("denied-run")) as sandbox:
        done = run(sandbox, "jobs", "--config", settings(tmp_path))

    assert done.returncode == 3
    assert "PERMISSION_DENIED" in done.stdout


def test_the_loop_says_where_it_stands_and_an_assistant_cannot_walk_it(tmp_path: Path) -> None:
    config = settings(tmp_path, "unattended = true")
    with running(quick("fix-pushed")) as sandbox:
        where = run(sandbox, "repair", "--config", config)
        assistant = run(sandbox, "repair", "--unattended", "--config", config, CLAUDECODE="1")
        changed = [call for call in sandbox.world.calls if call.method in {"UpdateService", "Commit"}]
        walked = run(sandbox, "repair", "--unattended", "--config", config)

    assert where.returncode == 1
    assert f"NOT YET   the writer is fixed: {PHASE2}" in where.stdout
    assert assistant.returncode == 1
    assert "an assistant cannot approve" in assistant.stderr
    assert changed == []
    assert walked.returncode == 1
    assert "no heartbeat yet since" in walked.stdout


def test_a_watch_alone_changes_nothing_and_tells_what_grew(tmp_path: Path) -> None:
    config = settings(tmp_path)
    with running(quick("repaired")) as sandbox:
        well = run(sandbox, "cleanup", "--watch", "1s", "--config", config)

    assert well.returncode == 0
    assert "nothing grew back" in well.stdout


@pytest.mark.parametrize("way", ["resume", "approve"])
@pytest.mark.parametrize("undone", ["rolled back", "left as it is"])
def test_a_redeploy_that_has_ended_comes_back_by_no_way(moved: Sandbox, tmp_path: Path, way: str, undone: str) -> None:
    config = settings(tmp_path, "unattended = true")
    told = answer(moved, "redeploy", PHASE2, "--config", config)
    assert run(moved, "redeploy", PHASE2, "--approve", told["plan"], "--config", config).returncode == 0
    if undone == "rolled back":
        back = answer(moved, "rollback", PHASE2, "--config", config)["plan"]
        assert run(moved, "rollback", PHASE2, "--approve", back, "--config", config).returncode == 0
    serving, calls = images(moved), len(moved.world.calls)
    again = run(moved, "redeploy", PHASE2, f"--{way}", told["id" if way == "resume" else "plan"], "--config", config)

    assert again.returncode == 1
    assert f"the plan {told['id']} is over and cannot start again: it ended at" in again.stderr
    assert images(moved) == serving
    assert "UpdateService" not in {call.method for call in list(moved.world.calls)[calls:]}


def test_past_its_owner_a_service_is_shown_and_refused_until_a_person_says_so(moved: Sandbox, tmp_path: Path) -> None:
    config, before = settings(tmp_path, "unattended = true"), images(moved)
    moved.world.service(PHASE2).client = "terraform"
    shown = run(moved, "redeploy", PHASE2, "--config", config)
    assert shown.returncode == 0
    assert f"owner     {PHASE2} is deployed by terraform (client terraform)" in shown.stdout
    assert "let that apply it; to change it nevertheless: " in shown.stdout
    assert "To do it" not in shown.stdout
    code, said = typed(moved, f"{PHASE2} 1", "redeploy", PHASE2, "--apply", "--config", config)
    assert (code, images(moved)) == (1, before)
    assert "is deployed by terraform" in said
    token = answer(moved, "redeploy", PHASE2, "--config", config)["plan"]
    unasked = run(moved, "redeploy", PHASE2, "--approve", token, "--config", config)
    assert (unasked.returncode, images(moved)) == (1, before)
    assert "is deployed by terraform" in unasked.stderr

    code, said = typed(moved, f"{PHASE2} 1", "redeploy", PHASE2, "--override-owner", "--apply", "--config", config)
    assert code == 0, said
    assert images(moved) != before
