import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from checks.doctor import examine
from checks.pipeline import CONFIG_NAME
from checks.probe import Examination, Probe, Result
from checks.report import ExitCode
from checks.settings import Settings, parse_settings
from sandbox import Fault, Sandbox, build, running
from sandbox.faults import Status
from validate_daily.init import settings_text
from validate_daily.sandbox import practice_environment

from conftest import Serve

COMMAND = str(Path(sys.executable).parent / "validate-daily")
DOCTOR = (COMMAND, "doctor")
ESCAPE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
PROJECT = "nba-props-platform"

NEEDS = {
    "RunAggregationQuery": ("datastore.entities.list", "roles/datastore.viewer", "firestore.googleapis.com"),
    "RunQuery": ("datastore.entities.get", "roles/datastore.viewer", "firestore.googleapis.com"),
    "ListServices": ("run.services.list", "roles/run.viewer", "run.googleapis.com"),
    "GetRevision": ("run.revisions.get", "roles/run.viewer", "run.googleapis.com"),
    "ListJobs": ("run.jobs.list", "roles/run.viewer", "run.googleapis.com"),
    "ListLogEntries": ("logging.logEntries.list", "roles/logging.viewer", "logging.googleapis.com"),
    "GetManifest": (
        "artifactregistry.repositories.downloadArtifacts",
        "roles/artifactregistry.reader",
        "artifactregistry.googleapis.com",
    ),
}
"""What each method of the practice cloud takes in production: permission, role, API."""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command runs in an empty folder, of a user without settings of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))


def example(text: str = "") -> Settings:
    pipeline = parse_settings(text or settings_text("example"), origin="example")
    return Settings(pipeline, Path("example.toml"), named=True)


async def visit(sandbox: Sandbox, settings: Settings | None = None, *, seconds: float = 20.0) -> Examination:
    return await examine(settings or example(), timeout=seconds, environment=sandbox.environment())


def run(*command: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=os.environ | dict(environment), capture_output=True, text=True, timeout=60, check=False
    )


def by_permission(told: Examination) -> dict[str | None, Probe]:
    return {probe.permission: probe for probe in told.probes}


def not_ok(told: Examination) -> dict[str | None, Result]:
    return {probe.permission: probe.result for probe in told.probes if probe.result is not Result.OK}


async def test_everything_that_a_check_needs_is_tried_once_and_found_well(sandbox: Sandbox) -> None:
    told = await visit(sandbox)

    assert [(probe.source, probe.permission, probe.result) for probe in told.probes] == [
        ("firestore", "datastore.entities.list", "ok"),
        ("firestore", "datastore.entities.get", "ok"),
        ("clock", None, "ok"),
        ("cloud-run", "run.services.list", "ok"),
        ("cloud-run", "run.revisions.get", "ok"),
        ("cloud-run", "run.jobs.list", "ok"),
        ("logging", "logging.logEntries.list", "ok"),
        ("registry", "artifactregistry.repositories.downloadArtifacts", "ok"),
    ]
    assert told.exit_code == ExitCode.HEALTHY
    assert told.identity.kind == "practice"
    assert [target.source for target in told.targets] == ["firestore", "cloud-run", "logging", "registry"]
    assert sorted(call.method for call in sandbox.world.calls) == sorted(NEEDS)


async def test_a_collection_of_a_thousand_documents_costs_no_more_than_two_reads(serve: Serve) -> None:
    sandbox = await serve("proliferation")

    await visit(sandbox)

    assert sum(call.billed_reads for call in sandbox.world.calls) == 2


@pytest.mark.parametrize(("method", "need"), NEEDS.items(), ids=NEEDS)
async def test_one_missing_permission_is_named_with_its_role_and_command_and_nothing_else_is_blamed(
    method: str, need: tuple[str, str, str], serve: Serve
) -> None:
    permission, role, _ = need
    told = await visit(await serve("healthy", Fault(method=method, status="PERMISSION_DENIED", message="no access")))

    probe = by_permission(told)[permission]
    assert (probe.result, probe.role) == ("denied", role)
    assert "no access" in (probe.reason or "")
    assert probe.mend == f"gcloud projects add-iam-policy-binding {PROJECT} --member=MEMBER --role={role}"
    # Which revisions there are, only a service tells.
    follows = {"run.revisions.get": Result.UNKNOWN} if method == "ListServices" else {}
    assert not_ok(told) == {permission: Result.DENIED} | follows
    assert told.exit_code == ExitCode.P0_OR_P1


DISABLED = "{} has not been used in project 123 before or it is disabled. Enable it by visiting ..."


