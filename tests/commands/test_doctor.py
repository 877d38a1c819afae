import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from checks.evidence.permission_checks import PermissionResult
from checks.judge.verdict import ExitCode
from checks.settings.file import CONFIG_NAME
from checks.settings.template import settings_text
from validate_daily.commands.sandbox import practice_environment
from validate_daily.sandbox import Fault, Sandbox, build, running

from conftest import Serve
from support import prepared
from support.doctor import PROJECT, by_permission, not_ok, visit

ESCAPE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")

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


def doctor(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return prepared.run("doctor", *arguments, environment=os.environ | dict(environment))


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
    follows = {"run.revisions.get": PermissionResult.UNKNOWN} if method == "ListServices" else {}
    assert not_ok(told) == {permission: PermissionResult.DENIED} | follows
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


def test_the_command_prints_each_probe_and_what_mends_it() -> None:
    world = build("healthy")
    world.faults.add(Fault(method="ListJobs", status="PERMISSION_DENIED", message="\x1b[2Jno access"))
    with running(world) as cloud:
        done = doctor(environment=practice_environment(cloud.environment()))

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
        done = doctor("--format", "json", environment=practice_environment(cloud.environment()))

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
        done = doctor("--format", "json", environment=cloud.environment() | {"VALIDATE_DAILY_CONFIG": ""})

    assert done.returncode == 0
    assert json.loads(done.stdout)["settings"] == {"path": str(tmp_path / CONFIG_NAME), "named": False}


def test_without_credentials_production_is_a_failure_with_one_cause(tmp_path: Path) -> None:
    nobody = {"HOME": str(tmp_path), "NO_GCE_CHECK": "true", "CLOUDSDK_CONFIG": str(tmp_path)}
    nobody |= {"GOOGLE_APPLICATION_CREDENTIALS": "", "FIRESTORE_EMULATOR_HOST": ""}
    config = tmp_path / "settings.toml"
    config.write_text(settings_text("example"))

    done = doctor("--config", str(config), "--format", "json", environment=nobody)

    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert told["identity"] == {"kind": "none", "name": None}
    first, *others = told["probes"]
    assert (first["source"], first["result"]) == ("identity", "failed")
    assert first["mend"] == "gcloud auth application-default login"
    assert {(each["result"], each["reason"]) for each in others} == {("unknown", "not tried: there is no access token")}
    assert {target["practice"] for target in told["targets"]} == {False}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--config", "absent.toml"], "absent.toml: cannot be read"), (["--timeout", "0"], "not above 0")],
)
def test_wrong_usage_exits_with_64(arguments: list[str], message: str) -> None:
    done = doctor(*arguments, environment={})

    assert done.returncode == ExitCode.USAGE
    assert message in done.stderr


def test_a_scenario_of_denied_reads_is_a_failure() -> None:
    with running("denied") as cloud:
        done = doctor(environment=practice_environment(cloud.environment()))

    assert done.returncode == 1
    assert "mend: gcloud projects add-iam-policy-binding" in done.stdout
