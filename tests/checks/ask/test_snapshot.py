import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from checks.ask.snapshot import collect
from checks.evidence.snapshot import Snapshot
from checks.judge.report import judge
from checks.settings.errors import UsageError
from checks.settings.file import parse_settings
from checks.settings.pipeline import Pipeline
from checks.settings.sources import SOURCE_NAMES, SourceName
from checks.settings.template import settings_text
from validate_daily.sandbox import Clock, Fault, Sandbox, build

from conftest import Serve

EXAMPLE = parse_settings(settings_text("example"), origin="example")
VARIABLES = {
    "cloud-run": "VALIDATE_DAILY_RUN_ENDPOINT",
    "logging": "VALIDATE_DAILY_LOGGING_ENDPOINT",
    "registry": "VALIDATE_DAILY_REGISTRY_ENDPOINT",
}
SIDES = {"firestore": "firestore", "cloud-run": "run", "logging": "logging", "registry": "registry"}


async def look(sandbox: Sandbox, *, pipeline: Pipeline = EXAMPLE, seconds: float = 30.0) -> Snapshot:
    return await collect(pipeline, timeout=seconds, environment=sandbox.environment())


async def test_every_source_tells_its_evidence_and_nothing_is_missing(sandbox: Sandbox) -> None:
    snapshot = await look(sandbox)

    assert snapshot.gaps == ()
    assert [target.source for target in snapshot.targets] == [
        source for source in SOURCE_NAMES if source not in EXAMPLE.unasked
    ]
    assert all(target.practice for target in snapshot.targets)
    assert snapshot.census is not None
    assert snapshot.logs is not None
    assert snapshot.logs.runs
    assert snapshot.deployments is not None
    assert len(snapshot.deployments.services) == 6
    assert len(snapshot.deployments.jobs) > 20
    for service in snapshot.deployments.services:
        assert service.serving
        assert all(revision and revision.image.digest for _, revision in service.serving)
        assert not service.image.tag or snapshot.deployments.tag(service.image)


async def test_only_what_is_asked_for_is_asked(sandbox: Sandbox) -> None:
    snapshot = await collect(EXAMPLE, sources=("firestore",), environment=sandbox.environment())

    assert [target.source for target in snapshot.targets] == ["firestore"]
    assert (snapshot.deployments, snapshot.logs, snapshot.gaps) == (None, None, ())
    assert [call.method for call in sandbox.world.calls] == ["RunAggregationQuery", "RunQuery"]


@pytest.mark.parametrize("source", ["cloud-run", "logging", "registry"])
async def test_a_source_that_is_switched_off_is_not_asked_and_no_gap(sandbox: Sandbox, source: SourceName) -> None:
    switches = EXAMPLE.sources.model_copy(update={source.replace("-", "_"): "off"})

    snapshot = await look(sandbox, pipeline=EXAMPLE.model_copy(update={"sources": switches}))

    assert snapshot.gaps == ()
    assert source not in {target.source for target in snapshot.targets}
    assert (snapshot.deployments is None) is (source == "cloud-run")
    assert (snapshot.logs is None) is (source == "logging")


async def test_without_firestore_the_clock_is_this_machines_and_that_is_a_gap(sandbox: Sandbox) -> None:
    snapshot = await collect(EXAMPLE, sources=("cloud-run",), environment=sandbox.environment())

    assert snapshot.census is None
    assert snapshot.deployments is not None
    assert snapshot.deployments.tags == ()
    assert [gap.source for gap in snapshot.gaps] == ["clock"]


@pytest.mark.parametrize("source", SIDES)
@pytest.mark.parametrize("status", ["UNAVAILABLE", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"])
async def test_a_source_that_fails_hinders_no_other(serve: Serve, source: SourceName, status: str) -> None:
    fault = {"service": SIDES[source], "status": status}
    sandbox = await serve("healthy", Fault.model_validate(fault))

    snapshot = await look(sandbox)

    assert {gap.source for gap in snapshot.gaps} - {"clock"} == {source}
    assert (snapshot.census is None) is (source == "firestore")
    assert (snapshot.deployments is None) is (source == "cloud-run")
    assert (snapshot.logs is None) is (source == "logging")


@pytest.mark.parametrize("source", SIDES)
async def test_a_source_that_hangs_costs_the_budget_and_hinders_no_other(serve: Serve, source: SourceName) -> None:
    sandbox = await serve("healthy", Fault.model_validate({"service": SIDES[source], "hang": True}))
    await collect(EXAMPLE, sources=(), environment=sandbox.environment())
    started = asyncio.get_running_loop().time()

    snapshot = await look(sandbox, seconds=4.0)

    assert asyncio.get_running_loop().time() - started < 12
    assert {gap.source for gap in snapshot.gaps} - {"clock"} == {source}


@pytest.mark.parametrize(("source", "variable"), VARIABLES.items())
@pytest.mark.parametrize("address", ["10.0.0.1:8080", "https://evil.example", "http://127.0.0.1:1", "127.0.0.1"])
async def test_an_address_that_is_refused_is_refused_before_anything_is_asked(
    sandbox: Sandbox, source: SourceName, variable: str, address: str
) -> None:
    with pytest.raises(UsageError, match=variable):
        await collect(EXAMPLE, sources=(source,), environment=sandbox.environment() | {variable: address})

    assert list(sandbox.world.calls) == []


async def test_the_environment_wins_over_the_settings(sandbox: Sandbox) -> None:
    told = {"run": "127.0.0.1:1", "logging": "127.0.0.1:1", "registry": "127.0.0.1:1"}
    pipeline = Pipeline.model_validate(EXAMPLE.model_dump(by_alias=True) | {"endpoints": told})

    assert (await look(sandbox, pipeline=pipeline)).gaps == ()


async def test_the_settings_name_an_endpoint(sandbox: Sandbox) -> None:
    told = {"run": sandbox.run_address, "logging": sandbox.logging_address, "registry": sandbox.registry_address}
    pipeline = Pipeline.model_validate(EXAMPLE.model_dump(by_alias=True) | {"endpoints": told})
    environment: Mapping[str, str] = {"FIRESTORE_EMULATOR_HOST": sandbox.firestore_address}

    assert (await collect(pipeline, environment=environment)).gaps == ()


async def test_without_credentials_every_source_of_googles_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file.json")

    snapshot = await collect(EXAMPLE, timeout=10.0, environment={})

    assert [target.address for target in snapshot.targets] == [
        "firestore.googleapis.com",
        "run.googleapis.com",
        "logging.googleapis.com",
        "*.pkg.dev, *.gcr.io",
    ]
    assert {gap.source for gap in snapshot.gaps} == {"firestore", "cloud-run", "logging", "clock"}
    assert all("no usable credentials" in gap.reason for gap in snapshot.gaps if gap.source != "clock")


@pytest.mark.parametrize("off", [timedelta(hours=-40), timedelta(minutes=-30), timedelta(hours=3)])
async def test_a_machine_whose_clock_is_wrong_looks_through_the_logs_by_firestores(
    off: timedelta, serve: Serve
) -> None:
    clock = Clock(datetime.now(UTC) + off)
    snapshot = await look(await serve(build("stuck-operation", clock=clock)))

    assert snapshot.logs is not None
    assert abs(snapshot.logs.until - snapshot.taken_at) < timedelta(minutes=1)
    assert "stuck-operation" in {each.rule for each in judge(snapshot).findings}
