import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.settings.file import load_settings, parse_settings
from checks.settings.pipeline import Pipeline
from checks.settings.template import settings_text
from validate_daily.sandbox import Fault, Sandbox, build, running

from support import prepared
from support.commands import run

PROJECT = "nba-props-platform"
FILE = "validate-daily.toml"


@pytest.fixture
def healthy() -> Iterator[Sandbox]:
    with running("healthy") as cloud:
        yield cloud


def init(cloud: Sandbox | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | (cloud.environment() if cloud else {})
    return prepared.run("init", *arguments, environment=environment)


def written() -> Pipeline:
    return load_settings(Path(FILE), {}).pipeline


def lines_with(text: str) -> list[str]:
    return [line for line in Path(FILE).read_text().splitlines() if line.startswith(text)]


def test_everything_that_a_project_holds_is_proposed_and_marked(healthy: Sandbox) -> None:
    done = init(healthy, "--project", PROJECT, "--region", "us-west2")

    pipeline, example = written(), parse_settings(settings_text("example"), origin="example")
    assert (done.returncode, done.stderr) == (0, "")
    assert pipeline.pipeline.project == PROJECT
    assert {each.name for each in pipeline.services} == {each.name for each in example.services}
    assert {(each.name, each.follows) for each in pipeline.jobs} == {(each.name, each.follows) for each in example.jobs}
    assert {each.name for each in pipeline.heartbeats.processors} == set(healthy.world.processors)
    assert all(
        "# unconfirmed" in line for line in (*lines_with("name = ")[1:], *lines_with("follows"), *lines_with("    "))
    )
    assert lines_with("region = ") == [
        'region = "us-west2" # where its services and jobs run; without any region, only heartbeats are looked at'
    ]


def test_a_person_is_told_what_to_decide(healthy: Sandbox) -> None:
    done = init(healthy, "--project", PROJECT, "--region", "us-west2")

    assert "a person must decide who must beat" in Path(FILE).read_text()
    practice, wrote, searched, after = done.stdout.splitlines()
    assert practice.startswith(f"PRACTICE: {healthy.firestore_address}, {healthy.run_address} was asked, not Google")
    assert wrote == "wrote validate-daily.toml: 30 processors, 6 services and 21 jobs; nobody has confirmed them"
    assert searched.startswith(f"searched the collection processor_heartbeats of {PROJECT}/(default), and services")
    assert searched.endswith(f"of {PROJECT} in 1 region (us-west2)")
    assert after == "next: confirm each entry, then run validate-daily doctor --config validate-daily.toml"


def test_without_a_region_every_open_one_is_asked_and_the_one_that_has_any_is_kept(healthy: Sandbox) -> None:
    done = init(healthy, "--project", PROJECT)

    pipeline = written()
    assert done.returncode == 0
    assert pipeline.places == ((PROJECT, "us-west2"),)
    assert len(pipeline.services) == 6
    assert lines_with("region = ")[0].startswith('region = "us-west2" # unconfirmed')
    asked = {call.request for call in healthy.world.calls if call.method == "ListServices"}
    assert len(asked) > 30


def test_what_the_template_says_of_every_key_is_still_there(healthy: Sandbox) -> None:
    init(healthy, "--project", PROJECT, "--region", "us-west2")

    text = Path(FILE).read_text()
    comments = [line for line in settings_text("template").splitlines() if line.startswith("# ")]
    assert [line for line in comments if line not in text and not line.startswith("# region = ")] == []


def test_a_drafted_file_leads_a_check_to_the_same_pipeline(healthy: Sandbox) -> None:
    init(healthy, "--project", PROJECT, "--region", "us-west2")

    done = run(healthy, "check")

    assert f" {PROJECT} " in done.stdout
    assert done.returncode in {0, 1, 2}


def test_a_listing_that_is_denied_is_a_gap_in_the_file_and_on_the_screen() -> None:
    world = build("healthy")
    world.faults.add(Fault(method="ListJobs", status="PERMISSION_DENIED", message="no \x1b[2Jaccess"))
    with running(world) as cloud:
        done = init(cloud, "--project", PROJECT)

    assert done.returncode == 3
    assert "not seen: cloud-run: jobs in all 41 regions: PERMISSION_DENIED: no \\x1b[2Jaccess\n" in done.stdout
    assert "  next: grant roles/run.viewer" in done.stdout
    assert lines_with("# Not seen, so it may be there: cloud-run: jobs in all 41 regions")
    assert (len(written().services), written().jobs) == (6, ())


def test_one_place_that_is_denied_is_named(healthy: Sandbox) -> None:
    healthy.world.faults.add(Fault(method="ListServices", status="PERMISSION_DENIED", times=1))

    done = init(healthy, "--project", PROJECT, "--region", "us-west2", "--region", "us-east1")

    assert done.returncode == 3
    assert f"not seen: cloud-run: services of {PROJECT}/us-" in done.stdout


def test_a_cloud_that_hangs_leaves_a_file_that_says_so() -> None:
    world = build("healthy")
    world.faults.add(Fault(hang=True))
    with running(world) as cloud:
        done = init(cloud, "--project", PROJECT, "--timeout", "2")

    assert done.returncode == 3
    assert "nothing was found" in done.stdout
    assert "not seen: firestore: listing and count of processor_heartbeats: no answer" in done.stdout
    assert written().heartbeats.processors == ()


def test_nothing_found_is_said_with_what_was_searched(healthy: Sandbox) -> None:
    done = init(
        healthy, "--project", "empty-project", "--region", "us-east1", "--collection", "beats", "--database", "d2"
    )

    pipeline = written()
    assert done.returncode == 0
    assert "wrote validate-daily.toml: nothing was found\n" in done.stdout
    assert "the collection beats of empty-project/d2, and services and jobs of empty-project in 1 region" in done.stdout
    assert (pipeline.heartbeats.collection, pipeline.heartbeats.database) == ("beats", "d2")
    assert pipeline.pipeline.region == "us-east1"


def test_processors_under_malformed_ids_only_are_told_and_not_proposed() -> None:
    with running("proliferation") as cloud:
        done = init(cloud, "--project", PROJECT, "--region", "us-west2")

    assert done.returncode == 0
    assert '"NbacTeamBoxscoreProcessor" (430)' in Path(FILE).read_text()
    assert "wrote under malformed ids only and are not proposed" in done.stdout
    assert "NbacTeamBoxscoreProcessor" not in written().heartbeats.registered


def test_hostile_ids_come_through_as_text() -> None:
    with running("hostile-ids") as cloud:
        done = init(cloud, "--project", PROJECT, "--region", "us-west2")

    assert done.returncode == 0
    assert written().heartbeats.processors
    assert Path(FILE).read_text().replace("\n", "").isprintable()
    assert done.stdout.replace("\n", "").isprintable()


def test_a_file_that_is_there_stays_and_nothing_is_asked(healthy: Sandbox) -> None:
    Path(FILE).write_text("mine")

    done = init(healthy, "--project", PROJECT)

    assert done.returncode == 64
    assert Path(FILE).read_text() == "mine"
    assert not healthy.world.calls


USAGE = {
    "a region without a project": (["--region", "us-west2"], "--region is for a look at a project"),
    "a collection without a project": (["--collection", "c"], "--collection is for a look at a project"),
    "an example of a project": (["--example", "--project", "p"], "--example is a file of its own"),
    "a project that is none": (["--project", "a/b"], "'a/b' is no name"),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_wrong_usage_exits_with_64_and_writes_nothing(arguments: list[str], message: str) -> None:
    done = init(None, *arguments)

    assert done.returncode == 64
    assert message in done.stderr
    assert not Path(FILE).exists()
