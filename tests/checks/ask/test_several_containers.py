"""Every container is seen, and a verdict is about those that are ours: asked over the wire of a practice cloud."""

from dataclasses import replace
from pathlib import Path

import pytest

from checks import Verdict, check
from checks.ask.deployed_code import probe
from checks.ask.snapshot import collect
from checks.ask.verify_deploy import Asked, verify_deploy
from checks.judge.report import Report
from checks.settings.code_probe import CodeProbe
from checks.settings.file import parse_settings
from checks.settings.pipeline import Pipeline
from checks.settings.template import settings_text
from validate_daily.sandbox import World, build, running
from validate_daily.sandbox.images import Build
from validate_daily.sandbox.run.state import Container

from conftest import Serve
from support.cloud_run import PHASE2
from support.commands import run, settings
from support.container_shapes import FRONT, INIT, ONE, PROGRAM, PROXY, SHAPES, UNCLEAR, WEB, give_job, give_service

EXAMPLE = parse_settings(settings_text("example"), origin="example")
PLAIN = EXAMPLE.model_copy(update={"code_probes": ()})
ELSEWHERE = replace(FRONT, image="us-west2-docker.pkg.dev/nba-props-platform/nba-props/nginx:1.27")
TWIN = replace(PROGRAM, name="bare")


def repository(world: World) -> str:
    return world.pipeline.repository(PHASE2)


def with_service(pipeline: Pipeline = PLAIN, name: str = PHASE2, **told: str) -> Pipeline:
    """The same settings, with more about a service or a job."""
    entries = {
        key: tuple(each.model_copy(update=told) if each.name == name else each for each in found)
        for key, found in (("services", pipeline.services), ("jobs", pipeline.jobs))
    }
    return pipeline.model_copy(update=entries)


def push(world: World, container: Container, commit: str = "aaaa1111") -> None:
    """Push an image for the tag that a container names."""
    repository, _, tag = container.image.rpartition(":")
    world.images.push(repository, Build("new", commit), tag)


def run_there(world: World, shape: tuple[Container, ...]) -> None:
    """Let phase 2 have these containers, each image as its revision resolved it."""
    give_service(world, shape)
    for revision in world.service(PHASE2).revisions.values():
        containers = tuple(
            replace(each, image=world.images.pinned(each.image) or each.image) for each in revision.template.containers
        )
        revision.template = replace(revision.template, containers=containers)


def moved(world: World, reference: str) -> None:
    """Let the tag of a reference name another image."""
    repository, _, tag = reference.rpartition(":")
    world.images.push(repository, Build("new", "abcdef12"), tag)


def pin_jobs(world: World) -> None:
    """Let every job run what phase 2 serves, by its digest."""
    served = next(
        world.images.program(revision.template.containers).image for revision, _ in world.service(PHASE2).serving()
    )
    for job in world.run.jobs.values():
        job.task = replace(job.task, containers=(replace(job.task.containers[0], image=served),))


def about(report: Report) -> set[tuple[str, str, str]]:
    return {(finding.rule, finding.severity, finding.subject) for finding in report.findings}


def everything(report: Report) -> str:
    return report.model_dump_json()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
async def test_what_stands_beside_the_program_changes_no_verdict(shape: tuple[Container, ...], serve: Serve) -> None:
    cloud = await serve("healthy")
    push(cloud.world, WEB)
    pin_jobs(cloud.world)
    run_there(cloud.world, shape)
    give_job(cloud.world, shape)

    report = await check(with_service(EXAMPLE, repository=repository(cloud.world)), environment=cloud.environment())

    assert (report.verdict, about(report)) == (Verdict.HEALTHY, set())
    for image in (PROXY.image, FRONT.image, INIT.image, "redis"):
        assert image not in everything(report)


