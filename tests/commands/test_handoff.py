"""``validate-daily handoff`` as a person or a script runs it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from validate_daily.repairs.stores.audit_file import FileAudit
from validate_daily.sandbox import Sandbox, build, running

from support.commands import example, run, settings, told, typed


@pytest.fixture
def repaired() -> Iterator[Sandbox]:
    with running(build("repaired")) as cloud:
        yield cloud


def test_a_handoff_is_written_confirmed_and_an_hour_later_expired(repaired: Sandbox, tmp_path: Path) -> None:
    file, config = tmp_path / "handoff.md", example(tmp_path)
    done = run(repaired, "handoff", "write", "--output", str(file), "--config", config)
    assert done.returncode == 0, done.stderr
    assert str(file) in done.stderr
    again = run(repaired, "handoff", "write", "--output", str(file), "--config", config)
    assert again.returncode == 64
    assert "is there already" in again.stderr

    verify = ("handoff", "verify", str(file), "--config", config)
    report = told(repaired, *verify, code=0)
    assert {"statement", "check", "verdict", "level", "observed"} <= set(report["claims"][0])
    assert report["counts"]["confirmed"] == len(report["claims"])
    assert report["exit_code"] == 0

    repaired.world.advance(timedelta(hours=1))
    late = told(repaired, *verify, code=2)
    assert late["counts"]["expired"] > 0
    assert late["counts"]["confirmed"] == late["counts"]["contradicted"] == 0
    shown = run(repaired, *verify)
    assert "expired" in shown.stdout
    assert shown.returncode == 2


def test_a_false_handoff_is_contradicted_and_what_it_is_silent_of_is_named(tmp_path: Path) -> None:
    file = tmp_path / "session-61.md"
    file.write_text("# Session 61\n\nPhase 3 and 4 deployed with the fix.\n\nThe tests were run.\n")
    with running(build("fix-pushed")) as cloud:
        report = told(cloud, "handoff", "verify", str(file), "--config", example(tmp_path), code=1)
        shown = run(cloud, "handoff", "verify", str(file), "--config", example(tmp_path))

    assert report["counts"]["contradicted"] == 2
    assert {rung["level"] for rung in report["claims"][0]["levels"]} == {"digest", "bytes", "runtime"}
    assert report["verdict"] == "P0"
    assert any(each["rule"] == "heartbeat-proliferation" for each in report["unmentioned"])
    assert "contradicted" in shown.stdout
    assert "heartbeat-proliferation" in shown.stdout


def test_notes_that_claim_what_is_not_proved_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    notes, file = tmp_path / "notes.md", tmp_path / "handoff.md"
    notes.write_text("Phase 3 is deployed.\n")
    with running(build("fix-pushed")) as cloud:
        done = run(
            cloud, "handoff", "write", "--notes", str(notes), "--output", str(file), "--config", example(tmp_path)
        )

    assert done.returncode == 1
    assert "digest level or better" in done.stderr
    assert not file.exists()


def test_a_repair_stands_in_the_handoff_with_what_became_of_it(tmp_path: Path) -> None:
    world = build("proliferation")
    for service in {one.service for one in world.pipeline.processors}:
        world.deploy(service, "new")
    world.advance(timedelta(hours=2))
    config = settings(tmp_path)
    with running(world) as cloud:
        plan = json.loads(run(cloud, "cleanup", "--config", config, "--format", "json").stdout)
        code, said = typed(cloud, f"processor_heartbeats {plan['count']}", "cleanup", "--apply", "--config", config)
        assert code == 0, said
        text = run(cloud, "handoff", "write", "--config", config).stdout

    made = text.partition("## Repairs since")[2]
    assert "cleanup of processor_heartbeats" in made
    assert f"{plan['count']:,}" in made
    assert any(tmp_path.rglob("*audit*")), FileAudit


def test_an_audit_that_cannot_be_read_is_unknown_and_not_empty(repaired: Sandbox, tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    audit.write_text("this is no line of an audit\n")
    config = settings(tmp_path, f'[audit]\npath = "{audit}"')
    done = run(repaired, "handoff", "write", "--config", config)

    assert done.returncode == 0, done.stderr
    made = done.stdout.partition("## Repairs since")[2]
    assert "unknown: " in made
    assert "The audit has none" not in made


@pytest.mark.parametrize(
    ("content", "what"), [(b"\xff", "not UTF-8"), (b"x" * ((1 << 20) + 1), "larger than"), (None, "cannot be read")]
)
def test_a_file_that_is_no_document_is_named(
    content: bytes | None, what: str, repaired: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "what.md"
    if content is not None:
        file.write_bytes(content)
    for action in ("verify", "lint"):
        done = run(repaired, "handoff", action, str(file), "--config", example(tmp_path))
        assert done.returncode == 64
        assert "what.md" in done.stderr
        assert what in done.stderr
