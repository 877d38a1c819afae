import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from checks.settings.file import load_settings

from support.commands import COMMAND
from support.prepared import run


def test_init_writes_settings_that_a_check_accepts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    done = run("init")

    assert done.returncode == 0
    assert load_settings(tmp_path / "validate-daily.toml", {}).pipeline.pipeline.name == "my-pipeline"
    assert done.stdout.startswith("wrote validate-daily.toml: ")


def test_init_never_writes_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "validate-daily.toml").write_text("mine")

    done = run("init")

    assert done.returncode == 64
    assert "is there already and stays as it is" in done.stderr
    assert (tmp_path / "validate-daily.toml").read_text() == "mine"


def test_init_says_when_it_cannot_write(tmp_path: Path) -> None:
    done = run("init", "--output", str(tmp_path / "no" / "such" / "folder.toml"))

    assert done.returncode == 64
    assert "cannot be written" in done.stderr


def test_the_example_registers_the_whole_pipeline(tmp_path: Path) -> None:
    path = tmp_path / "example.toml"

    run("init", "--example", "--output", str(path))

    processors = load_settings(path, {}).pipeline.heartbeats.processors
    assert len(processors) == 31
    assert len([each for each in processors if each.must_beat]) == 14


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_serve_prints_exports_that_lead_a_check_to_the_sandbox_until_it_is_ended(sign: signal.Signals) -> None:
    command = [COMMAND, "sandbox", "serve", "--scenario", "few-late"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        exports = [shlex.split(child.stdout.readline()) for _ in range(5)]
        environment = dict(export[1].split("=", 1) for export in exports)
        done = run("check", environment=os.environ | environment)
        child.send_signal(sign)
        complaint = child.communicate(timeout=60)[1]

    assert sorted(environment) == [
        "FIRESTORE_EMULATOR_HOST",
        "VALIDATE_DAILY_CONFIG",
        "VALIDATE_DAILY_LOGGING_ENDPOINT",
        "VALIDATE_DAILY_REGISTRY_ENDPOINT",
        "VALIDATE_DAILY_RUN_ENDPOINT",
    ]
    assert {export[0] for export in exports} == {"export"}
    assert done.returncode == 2
    assert child.returncode == 0
    assert "Traceback" not in complaint


def test_a_port_that_is_taken_is_named() -> None:
    with subprocess.Popen([COMMAND, "sandbox", "serve"], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        port = first.stdout.readline().strip().rpartition(":")[2]
        second = run("sandbox", "serve", "--port", port)
        first.send_signal(signal.SIGINT)

    assert second.returncode == 64
    assert f"port {port} cannot be had" in second.stderr
    assert second.stderr.startswith("validate-daily: ")


def test_the_scenarios_are_listed_with_their_titles() -> None:
    done = run("sandbox", "list")

    assert "proliferation " in done.stdout
    assert all(len(line.split(maxsplit=1)) == 2 for line in done.stdout.splitlines())


def test_the_demo_tells_the_incident_to_its_healthy_end() -> None:
    done = run("demo")

    assert done.returncode == 0
    assert "1,053 documents, above the limit of 500" in done.stdout
    assert "redeploy nba-phase2-raw-processors" in done.stdout
    assert "14 processors fell silent together" in done.stdout
    assert done.stdout.rindex("healthy") > done.stdout.rindex("fell silent")