@pytest.mark.parametrize(
    ("method", "message"),
    [
        *((method, DISABLED) for method in NEEDS),
        ("ListJobs", "reason: SERVICE_DISABLED"),
        ("ListJobs", "{} is disabled"),
    ],
)
async def test_an_api_that_is_not_enabled_is_told_from_a_missing_permission(
    method: str, message: str, serve: Serve
) -> None:
    permission, _, api = NEEDS[method]
    sandbox = await serve("healthy", Fault(method=method, status="PERMISSION_DENIED", message=message.format(api)))

    told = await visit(sandbox)

    probe = by_permission(told)[permission]
    assert probe.result == "disabled"
    assert probe.mend == f"gcloud services enable {api} --project {PROJECT}"
    assert told.exit_code == ExitCode.P0_OR_P1


async def test_a_region_that_does_not_exist_is_no_missing_role(serve: Serve) -> None:
    message = "Permission denied on 'locations/us-wst2' (or it may not exist)."
    told = await visit(await serve("healthy", Fault(method="ListJobs", status="PERMISSION_DENIED", message=message)))

    probe = by_permission(told)["run.jobs.list"]
    assert probe.result == "failed"
    assert (probe.mend or "").startswith(f"gcloud run regions list --project {PROJECT}")


OTHER_ENDS: dict[str, tuple[Status, str, str]] = {
    "unavailable": ("UNAVAILABLE", "unknown", "try again"),
    "a quota that is used up": ("RESOURCE_EXHAUSTED", "unknown", "quota"),
    "no credentials were sent": ("UNAUTHENTICATED", "failed", "gcloud auth application-default login"),
    "no such database": ("NOT_FOUND", "failed", f"gcloud firestore databases list --project {PROJECT}"),
    "no Firestore": ("UNIMPLEMENTED", "failed", ""),
}


@pytest.mark.parametrize(("status", "result", "mend"), OTHER_ENDS.values(), ids=OTHER_ENDS)
async def test_other_failures_are_told_from_a_missing_permission(
    status: Status, result: str, mend: str, serve: Serve
) -> None:
    told = await visit(await serve("healthy", Fault(method="RunQuery", status=status)))

    probe = by_permission(told)["datastore.entities.get"]
    assert probe.result == result
    assert (probe.reason or "").startswith(f"{status}: ")
    assert mend in (probe.mend or "")
    assert told.exit_code == (ExitCode.UNKNOWN if result == "unknown" else ExitCode.P0_OR_P1)


async def test_what_hangs_is_unknown_after_its_own_time_and_delays_nothing_else(serve: Serve) -> None:
    sandbox = await serve("healthy", Fault(method="ListLogEntries", hang=True))

    async with asyncio.timeout(20):
        told = await visit(sandbox, seconds=3.0)

    assert not_ok(told) == {"logging.logEntries.list": Result.UNKNOWN}
    assert by_permission(told)["logging.logEntries.list"].reason == "no answer within 3 s"
    assert told.exit_code == ExitCode.UNKNOWN


@pytest.mark.parametrize("fault", [Fault(hang=True), Fault(status="UNAVAILABLE")], ids=["hangs", "unavailable"])
async def test_a_cloud_that_does_not_answer_leaves_everything_unknown(fault: Fault, serve: Serve) -> None:
    told = await visit(await serve("healthy", fault), seconds=2.0)

    assert {probe.result for probe in told.probes} == {"unknown"}
    assert told.exit_code == ExitCode.UNKNOWN
    assert told.clock_skew_seconds is None


@pytest.mark.parametrize(
    ("ahead", "result"),
    [(timedelta(seconds=50), "ok"), (timedelta(seconds=70), "failed"), (timedelta(hours=2), "failed")],
)
async def test_a_clock_more_than_a_minute_from_firestores_is_a_failure(
    ahead: timedelta, result: str, serve: Serve
) -> None:
    world = build("healthy")
    world.clock.advance(ahead)

    told = await visit(await serve(world))

    probe = next(probe for probe in told.probes if probe.source == "clock")
    assert probe.result == result
    assert told.clock_skew_seconds == pytest.approx(-ahead.total_seconds(), abs=5)
    if result == "failed":
        seconds = f"{-(told.clock_skew_seconds or 0):,.0f}"
        assert probe.reason == f"this machine's clock is {seconds} s behind Firestore's"
        assert probe.mend == "timedatectl set-ntp true"


async def test_sources_that_are_switched_off_are_listed_and_not_asked(sandbox: Sandbox) -> None:
    text = settings_text("example") + '\n[sources]\ncloud_run = "off"\nlogging = "off"\n'

    told = await visit(sandbox, example(text))

    reasons = {each.what: each.reason for each in told.not_checked}
    assert reasons["cloud-run"] == 'switched off by choice: [sources] cloud_run = "off"'
    assert reasons["logging"] == 'switched off by choice: [sources] logging = "off"'
    assert reasons["look up a tag"] == "Cloud Run named no tagged image of a registry that is asked"
    assert {call.method for call in sandbox.world.calls} == {"RunQuery", "RunAggregationQuery"}
    assert told.exit_code == ExitCode.HEALTHY


