import asyncio
from datetime import timedelta

import pytest

from checks.ask.doctor import examine
from checks.evidence.permission_checks import Caller, PermissionCheck, PermissionResult
from checks.evidence.snapshot import NotChecked, Target
from checks.judge.verdict import ExitCode
from checks.settings.template import settings_text
from checks.sources.addresses import GOOGLE_REGISTRIES
from checks.sources.credentials import Login
from checks.sources.image_references import parse_image
from checks.sources.permission_checks import registry
from checks.sources.permission_checks.attempts import PermissionChecker
from checks.sources.progress import quiet
from checks.sources.source import PermissionRequest
from validate_daily.sandbox import Fault, Sandbox, build
from validate_daily.sandbox.faults import Status

from conftest import Serve
from support.doctor import PROJECT, by_permission, example, not_ok, visit


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

    async with asyncio.timeout(60):
        told = await visit(sandbox, seconds=3.0)

    assert not_ok(told) == {"logging.logEntries.list": PermissionResult.UNKNOWN}
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


async def registry_probe(sandbox: Sandbox, reference: str, *, practice: bool = True) -> PermissionCheck | NotChecked:
    address = sandbox.registry_address if practice else GOOGLE_REGISTRIES
    target = Target(source="registry", address=address, resource="tags of images", practice=practice)
    checker = PermissionChecker(Caller(kind="practice"), Login(), 20.0, quiet)
    request = PermissionRequest(
        pipeline=example().pipeline, target=target, checker=checker, images=(parse_image(reference),)
    )
    found = await registry.check(request)
    (permission,) = (*found.checks, *found.not_checked)
    return permission


@pytest.mark.parametrize(
    ("reference", "project"),
    [("us-docker.pkg.dev/images-project/x/y:latest", "images-project"), ("gcr.io/x/y:latest", PROJECT)],
    ids=["another project", "no project's name"],
)
async def test_the_role_is_granted_where_the_image_lives(reference: str, project: str, serve: Serve) -> None:
    sandbox = await serve("healthy", Fault(method="GetManifest", status="PERMISSION_DENIED"))

    probe = await registry_probe(sandbox, reference)

    assert isinstance(probe, PermissionCheck)
    assert (probe.mend or "").startswith(f"gcloud projects add-iam-policy-binding {project} ")


async def test_a_tag_that_is_gone_is_a_failure_that_names_the_image(sandbox: Sandbox) -> None:
    probe = await registry_probe(sandbox, f"us-west2-docker.pkg.dev/{PROJECT}/nba-props/nba-scrapers:gone")

    assert isinstance(probe, PermissionCheck)
    assert (probe.result, probe.what.endswith("/nba-scrapers:gone")) == ("failed", True)
    assert (probe.reason or "").startswith("NOT_FOUND: HTTP 404 ")


@pytest.mark.parametrize(
    "reference",
    ["docker.io/library/python:3.11", "us-docker.pkg.dev/p/x/y@sha256:" + "0" * 64, "gcr.io/../y:latest", "", ":::"],
    ids=["another's registry", "a digest", "no path", "nothing", "colons"],
)
async def test_an_image_whose_registry_gets_no_credentials_is_not_tried(reference: str, sandbox: Sandbox) -> None:
    assert isinstance(await registry_probe(sandbox, reference, practice=False), NotChecked)
