"""Images are looked into once each, whoever runs them, and what no probe could tell is a gap."""

from collections import Counter

import pytest

from checks import Verdict, check
from checks.ask.snapshot import collect
from checks.evidence.deployments import Deployments, Job, Tag
from checks.evidence.snapshot import Target
from checks.judge.deployed.proofs import proofs_of
from checks.settings.file import parse_settings
from checks.settings.pipeline import Pipeline
from checks.settings.template import settings_text
from checks.sources.budget import Budget
from checks.sources.image_references import parse_image
from checks.sources.registry.inspection import inspect_images
from validate_daily.sandbox import Fault

from conftest import Serve

EXAMPLE = parse_settings(settings_text("example"), origin="example")
DEPLOYED = ("cloud-run", "registry")
HOME = "gcr.io/demo-nba/backfill"
NOWHERE = Target(source="registry", address="127.0.0.1:9", resource="images", practice=True)


def without_probes() -> Pipeline:
    return EXAMPLE.model_copy(update={"code_probes": ()})


async def test_each_digest_is_read_once_for_all_that_run_it(serve: Serve) -> None:
    cloud = await serve("healthy")

    snapshot = await collect(EXAMPLE, sources=DEPLOYED, environment=cloud.environment())

    assert snapshot.deployments is not None
    images = [each.contents.digest for each in snapshot.deployments.inspected]
    assert len(images) == len(set(images)) == 6, "six services; the jobs run what one of them serves"
    asked = Counter(call.method for call in cloud.world.calls)
    assert asked["GetBlob"] == 12, "a configuration and the newest layer of each"
    assert {proof.result.value for each in snapshot.deployments.inspected for proof in proofs_of(each)} == {"matched"}


async def test_without_code_probes_no_image_is_read(serve: Serve) -> None:
    cloud = await serve("healthy")

    await collect(without_probes(), sources=DEPLOYED, environment=cloud.environment())

    assert "GetBlob" not in {call.method for call in cloud.world.calls}


async def test_an_image_that_cannot_be_read_is_a_gap_and_never_healthy(serve: Serve) -> None:
    cloud = await serve("healthy", Fault(service="registry", method="GetBlob", status="PERMISSION_DENIED"))

    report = await check(EXAMPLE, environment=cloud.environment())

    assert report.verdict is Verdict.UNKNOWN
    (gap,) = report.gaps
    assert gap.source == "registry"
    assert gap.reason.startswith("code probe monitoring-is-a-package in us-west2-docker.pkg.dev/")
    assert "PERMISSION_DENIED" in gap.reason
    assert "roles/artifactregistry.reader" in gap.next_step


async def test_one_image_that_fails_hinders_no_other(serve: Serve) -> None:
    cloud = await serve("healthy", Fault(service="registry", method="GetBlob", status="NOT_FOUND", times=1))

    snapshot = await collect(EXAMPLE, sources=DEPLOYED, environment=cloud.environment())

    assert snapshot.deployments is not None
    results = Counter(proof.result.value for each in snapshot.deployments.inspected for proof in proofs_of(each))
    assert results == {"matched": 10, "unknown": 2}


def named(reference: str, tags: tuple[Tag, ...] = ()) -> Deployments:
    """A job of this image, where tags point so."""
    job = Job(name="backfill", project="p", region="r", image=parse_image(reference))
    return Deployments(jobs=(job,), tags=tags)


BACKFILL = EXAMPLE.model_copy(
    update={"code_probes": tuple(each.model_copy(update={"subjects": ("backfill",)}) for each in EXAMPLE.code_probes)}
)


@pytest.mark.parametrize("reference", [f"{HOME}:latest", HOME])
async def test_an_image_whose_digest_nobody_knows_is_a_gap(reference: str) -> None:
    tags = (Tag(repository=HOME, tag="latest", digest=None),)

    inspected, gaps = await inspect_images(BACKFILL, named(reference, tags), NOWHERE, Budget(5))

    assert inspected == ()
    assert [gap.reason for gap in gaps] == [
        f"code probes in backfill: which digest {reference} stands for is not known"
    ]


async def test_of_a_tag_that_could_not_be_looked_up_its_own_gap_tells() -> None:
    assert await inspect_images(BACKFILL, named(f"{HOME}:latest"), NOWHERE, Budget(5)) == ((), ())
