"""Other people's services and jobs beside the pipeline's: asked over the wire of a practice cloud."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from checks import Verdict, check
from checks.judge.report import Report
from checks.settings.file import parse_settings
from checks.settings.pipeline import Pipeline
from checks.settings.template import settings_text
from validate_daily.sandbox import World
from validate_daily.sandbox.images import Build
from validate_daily.sandbox.run.state import Container, Task, Template

from conftest import Serve
from support.cloud_run import PHASE2

EXAMPLE = parse_settings(settings_text("example"), origin="example")
PLAIN = EXAMPLE.model_copy(update={"code_probes": ()})
NAMELESS = PLAIN.model_copy(update={"services": (), "jobs": ()})
UNREADABLE = "n8nio/N8N:latest"
"""An image that no registry may be asked for."""


def add_service(world: World, name: str, image: str) -> None:
    template = Template((Container(image, "main", 8080),))
    at = world.clock.now() - timedelta(days=2)
    world.run.add_service(world.place, name, template, number=1, at=at, actor="anna@example.com", labels={})


def add_job(world: World, name: str, image: str) -> None:
    at = world.clock.now() - timedelta(days=2)
    world.run.add_job(world.place, name, Task((Container(image),)), at=at, actor="anna@example.com", labels={})


def failed(world: World) -> None:
    """A service whose newest revision failed: there is no such image."""
    add_service(world, "intern-demo", "us-west2-docker.pkg.dev/nba-props-platform/demos/intern:v1")


STRANGERS: dict[str, Callable[[World], None]] = {
    "its image cannot be asked for": lambda world: add_service(world, "n8n", UNREADABLE),
    "its newest revision failed": failed,
    "its image has no host": lambda world: add_service(world, "whoami", "traefik/whoami"),
    "a job of an image that is not there": lambda world: add_job(world, "sweeper", "gcr.io/other/sweeper:v9"),
    "a job whose image cannot be asked for": lambda world: add_job(world, "sweeper", UNREADABLE),
    "its name begins as one of ours": lambda world: add_service(world, f"{PHASE2}-demo", UNREADABLE),
}


async def report_on(serve: Serve, change: Callable[[World], None], pipeline: Pipeline = PLAIN) -> Report:
    cloud = await serve("healthy")
    change(cloud.world)
    return await check(pipeline, environment=cloud.environment())


def others(report: Report) -> list[str]:
    return [each.reason for each in report.not_checked if "other service" in each.reason or "other job" in each.reason]


@pytest.mark.parametrize("change", STRANGERS.values(), ids=STRANGERS)
async def test_what_the_settings_do_not_name_makes_no_finding_and_no_gap(
    change: Callable[[World], None], serve: Serve
) -> None:
    report = await report_on(serve, change)

    assert (report.verdict, report.findings, report.gaps) == (Verdict.HEALTHY, (), ())
    assert len(others(report)) == 1


@pytest.mark.parametrize("change", [STRANGERS["its image cannot be asked for"], failed])
async def test_where_the_settings_name_nothing_everything_counts(change: Callable[[World], None], serve: Serve) -> None:
    report = await report_on(serve, change, NAMELESS)

    assert report.verdict in {Verdict.P1, Verdict.UNKNOWN}
    assert others(report) == []


async def test_an_unreadable_image_of_a_service_that_the_settings_name_stays_unknown(serve: Serve) -> None:
    named = (*PLAIN.services, PLAIN.services[0].model_copy(update={"name": "n8n"}))

    report = await report_on(
        serve, STRANGERS["its image cannot be asked for"], PLAIN.model_copy(update={"services": named})
    )

    assert report.exit_code != 0
    assert any("N8N" in gap.reason for gap in report.gaps)


async def test_a_service_that_nobody_named_and_that_runs_our_image_counts(serve: Serve) -> None:
    def change(world: World) -> None:
        image = f"{world.pipeline.repository(PHASE2)}:gone"
        add_job(world, "forgotten", f"{world.pipeline.repository(PHASE2)}:latest")
        add_service(world, "copy", image)

    report = await report_on(serve, change)

    assert "copy" in {finding.subject for finding in report.findings}
    assert others(report) == []


async def test_who_should_run_a_processor_counts_by_its_name(serve: Serve) -> None:
    first, *rest = PLAIN.heartbeats.processors
    processors = (first.model_copy(update={"service": "intern-demo"}), *rest)
    heartbeats = PLAIN.heartbeats.model_copy(update={"processors": processors})

    report = await report_on(serve, failed, PLAIN.model_copy(update={"heartbeats": heartbeats}))

    assert ("revision-not-serving", "intern-demo") in {(each.rule, each.subject) for each in report.findings}


async def test_who_writes_the_heartbeat_of_a_processor_counts_and_its_image_is_asked_for(serve: Serve) -> None:
    cloud = await serve("healthy")
    named = tuple(each for each in PLAIN.services if each.name != PHASE2)
    jobs = tuple(each for each in PLAIN.jobs if each.follows != PHASE2)
    processors = tuple(each.model_copy(update={"service": None}) for each in PLAIN.heartbeats.processors)
    heartbeats = PLAIN.heartbeats.model_copy(update={"processors": processors})
    pipeline = PLAIN.model_copy(update={"services": named, "jobs": jobs, "heartbeats": heartbeats})
    add_service(cloud.world, "n8n", UNREADABLE)
    repository = cloud.world.pipeline.repository(PHASE2)
    cloud.world.images.push(repository, Build("new", "abcdef12"))

    report = await check(pipeline, environment=cloud.environment())

    assert ("serving-digest-not-tag", PHASE2) in {(each.rule, each.subject) for each in report.findings}
    assert report.gaps == ()
    assert ["1 other service" in told for told in others(report)] == [True]
