"""Images are looked into once each, whoever runs them, and what no probe could tell is a gap."""

from collections import Counter

from checks import Verdict, check
from checks.collect import collect
from checks.pipeline import Pipeline
from checks.settings import parse_settings
from sandbox import Fault
from validate_daily.init import settings_text

from conftest import Serve

EXAMPLE = parse_settings(settings_text("example"), origin="example")
DEPLOYED = ("cloud-run", "registry")


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
    assert {proof.result.value for each in snapshot.deployments.inspected for proof in each.proofs} == {"matched"}


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
    results = Counter(proof.result.value for each in snapshot.deployments.inspected for proof in each.proofs)
    assert results == {"matched": 10, "unknown": 2}