async def test_a_place_without_services_and_jobs_is_no_failure(serve: Serve) -> None:
    text = '[pipeline]\nname = "other"\nproject = "other-project"\nregion = "europe-west1"\n'

    told = await visit(await serve("healthy"), example(text))

    assert told.exit_code == ExitCode.HEALTHY
    assert {each.what for each in told.not_checked} == {
        "get a revision of other-project/europe-west1",
        "look up a tag",
    }


@pytest.mark.parametrize(
    ("variable", "source"),
    [
        ("FIRESTORE_EMULATOR_HOST", "firestore"),
        ("VALIDATE_DAILY_RUN_ENDPOINT", "cloud-run"),
        ("VALIDATE_DAILY_LOGGING_ENDPOINT", "logging"),
        ("VALIDATE_DAILY_REGISTRY_ENDPOINT", "registry"),
    ],
)
async def test_an_address_that_is_refused_is_a_failure_beside_the_others(
    variable: str, source: str, sandbox: Sandbox
) -> None:
    told = await examine(example(), environment=sandbox.environment() | {variable: "192.0.2.1:80"})

    probe = told.probes[0]
    assert (probe.source, probe.result, probe.mend) == (source, "failed", f"unset {variable}")
    assert "beyond loopback" in (probe.reason or "")
    assert {each.result for each in told.probes[1:]} == {"ok"}
    assert source not in {target.source for target in told.targets}


def test_the_command_prints_each_probe_and_what_mends_it() -> None:
    world = build("healthy")
    world.faults.add(Fault(method="ListJobs", status="PERMISSION_DENIED", message="\x1b[2Jno access"))
    with running(world) as cloud:
        done = run(*DOCTOR, environment=practice_environment(cloud.environment()))

    assert done.returncode == 1
    assert done.stderr == ""
    assert not ESCAPE.search(done.stdout)
    assert done.stdout.startswith(f" denied  {PROJECT} · 7 of 8 probes are ok · PRACTICE: ")
    assert "example.toml (named)\n" in done.stdout
    assert "identity  no credentials needed: only practice addresses are asked\n" in done.stdout
    assert (
        f"denied    cloud-run: list the jobs of {PROJECT}/us-west2  run.jobs.list\n"
        "          PERMISSION_DENIED: \\x1b[2Jno access\n"
        f"          mend: gcloud projects add-iam-policy-binding {PROJECT} --member=MEMBER --role=roles/run.viewer\n"
    ) in done.stdout


def test_the_json_is_a_contract_in_ascii() -> None:
    with running("healthy") as cloud:
        done = run(*DOCTOR, "--format", "json", environment=practice_environment(cloud.environment()))

    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert told["schema"] == "validate-daily/doctor/1"
    assert set(told) == {
        "schema", "pipeline", "settings", "identity", "targets", "probes", "not_checked", "clock_skew_seconds",
    }  # fmt: skip
    assert told["settings"]["named"] is True
    assert set(told["probes"][0]) == {"source", "what", "permission", "role", "result", "reason", "mend"}
    assert abs(told["clock_skew_seconds"]) < 5


def test_a_settings_file_that_was_merely_found_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / CONFIG_NAME).write_text(settings_text("example"))
    with running("healthy") as cloud:
        done = run(*DOCTOR, "--format", "json", environment=cloud.environment() | {"VALIDATE_DAILY_CONFIG": ""})

    assert done.returncode == 0
    assert json.loads(done.stdout)["settings"] == {"path": str(tmp_path / CONFIG_NAME), "named": False}


def test_without_credentials_production_is_a_failure_with_one_cause(tmp_path: Path) -> None:
    nobody = {"HOME": str(tmp_path), "NO_GCE_CHECK": "true", "CLOUDSDK_CONFIG": str(tmp_path)}
    nobody |= {"GOOGLE_APPLICATION_CREDENTIALS": "", "FIRESTORE_EMULATOR_HOST": ""}
    config = tmp_path / "settings.toml"
    config.write_text(settings_text("example"))

    done = run(*DOCTOR, "--config", str(config), "--format", "json", environment=nobody)

    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert told["identity"] == {"kind": "none", "name": None}
    first, *others = told["probes"]
    assert (first["source"], first["result"]) == ("identity", "failed")
    assert first["mend"] == "gcloud auth application-default login"
    assert {(each["result"], each["reason"]) for each in others} == {
        ("unknown", "not tried: there are no usable credentials")
    }
    assert {target["practice"] for target in told["targets"]} == {False}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--config", "absent.toml"], "absent.toml: cannot be read"), (["--timeout", "0"], "not above 0")],
)
def test_wrong_usage_exits_with_64(arguments: list[str], message: str) -> None:
    done = run(*DOCTOR, *arguments, environment={})

    assert done.returncode == ExitCode.USAGE
    assert message in done.stderr


def test_a_scenario_of_denied_reads_is_a_failure() -> None:
    with running("denied") as cloud:
        done = run(*DOCTOR, environment=practice_environment(cloud.environment()))

    assert done.returncode == 1
    assert "mend: gcloud projects add-iam-policy-binding" in done.stdout