@pytest.mark.parametrize("named", ["by the settings", "by nobody"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
async def test_a_tag_that_moved_is_seen_behind_whatever_stands_there(
    shape: tuple[Container, ...], named: str, serve: Serve
) -> None:
    cloud = await serve("healthy")
    push(cloud.world, WEB)
    pin_jobs(cloud.world)
    run_there(cloud.world, shape)
    moved(cloud.world, f"{repository(cloud.world)}:latest")
    pipeline = with_service(repository=repository(cloud.world)) if named == "by the settings" else PLAIN

    report = await check(pipeline, environment=cloud.environment())

    assert ("serving-digest-not-tag", "P1", PHASE2) in about(report)
    (finding,) = (each for each in report.findings if each.rule == "serving-digest-not-tag")
    assert f"{repository(cloud.world)}:latest" in finding.model_dump_json()
    assert PROXY.image not in everything(report)


async def test_a_front_of_the_same_registry_is_never_asked_for_where_the_settings_say_what_is_ours(
    serve: Serve,
) -> None:
    cloud = await serve("healthy")
    pin_jobs(cloud.world)
    run_there(cloud.world, (ELSEWHERE, TWIN))

    report = await check(with_service(repository=repository(cloud.world)), environment=cloud.environment())

    assert report.verdict is Verdict.HEALTHY
    assert "nginx" not in everything(report)


async def test_two_images_of_ours_are_both_judged(serve: Serve) -> None:
    cloud = await serve("healthy")
    push(cloud.world, WEB)
    pin_jobs(cloud.world)
    run_there(cloud.world, (WEB, TWIN))
    assert (await check(PLAIN, environment=cloud.environment())).verdict is Verdict.HEALTHY
    moved(cloud.world, WEB.image)

    report = await check(PLAIN, environment=cloud.environment())

    assert ("serving-digest-not-tag", "P1", PHASE2) in about(report)
    assert WEB.image in everything(report)


async def test_the_settings_name_the_container_that_is_judged(serve: Serve) -> None:
    cloud = await serve("healthy")
    push(cloud.world, WEB)
    pin_jobs(cloud.world)
    run_there(cloud.world, (WEB, PROGRAM))
    moved(cloud.world, WEB.image)

    own = await check(with_service(container="worker-1"), environment=cloud.environment())
    web = await check(with_service(container="web"), environment=cloud.environment())

    assert own.verdict is Verdict.HEALTHY
    assert ("serving-digest-not-tag", "P1", PHASE2) in about(web)


async def test_a_name_that_no_container_bears_leaves_it_unknown_and_says_what_to_write(serve: Serve) -> None:
    cloud = await serve("healthy")
    push(cloud.world, WEB)
    pin_jobs(cloud.world)
    run_there(cloud.world, (WEB, PROGRAM))
    give_job(cloud.world, (PROXY, PROGRAM))
    pipeline = with_service(with_service(container="nobody"), ONE, container="nobody")

    report = await check(pipeline, environment=cloud.environment())

    assert report.verdict is Verdict.UNKNOWN
    told = [(gap.reason, gap.next_step) for gap in report.gaps]
    assert any(f"'nobody' of the service {PHASE2}, and it has web, worker-1" in reason for reason, _ in told)
    assert any(f"'nobody' of the job {ONE}, and it has cloudsql" in reason for reason, _ in told)
    assert all('container = "NAME" under [[' in step for _, step in told)


@pytest.mark.parametrize("shape", UNCLEAR.values(), ids=UNCLEAR)
async def test_code_probes_of_containers_that_differ_are_unknown_where_none_is_known_to_be_ours(
    shape: tuple[Container, ...], serve: Serve
) -> None:
    cloud = await serve("healthy")
    for each in shape:
        if each.image and each != PROXY:
            repository, _, tag = each.image.rpartition(":")
            cloud.world.images.push(repository, Build("old" if each is WEB else "new", "aaaa1111"), tag)
    pin_jobs(cloud.world)
    run_there(cloud.world, shape)
    mixed = any(each is WEB for each in shape)

    report = await check(EXAMPLE, environment=cloud.environment())
    told = await probe(EXAMPLE, subject=PHASE2, environment=cloud.environment())

    assert not any(finding.rule == "fix-not-deployed" for finding in report.findings)
    assert told.result == ("unknown" if mixed else "matched")
    assert any('container = "NAME" under [[services]]' in gap.next_step for gap in report.gaps) is mixed


async def test_a_probe_that_every_container_contradicts_needs_no_name(serve: Serve) -> None:
    cloud = await serve("healthy")
    run_there(cloud.world, (PROGRAM, PROGRAM))
    wanted = CodeProbe(name="fix", path="/app/nothing.py", exists=True, subjects=(PHASE2,))

    told = await probe(EXAMPLE, subject=PHASE2, asked=wanted, environment=cloud.environment())

    assert told.result == "contradicted"


@pytest.mark.parametrize("shape", [(PROXY, PROGRAM), (PROGRAM, PROXY), (INIT, PROGRAM, PROXY)])
async def test_a_job_with_a_proxy_is_judged_by_its_program(shape: tuple[Container, ...], serve: Serve) -> None:
    cloud = await serve("healthy")
    pin_jobs(cloud.world)
    give_job(cloud.world, shape)
    assert (await check(EXAMPLE, environment=cloud.environment())).verdict is Verdict.HEALTHY
    world = cloud.world
    world.images.push(repository(world), Build("old", "0ldc0de1"), tag="v0")
    job = next(each for each in world.run.jobs.values() if each.short == ONE)
    containers = tuple(
        replace(each, image=f"{repository(world)}:v0") if each.image.startswith(repository(world)) else each
        for each in job.task.containers
    )
    job.task = replace(job.task, containers=containers)

    report = await check(EXAMPLE, environment=cloud.environment())

    assert {rule for rule, _, subject in about(report) if subject == ONE} == {"job-image-differs", "job-image-stale"}
    assert PROXY.image not in everything(report)


async def test_a_job_none_of_whose_containers_runs_what_is_served_differs(serve: Serve) -> None:
    cloud = await serve("healthy")
    pin_jobs(cloud.world)
    give_job(cloud.world, UNCLEAR["two of ours"])
    push(cloud.world, WEB)

    report = await check(PLAIN, environment=cloud.environment())

    assert {rule for rule, _, subject in about(report) if subject == ONE} == {"job-image-differs"}


@pytest.mark.parametrize(
    ("name", "value", "rules"),
    [
        ("worker-1", "false", {"heartbeats-switched-off"}),
        ("cloudsql", "false", set[str]()),
        ("worker-1", "true", set[str]()),
    ],
)
async def test_heartbeats_are_switched_off_by_the_programs_own_environment(
    name: str, value: str, rules: set[str], serve: Serve
) -> None:
    cloud = await serve("healthy")
    run_there(cloud.world, (PROXY, PROGRAM))
    for revision in cloud.world.service(PHASE2).revisions.values():
        containers = tuple(
            replace(each, environment={"ENABLE_HEARTBEATS": value}) if each.name == name else each
            for each in revision.template.containers
        )
        revision.template = replace(revision.template, containers=containers)

    report = await check(PLAIN, environment=cloud.environment())

    assert {rule for rule, _, _ in about(report) if rule == "heartbeats-switched-off"} == rules


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
async def test_the_gate_is_about_the_program(shape: tuple[Container, ...], serve: Serve) -> None:
    cloud = await serve("healthy")
    push(cloud.world, WEB)
    run_there(cloud.world, shape)
    own = with_service(EXAMPLE, repository=repository(cloud.world))
    served = cloud.world.images.resolve(f"{repository(cloud.world)}:latest")
    for asked in (Asked(PHASE2), Asked(PHASE2, digest=served)):
        assert (await verify_deploy(own, asked, environment=cloud.environment())).exit_code == 0
    assert (await verify_deploy(EXAMPLE, Asked(PHASE2, digest=served), environment=cloud.environment())).exit_code == 0
    moved(cloud.world, f"{repository(cloud.world)}:latest")

    gate = await verify_deploy(own, Asked(PHASE2), environment=cloud.environment())

    assert (gate.deployed, gate.exit_code) == (False, 1)


async def test_the_gate_says_what_to_write_where_it_cannot_tell_what_is_meant(serve: Serve) -> None:
    cloud = await serve("healthy")
    push(cloud.world, WEB)
    run_there(cloud.world, (WEB, TWIN))

    gate = await verify_deploy(PLAIN, Asked(PHASE2), environment=cloud.environment())

    assert gate.exit_code == 3
    assert f'container = "NAME" under [[services]] name = "{PHASE2}"' in (gate.next_step or "")


async def test_every_container_is_evidence(serve: Serve) -> None:
    cloud = await serve("healthy")
    run_there(cloud.world, (PROXY, replace(TWIN, depends_on=("cloudsql",))))
    give_job(cloud.world, (PROXY, PROGRAM))

    snapshot = await collect(PLAIN, sources=("cloud-run",), environment=cloud.environment())

    assert snapshot.deployments is not None
    service = next(each for each in snapshot.deployments.services if each.name == PHASE2)
    (revision,) = (each for _, each in service.serving if each)
    for whole in (service.containers, revision.containers):
        assert [(each.name, each.port, each.depends_on) for each in whole] == [
            ("cloudsql", None, ()),
            ("worker-1", None, ("cloudsql",)),
        ]
        assert whole[0].image.reference == PROXY.image
    assert (service.containers[1].image.digest, revision.containers[1].image.digest is None) == (None, False)
    assert revision.image == revision.containers[1].image
    job = next(each for each in snapshot.deployments.jobs if each.name == ONE)
    assert [each.image.repository for each in job.containers][1] == repository(cloud.world)
    assert job.image == job.containers[1].image


def test_the_list_of_jobs_names_the_program(tmp_path: Path) -> None:
    world = build("healthy")
    give_job(world, (PROXY, PROGRAM))
    with running(world) as sandbox:
        listed = run(sandbox, "jobs", "--config", settings(tmp_path))

    assert PROXY.image not in listed.stdout
    assert listed.returncode == 0
