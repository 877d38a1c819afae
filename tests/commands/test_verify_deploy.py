"""``validate-daily verify-deploy``: the gate after a deploy, run as a CI step runs it."""

from pathlib import Path
from typing import Any

import pytest

from checks.ask.verify_deploy import Asked, verify_deploy
from checks.settings.file import parse_settings
from checks.settings.template import settings_text
from validate_daily.sandbox import Fault, Sandbox, World, build, running
from validate_daily.sandbox.images import Build

from conftest import Serve
from support.commands import example, run, told

PHASE2, PHASE3, PHASE4 = (
    "nba-phase2-raw-processors",
    "nba-phase3-analytics-processors",
    "nba-phase4-precompute-processors",
)
EXAMPLE = parse_settings(settings_text("example"), origin="example")


@pytest.fixture
def config(tmp_path: Path) -> str:
    return example(tmp_path)


def gate(sandbox: Sandbox, config: str, *command: str, code: int) -> dict[str, Any]:
    return told(sandbox, "verify-deploy", "--config", config, *command, code=code)


CASES = [
    ("healthy", (PHASE2,), 0, True, "bytes", "every share of the traffic serves it, and 2 code probes hold"),
    ("healthy", (PHASE3, "--commit", "ce269d67"), 0, True, "bytes", "every share"),
    ("healthy", (PHASE3, "--commit", "aaaaaaa"), 3, None, "digest", "no image is tagged aaaaaaa"),
    ("tag-moved", (PHASE2,), 1, False, "digest", f"serves 100 % by {PHASE2}-00129-lf2"),
    ("split-traffic", (PHASE3,), 1, False, "digest", f"serves 30 % by {PHASE3}-00169-56h"),
    ("build-cache", (PHASE3,), 1, False, "bytes", "does not contain 'return self.processor_name'"),
    ("pinned-traffic", (PHASE3,), 1, False, "digest", "runs it, and traffic is pinned"),
    ("revision-never-ready", ("nba-scrapers", "--wait", "5m"), 1, False, "digest", "never became ready"),
    ("rollout-in-progress", (PHASE4,), 1, False, "digest", "a change is in progress"),
    ("denied-run", (PHASE2,), 3, None, "digest", "PERMISSION_DENIED"),
    ("denied-registry", (PHASE2,), 3, None, "digest", "PERMISSION_DENIED"),
    ("healthy", ("nobody",), 3, None, "digest", "NOT_FOUND"),
]


@pytest.mark.parametrize(("story", "command", "code", "deployed", "level", "reason"), CASES)
def test_only_a_deploy_that_all_traffic_meets_passes(
    story: str, command: tuple[str, ...], code: int, deployed: object, level: str, reason: str, config: str
) -> None:
    with running(build(story)) as sandbox:
        told = gate(sandbox, config, *command, code=code)

    assert (told["deployed"], told["level"], told["practice"]) == (deployed, level, True)
    assert reason in told["reason"]
    assert told["deployed"] or told["next_step"]


def test_a_person_reads_not_deployed_what_was_wanted_and_what_serves(config: str) -> None:
    with running(build("tag-moved")) as sandbox:
        done = run(sandbox, "verify-deploy", PHASE2, "--config", config)

    lines = done.stdout.splitlines()
    assert lines[1].startswith(f"NOT DEPLOYED: {PHASE2}: serves 100 % by {PHASE2}-00129-lf2")
    assert [line.split()[0] for line in lines[2:]] == ["wanted", "serves", "next"]


@pytest.mark.parametrize(
    "arguments", [("UPPER",), (PHASE2, "--digest", "sha256:1"), (PHASE2, "--commit", "HEAD"), (PHASE2, "--wait", "x")]
)
def test_wrong_arguments_are_refused(arguments: tuple[str, ...], config: str) -> None:
    with running(build("healthy")) as sandbox:
        assert run(sandbox, "verify-deploy", "--config", config, *arguments).returncode == 64


