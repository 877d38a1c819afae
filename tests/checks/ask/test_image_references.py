"""What an image's reference means, asked over the wire: no tag, a tag with a digest, an index and what runs of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from checks import Verdict, check
from checks.ask.verify_deploy import Asked, verify_deploy
from checks.judge.report import Report
from checks.settings.file import parse_settings
from checks.settings.template import settings_text
from validate_daily.sandbox import World, build, running
from validate_daily.sandbox.images import Build
from validate_daily.sandbox.registry.images import Content, Image, build_image
from validate_daily.sandbox.run.state import Job

from conftest import Serve
from support.commands import run, settings
from support.run_world import digest

EXAMPLE = parse_settings(settings_text("example"), origin="example")
PLAIN = EXAMPLE.model_copy(update={"code_probes": ()})
PHASE2 = "nba-phase2-raw-processors"
ONE = "bdl-standings-processor-backfill"


def repository(world: World) -> str:
    return world.pipeline.repository(PHASE2)


def deployed_as(world: World, reference: str) -> None:
    """Let the template of phase 2 name this; what its revision recorded stays."""
    service = world.service(PHASE2)
    container = replace(service.template.containers[0], image=reference)
    service.template = replace(service.template, containers=(container,))


def recorded(world: World, wanted: str) -> None:
    """Let the serving revision of phase 2 have recorded this digest."""
    for revision, _ in world.service(PHASE2).serving():
        container = replace(revision.template.containers[0], image=f"{repository(world)}@{wanted}")
        revision.template = replace(revision.template, containers=(container,))


def job(world: World) -> Job:
    return next(each for each in world.run.jobs.values() if each.short == ONE)


def job_runs(world: World, reference: str) -> None:
    job(world).task = replace(job(world).task, containers=(replace(job(world).task.containers[0], image=reference),))


def served(world: World) -> str:
    return next(revision.image.partition("@")[2] for revision, _ in world.service(PHASE2).serving())


def moved(world: World, tag: str = "latest") -> str:
    """Push another image, and let the tag name it."""
    return world.images.push(repository(world), Build("new", "abcdef12"), tag)


def index(world: World) -> tuple[str, str, str]:
    """Push an index that `latest` then names: its digest, the manifest for amd64, and one for another processor."""
    files = {"app/shared/__init__.py": b""}
    of_index = build_image(Image([files], indexed=True))
    arm = build_image(Image([{**files, "arm": b""}]))
    path = repository(world).partition("/")[2]
    world.registry.push(path, arm)
    world.registry.push(path, of_index, "latest")
    return _both(world, of_index.manifests[0], arm.manifests[0])


def _both(world: World, amd64: Content, arm64: Content) -> tuple[str, str, str]:
    """An index of two platforms."""
    built = build_image(Image([{"x": b""}]))
    entries = [
        each.descriptor | {"platform": {"architecture": name, "os": "linux"}}
        for each, name in ((arm64, "arm64"), (amd64, "amd64"))
    ]
    whole = Content("application/vnd.oci.image.index.v1+json", _json({"schemaVersion": 2, "manifests": entries}))
    path = repository(world).partition("/")[2]
    world.registry.push(path, replace(built, manifests=[*built.manifests, whole]), "latest")
    return whole.digest, amd64.digest, arm64.digest


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value).encode()


def about(report: Report, subject: str = PHASE2) -> set[tuple[str, str]]:
    return {(finding.rule, finding.severity) for finding in report.findings if finding.subject == subject}


async def test_a_service_without_a_tag_was_deployed_by_latest(serve: Serve) -> None:
    cloud = await serve("healthy")
    deployed_as(cloud.world, repository(cloud.world))
    assert (await check(PLAIN, environment=cloud.environment())).verdict is Verdict.HEALTHY
    job_runs(cloud.world, f"{repository(cloud.world)}@{served(cloud.world)}")
    moved(cloud.world)

    report = await check(PLAIN, environment=cloud.environment())
    gate = await verify_deploy(PLAIN, Asked(PHASE2), environment=cloud.environment())

    assert ("serving-digest-not-tag", "P1") in about(report)
    assert (gate.deployed, gate.exit_code) == (False, 1)
    assert "by digest" not in gate.model_dump_json() + report.model_dump_json()


async def test_a_job_without_a_tag_runs_latest(serve: Serve) -> None:
    cloud = await serve("healthy")
    for each in cloud.world.run.jobs.values():
        pinned = f"{repository(cloud.world)}@{served(cloud.world)}"
        each.task = replace(each.task, containers=(replace(each.task.containers[0], image=pinned),))
    deployed_as(cloud.world, f"{repository(cloud.world)}@{served(cloud.world)}")
    job_runs(cloud.world, repository(cloud.world))
    assert (await check(PLAIN, environment=cloud.environment())).verdict is Verdict.HEALTHY
    moved(cloud.world)

    report = await check(PLAIN, environment=cloud.environment())

    assert {rule for rule, _ in about(report, ONE)} == {"job-image-differs"}


def test_the_list_of_jobs_names_the_tag_that_is_meant(tmp_path: Path) -> None:
    world = build("healthy")
    deployed_as(world, f"{repository(world)}@{served(world)}")
    job_runs(world, repository(world))
    moved(world)
    with running(world) as sandbox:
        listed = run(sandbox, "jobs", "--config", settings(tmp_path))
        planned = run(sandbox, "jobs", "--update", PHASE2, "--job", ONE, "--config", settings(tmp_path))

    assert "None" not in listed.stdout + planned.stdout + planned.stderr
    assert "would run what it serves" not in planned.stdout + planned.stderr
    assert ONE in planned.stdout


async def test_a_tag_beside_a_digest_decides_nothing(serve: Serve) -> None:
    cloud = await serve("healthy")
    own = served(cloud.world)
    deployed_as(cloud.world, f"{repository(cloud.world)}:latest@{own}")
    for each in cloud.world.run.jobs.values():
        image = f"{repository(cloud.world)}:latest@{own}"
        each.task = replace(each.task, containers=(replace(each.task.containers[0], image=image),))
    moved(cloud.world)
    assert (await check(PLAIN, environment=cloud.environment())).verdict is Verdict.HEALTHY

    job_runs(cloud.world, f"{repository(cloud.world)}:latest@{moved(cloud.world, 'other')}")
    report = await check(PLAIN, environment=cloud.environment())
    assert {rule for rule, _ in about(report, ONE)} == {"job-image-differs"}


async def test_the_settings_tag_is_wanted_of_a_service_that_was_deployed_by_digest_too(serve: Serve) -> None:
    cloud = await serve("healthy")
    deployed_as(cloud.world, f"{repository(cloud.world)}:latest@{served(cloud.world)}")
    services = [each.model_copy(update={"tag": "latest"}) if each.name == PHASE2 else each for each in PLAIN.services]
    moved(cloud.world)

    report = await check(PLAIN.model_copy(update={"services": tuple(services)}), environment=cloud.environment())

    assert ("serving-digest-not-tag", "P1") in about(report)


@pytest.mark.parametrize("records", ["index", "child"])
@pytest.mark.parametrize("runs", ["index", "child", "tag"])
async def test_an_index_and_what_runs_of_it_are_one_image_for_jobs(records: str, runs: str, serve: Serve) -> None:
    cloud = await serve("healthy")
    of_index, amd64, _ = index(cloud.world)
    recorded(cloud.world, of_index if records == "index" else amd64)
    deployed_as(cloud.world, f"{repository(cloud.world)}@{of_index}")
    image = {"index": f"@{of_index}", "child": f"@{amd64}", "tag": ":latest"}[runs]
    for each in cloud.world.run.jobs.values():
        reference = f"{repository(cloud.world)}{image}"
        each.task = replace(each.task, containers=(replace(each.task.containers[0], image=reference),))
    if runs != "tag":
        moved(cloud.world)

    assert (await check(PLAIN, environment=cloud.environment())).verdict is Verdict.HEALTHY


async def test_a_job_of_another_platform_runs_something_else(serve: Serve) -> None:
    cloud = await serve("healthy")
    of_index, _, arm64 = index(cloud.world)
    recorded(cloud.world, of_index)
    job_runs(cloud.world, f"{repository(cloud.world)}@{arm64}")

    report = await check(PLAIN, environment=cloud.environment())

    assert {rule for rule, _ in about(report, ONE)} == {"job-image-differs"}


async def test_a_service_whose_tag_names_what_runs_of_its_index_is_fine(serve: Serve) -> None:
    cloud = await serve("healthy")
    of_index, amd64, arm64 = index(cloud.world)
    recorded(cloud.world, of_index)
    path = repository(cloud.world).partition("/")[2]
    cloud.world.registry.tag(path, "latest", amd64)
    assert (await check(PLAIN, environment=cloud.environment())).verdict is Verdict.HEALTHY
    cloud.world.registry.tag(path, "latest", arm64)
    assert ("serving-digest-not-tag", "P1") in about(await check(PLAIN, environment=cloud.environment()))


@pytest.mark.parametrize(
    ("records", "asked", "code"),
    [
        ("index", "index", 0),
        ("index", "amd64", 0),
        ("index", "arm64", 1),
        ("index", "other", 1),
        ("amd64", "index", 0),
        ("amd64", "amd64", 0),
        ("amd64", "arm64", 1),
    ],
)
async def test_the_gate_takes_an_index_and_what_runs_of_it_for_one(
    records: str, asked: str, code: int, serve: Serve
) -> None:
    cloud = await serve("healthy")
    of_index, amd64, arm64 = index(cloud.world)
    digests = {"index": of_index, "amd64": amd64, "arm64": arm64, "other": moved(cloud.world, "other")}
    recorded(cloud.world, digests[records])

    gate = await verify_deploy(PLAIN, Asked(PHASE2, digest=digests[asked]), environment=cloud.environment())

    assert gate.exit_code == code
    assert digest("a") not in gate.reason


@pytest.mark.parametrize(
    ("tag", "rules"),
    [("20241115", set[str]()), ("7293846182", set[str]()), ("2ebef0d", {"commit-label-contradicted"})],
)
async def test_a_tag_of_digits_contradicts_no_commit_label(tag: str, rules: set[str], serve: Serve) -> None:
    cloud = await serve("healthy")
    world = cloud.world
    world.registry.tag(repository(world).partition("/")[2], tag, served(world))
    deployed_as(world, f"{repository(world)}:{tag}")
    claimed = {"commit-sha": f"{world.pipeline.fixed}01c5f0a7d9b3c1e2f4a6b8c0d1e2f3a4"}
    world.service(PHASE2).labels = claimed
    for revision, _ in world.service(PHASE2).serving():
        revision.template = replace(revision.template, labels=claimed)

    report = await check(PLAIN, environment=cloud.environment())

    assert {rule for rule, _ in about(report) if rule == "commit-label-contradicted"} == rules
