import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from checks.cli.check import load_report
from checks.judge.verdict import ExitCode
from checks.settings.errors import UsageError
from validate_daily.commands.sandbox import practice_environment
from validate_daily.sandbox import Fault, build, running

from support import prepared
from support.commands import interruptible

BIN = Path(sys.executable).parent
CHECK = (str(BIN / "validate-daily"), "check")
MODULE = (sys.executable, "-m", "checks")
ESCAPE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.fixture
def healthy() -> Iterator[dict[str, str]]:
    with running("healthy") as cloud:
        yield practice_environment(cloud.environment())


def check(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return prepared.run("check", *arguments, environment=os.environ | dict(environment))


def started(*command: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=os.environ | dict(environment), capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("scenario", "verdict", "code"),
    [
        ("healthy", "healthy", 0),
        ("proliferation", "P0", 1),
        ("missing", "P1", 1),
        ("few-late", "P2", 2),
        ("denied", "unknown", 3),
    ],
)
def test_the_exit_code_and_the_json_tell_the_verdict(scenario: str, verdict: str, code: int) -> None:
    with running(scenario) as cloud:
        done = check("--format", "json", environment=practice_environment(cloud.environment()))

    report = json.loads(done.stdout)
    assert (report["verdict"], done.returncode) == (verdict, code)
    assert report["schema"] == "validate-daily/report/2"
    assert done.stderr == ""


def test_the_module_does_what_the_command_does(healthy: dict[str, str]) -> None:
    reports = [json.loads(started(*how, "--format", "json", environment=healthy).stdout) for how in (CHECK, MODULE)]

    for report in reports:
        report.pop("taken_at")
    assert reports[0] == reports[1]


def test_the_phase_can_be_named(healthy: dict[str, str]) -> None:
    assert check("--phase", "0.2", environment=healthy).returncode == ExitCode.HEALTHY


def test_a_piped_report_is_plain_and_headed_practice(healthy: dict[str, str]) -> None:
    done = check(environment=healthy)

    assert done.stdout.startswith("PRACTICE: asked 127.0.0.1:")
    assert not ESCAPE.search(done.stdout)
    assert re.search(r"healthy .*score 100/100 .*UTC \(.*P[SD]T\)", done.stdout)


def test_a_terminal_gets_colour(healthy: dict[str, str]) -> None:
    ours, theirs = os.openpty()
    environment = os.environ | healthy | {"TERM": "xterm-256color"}
    with subprocess.Popen(CHECK, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # how Linux says that the last writer has closed a terminal
            while piece := os.read(ours, 4_096):
                shown += piece
    os.close(ours)

    assert child.returncode == ExitCode.HEALTHY
    assert b"\x1b[" in shown
    assert b"score 100/100" in shown


def test_hostile_ids_come_out_escaped_and_whole() -> None:
    with running("hostile-ids") as cloud:
        environment = practice_environment(cloud.environment())
        told, report = check(environment=environment), check("--format", "json", environment=environment)

    assert not ESCAPE.search(told.stdout)
    assert r"\x1b[2J\x1b[31mPlayerGameSummaryProcessor" in told.stdout
    assert report.stdout.isascii()
    subjects = {fact["subject"] for finding in json.loads(report.stdout)["findings"] for fact in finding["evidence"]}
    assert "\x1b[2J\x1b[31mPlayerGameSummaryProcessor\x1b[0m" in subjects


USAGE: dict[str, tuple[list[str], str]] = {
    "no settings": (["check"], "no settings: looked for --config"),
    "a settings file that is not there": (["check", "--config", "absent.toml"], "absent.toml: cannot be read"),
    "a format that is none": (["check", "--format", "xml"], "invalid choice: 'xml'"),
    "a phase that is none": (["check", "--phase", "9"], "invalid choice: '9'"),
    "a time that is none": (["check", "--timeout", "soon"], "'soon' is no time"),
    "no time at all": (["check", "--timeout", "0"], "not above 0"),
    "an unknown option with control characters": (["check", "--\x1b[2J"], r"--\x1b[2J"),
    "no subcommand": ([], "required: COMMAND"),
    "an unknown subcommand": (["chekc"], "invalid choice: 'chekc'"),
    "a scenario that is none": (["sandbox", "serve", "--scenario", "sunny"], "no scenario 'sunny': there are "),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_wrong_usage_exits_with_64_and_names_what_is_wrong(arguments: list[str], message: str) -> None:
    done = prepared.run(*arguments)

    assert done.returncode == ExitCode.USAGE
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_plain_text_beyond_loopback_is_refused_as_wrong_usage(healthy: dict[str, str]) -> None:
    done = check(environment=healthy | {"FIRESTORE_EMULATOR_HOST": "192.0.2.1:8080"})

    assert done.returncode == ExitCode.USAGE
    assert "FIRESTORE_EMULATOR_HOST: '192.0.2.1:8080' is beyond loopback" in done.stderr


def test_a_firestore_that_is_gone_is_unknown_within_the_timeout(healthy: dict[str, str]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        gone = {"FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{nobody.getsockname()[1]}"}
        done = check("--timeout", "5", "--format", "json", environment=healthy | gone)

    assert done.returncode == ExitCode.UNKNOWN
    assert json.loads(done.stdout)["verdict"] == "unknown"


def test_without_credentials_production_is_unknown_and_says_how_to_sign_in(healthy: dict[str, str]) -> None:
    nobody = {
        "VALIDATE_DAILY_CONFIG": healthy["VALIDATE_DAILY_CONFIG"],
        "HOME": str(Path.cwd()),
        "NO_GCE_CHECK": "true",
        "CLOUDSDK_CONFIG": str(Path.cwd()),
    }

    done = check("--timeout", "20", environment=nobody)

    assert done.returncode == ExitCode.UNKNOWN
    assert "no usable credentials" in done.stdout
    assert "gcloud auth application-default login" in done.stdout
    assert "PRACTICE" not in done.stdout
    assert "firestore.googleapis.com" in done.stdout


@pytest.mark.parametrize("how", [CHECK, MODULE], ids=["command", "module"])
def test_ctrl_c_ends_a_check_with_130_and_one_line(how: tuple[str, ...]) -> None:
    world = build("healthy")
    world.faults.add(Fault(hang=True))
    with running(world) as cloud:
        environment = os.environ | practice_environment(cloud.environment())
        with interruptible():
            child = subprocess.Popen(how, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with child:
            while not world.calls and child.poll() is None:
                os.sched_yield()
            child.send_signal(signal.SIGINT)
            told, complaint = child.communicate(timeout=120)

    assert child.returncode == ExitCode.INTERRUPTED
    assert told == ""
    assert complaint == "validate-daily: interrupted; nothing was changed\n"


def test_a_reader_that_went_away_is_no_traceback(healthy: dict[str, str]) -> None:
    with subprocess.Popen(
        [*CHECK, "--format", "json"],
        env=os.environ | healthy,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        complaint = child.stderr.read()

    assert "Traceback" not in complaint
    assert child.returncode != 0


def test_settings_are_judged_before_googles_packages_load() -> None:
    program = (
        "import sys, checks, checks.cli.check, validate_daily.__main__;"
        "print([name for name in ('google', 'grpc', 'rich', 'yaml') if name in sys.modules])"
    )

    assert started(sys.executable, "-c", program, environment={}).stdout == "[]\n"


@pytest.mark.parametrize(
    "text", ["[]", "null", "7", '"x"', "{}", "", "x", "[" * 100_000, "{" * 9], ids=lambda text: text[:3]
)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (path := tmp_path / "before.json").write_text(text)

    with pytest.raises(UsageError, match=r"before\.json: .*make one with check --format json"):
        load_report(path)


@pytest.mark.parametrize("schema", ["validate-daily/report/99", "validate-daily/source/1", None, 2], ids=str)
def test_a_report_of_another_schema_is_not_compared(tmp_path: Path, schema: object) -> None:
    with running("healthy") as cloud:
        environment = practice_environment(cloud.environment())
        body = json.loads(check("--format", "json", environment=environment).stdout)
        body |= {"schema": schema}
        if schema is None:
            del body["schema"]
        before = tmp_path / "before.json"
        before.write_text(json.dumps(body))

        done = check("--since", str(before), environment=environment)

    assert (done.returncode, done.stdout) == (64, "")
    assert "validate-daily/report/1 or validate-daily/report/2" in done.stderr