def pushed(world: World, service: str, build: Build) -> str:
    """The digest of an image that is pushed, and not deployed."""
    return world.images.push(world.pipeline.repository(service), build, tag=None)


async def test_it_goes_on_looking_until_the_traffic_follows(serve: Serve) -> None:
    cloud = await serve("proliferation")
    digest = pushed(cloud.world, PHASE2, Build("new", cloud.world.pipeline.fixed))

    def third_look(what: str, done: int, total: int | None) -> None:
        if done == 3:
            cloud.world.deploy(PHASE2, "new")

    told = await verify_deploy(
        EXAMPLE, Asked(PHASE2, digest=digest), wait=60, pause=0.05, progress=third_look, environment=cloud.environment()
    )

    assert (told.deployed, told.wanted and told.wanted.digest, told.exit_code) == (True, digest, 0)
    assert told.looks >= 3


async def test_when_the_time_is_up_it_says_what_serves(serve: Serve) -> None:
    cloud = await serve("proliferation")
    digest = pushed(cloud.world, PHASE2, Build("new", cloud.world.pipeline.fixed))

    told = await verify_deploy(
        EXAMPLE, Asked(PHASE2, digest=digest), wait=0.5, pause=0.05, environment=cloud.environment()
    )

    assert (told.deployed, told.exit_code) == (False, 1)
    assert told.looks > 1


async def test_what_could_not_be_read_once_is_looked_at_again(serve: Serve) -> None:
    cloud = await serve("healthy", Fault(service="run", method="GetService", status="PERMISSION_DENIED", times=1))

    told = await verify_deploy(EXAMPLE, Asked(PHASE2), wait=30, pause=0.05, environment=cloud.environment())

    assert (told.deployed, told.looks) == (True, 2)


async def test_the_tag_is_looked_up_once_so_that_a_later_push_moves_no_goal(serve: Serve) -> None:
    cloud = await serve("tag-moved")
    digests: list[str | None] = []

    def pushes(what: str, done: int, total: int | None) -> None:
        if done == 2:
            cloud.world.images.push(cloud.world.pipeline.repository(PHASE2), Build("new", "ffffffff"))

    told = await verify_deploy(
        EXAMPLE, Asked(PHASE2), wait=0.5, pause=0.05, progress=pushes, environment=cloud.environment()
    )
    digests.append(told.wanted.digest if told.wanted else None)

    assert digests[0] != cloud.world.images.resolve(f"{cloud.world.pipeline.repository(PHASE2)}:latest")


async def test_a_commit_without_a_tag_is_proved_by_the_files_that_its_fix_left(serve: Serve) -> None:
    cloud = await serve("healthy")
    probe = EXAMPLE.code_probes[0].model_copy(update={"commit": "abcdef12"})
    pipeline = EXAMPLE.model_copy(update={"code_probes": (probe,)})

    told = await verify_deploy(pipeline, Asked(PHASE2, commit="abcdef12"), environment=cloud.environment())

    assert (told.deployed, told.level) == (True, "bytes")


async def test_only_the_service_that_is_asked_about_is_read(serve: Serve) -> None:
    cloud = await serve("healthy")
    cloud.world.calls.clear()

    await verify_deploy(EXAMPLE, Asked(PHASE2), environment=cloud.environment())

    assert sorted({call.method for call in cloud.world.calls}) == [
        "GetBlob",
        "GetManifest",
        "GetRevision",
        "GetService",
    ]


def test_files_that_cannot_be_read_leave_a_served_digest_unknown(config: str) -> None:
    world = build("healthy")
    world.faults.add(Fault(service="registry", method="GetBlob", status="UNAVAILABLE"))
    with running(world) as sandbox:
        told = gate(sandbox, config, PHASE2, code=3)

    assert (told["deployed"], told["level"]) == (None, "bytes")
    assert "it serves, and its files could not be read" in told["reason"]
