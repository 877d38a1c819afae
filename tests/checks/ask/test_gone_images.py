"""Images that the registry of a practice cloud does not have any more: what a check says of them, and a deploy gate."""

from dataclasses import replace

import pytest

from checks import Verdict, check
from checks.ask.verify_deploy import Asked, verify_deploy
from checks.evidence.snapshot import Target
from checks.settings.file import parse_settings
from checks.settings.template import settings_text
from checks.sources.addresses import GOOGLE_REGISTRIES
from checks.sources.registry.addresses import is_foreign
from validate_daily.sandbox import World

from conftest import Serve
from support.cloud_run import PHASE2, PHASE3

EXAMPLE = parse_settings(settings_text("example"), origin="example")
PLAIN = EXAMPLE.model_copy(update={"code_probes": ()})
ONE = "bdl-standings-processor-backfill"
NOWHERE = "sha256:" + "4" * 64


def job_runs(world: World, image: str) -> None:
    job = next(each for each in world.run.jobs.values() if each.short == ONE)
    job.task = replace(job.task, containers=(replace(job.task.containers[0], image=image),))


def serve_nowhere(world: World) -> None:
    """Let phase 2 serve a digest that the registry does not have."""
    for revision in world.service(PHASE2).revisions.values():
        image = f"{world.pipeline.repository(PHASE2)}@{NOWHERE}"
        containers = (replace(revision.template.containers[0], image=image),)
        revision.template = replace(revision.template, containers=containers)


@pytest.mark.parametrize("reference", [":v3", f"@{NOWHERE}", f":v4@{NOWHERE}"])
async def test_a_job_whose_image_is_gone_is_named(reference: str, serve: Serve) -> None:
    cloud = await serve("healthy")
    job_runs(cloud.world, f"{cloud.world.pipeline.repository(PHASE3)}{reference}")

    report = await check(PLAIN, environment=cloud.environment())

    assert report.verdict in {Verdict.P1, Verdict.P2}
    assert ("image-gone", ONE) in {(each.rule, each.subject) for each in report.findings}


async def test_a_served_digest_that_is_gone_is_told_and_the_gate_believes_cloud_run(serve: Serve) -> None:
    cloud = await serve("healthy")
    serve_nowhere(cloud.world)

    report = await check(PLAIN, environment=cloud.environment())
    gate = await verify_deploy(PLAIN, Asked(PHASE2, digest=NOWHERE), environment=cloud.environment())
    other = await verify_deploy(PLAIN, Asked(PHASE3, digest=NOWHERE), environment=cloud.environment())

    assert ("image-gone", "P2", PHASE2) in {(each.rule, each.severity, each.subject) for each in report.findings}
    assert (gate.exit_code, other.exit_code) == (0, 3)


def test_an_image_of_another_registry_is_told_from_ours() -> None:
    google = Target(source="registry", address=GOOGLE_REGISTRIES, resource="", practice=False)
    practice = google.model_copy(update={"practice": True})
    foreign = ("docker.io/n8nio/n8n", "n8nio/n8n", "redis", "ghcr.io/a/b", "localhost:5000/a")
    ours = ("us-west2-docker.pkg.dev/shop/apps/orders", "gcr.io/shop/orders", "eu.gcr.io/shop/orders")

    assert [is_foreign(google, each) for each in (*foreign, *ours)] == [True] * len(foreign) + [False] * len(ours)
    assert not any(is_foreign(practice, each) for each in foreign)
