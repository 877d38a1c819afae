"""Images decide what a processor does: what is pushed, what serves, and what a job's tag names when it runs."""

import json
import tarfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from heartbeat.document_id import Kind, parse
from validate_daily.sandbox import Clock, World, build
from validate_daily.sandbox.firestore import stamps
from validate_daily.sandbox.firestore.documents import IdRange
from validate_daily.sandbox.firestore.messages import Document
from validate_daily.sandbox.images import HEARTBEAT, Build, Images
from validate_daily.sandbox.logging import stamps as log_stamps
from validate_daily.sandbox.pipeline import Code
from validate_daily.sandbox.registry.store import Registry
from validate_daily.sandbox.run.state import Execution, Job, Target

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
PHASE2 = "nba-phase2-raw-processors"
PHASE3 = "nba-phase3-analytics-processors"
HOST = "us-west2-docker.pkg.dev/"
PATH = f"nba-props-platform/nba-props/{PHASE2}"
JOB = "nbac-team-boxscore-processor-backfill"
INIT = "app/shared/monitoring/__init__.py"


def at_noon(name: str = "healthy") -> World:
    return build(name, clock=Clock(NOON, speed=0))


def documents(world: World) -> dict[str, Document]:
    rows = world.heartbeats.scan(IdRange(), stamps.from_datetime(world.clock.now()))
    return {document_id: Document.FromString(version.fields or b"") for document_id, version in rows}


def malformed(world: World) -> list[str]:
    return [document_id for document_id in documents(world) if parse(document_id).kind is not Kind.CANONICAL]


def says(world: World, field: str) -> Counter[str]:
    """What the heartbeat documents say in a field."""
    return Counter(each.fields[field].string_value for each in documents(world).values())


def files(registry: Registry, path: str, tag: str) -> dict[str, bytes]:
    """All files of an image; those of later layers over those of earlier ones."""
    manifest = registry.manifest(path, tag)
    assert manifest is not None
    found: dict[str, bytes] = {}
    for layer in json.loads(manifest.data)["layers"]:
        blob = registry.blob(path, layer["digest"])
        assert blob is not None
        with tarfile.open(fileobj=BytesIO(blob.data)) as archive:
            for member in archive.getmembers():
                if (held := archive.extractfile(member)) is not None:
                    found[member.name] = held.read()
    return found


def executed(world: World) -> tuple[Job, Execution]:
    """Run the job, to its end."""
    job = world.run.jobs[f"{world.place.name}/jobs/{JOB}"]
    world.run.execute(job, at=world.clock.now())
    world.advance(timedelta(minutes=3))
    return job, list(job.executions.values())[-1]


@pytest.mark.parametrize(
    ("code", "line", "package"),
    [("new", b"return self.processor_name", True), ("old", b"{self.run_id}", True), ("silent", b"return self", False)],
)
def test_an_image_holds_the_code_that_it_runs(code: Code, line: bytes, package: bool) -> None:  # noqa: FBT001
    world = at_noon()
    world.deploy(PHASE2, code)
    inside = files(world.registry, PATH, "latest")
    assert line in inside[HEARTBEAT]
    assert (INIT in inside) is package
    assert b"gunicorn" in inside["app/requirements.txt"]


def test_an_image_that_lacks_a_package_lacks_it_in_its_requirements_too() -> None:
    inside = files(at_noon("gunicorn-missing").registry, PATH, "latest")
    assert b"gunicorn" not in inside["app/requirements.txt"]
    assert not [path for path in inside if "gunicorn" in path]


@pytest.mark.parametrize(
    ("reference", "found"),
    [("host/p/s:latest", True), ("host/p/s", True), ("host/p/s:gone", False), ("host/p/t:latest", False)],
)
def test_a_reference_stands_for_an_image_or_for_none(reference: str, *, found: bool) -> None:
    images = Images(Registry())
    digest = images.push("host/p/s", Build("new", "f00dcafe"))
    assert images.resolve(reference) == (digest if found else None)
    assert images.pinned(reference) == (f"host/p/s@{digest}" if found else None)
    assert (images.build(f"host/p/s@{digest}") is not None) is True
    assert images.build("host/p/s@sha256:gone") is None


def test_moving_a_tag_changes_nothing_until_a_revision_with_it_serves() -> None:
    world = at_noon()
    world.images.push(HOST + PATH, Build("old", "e05b63b3"))
    world.advance(timedelta(hours=2))
    assert malformed(world) == []
    service = world.service(PHASE2)
    template = service.revisions[service.ready_revision].template
    pinned = world.images.pinned(f"{HOST}{PATH}:latest")
    assert pinned != template.containers[0].image
    world.deploy(PHASE2, "old")
    world.advance(timedelta(hours=2))
    assert len(malformed(world)) > 50


def test_a_heartbeat_names_the_revision_and_the_commit_that_wrote_it() -> None:
    world = at_noon()
    assert says(world, "commit") == {"ce269d67": 30}
    revision = world.deploy(PHASE3, "new")
    world.advance(timedelta(minutes=15))
    assert revision.name.startswith(f"{PHASE3}-00170-")
    assert says(world, "revision")[revision.name] == 4
    assert says(world, "revision")["prediction-worker-00083-m9r"] == 1


def test_a_deploy_takes_all_traffic_and_retires_what_served() -> None:
    world = at_noon("pinned-traffic")
    before = [revision for revision, _ in world.service(PHASE3).serving()]
    revision = world.deploy(PHASE3, "old")
    assert list(world.service(PHASE3).serving()) == [(revision, 100)]
    assert world.code_of(PHASE3) == "old"
    assert [one.conditions[0].reason for one in before] == ["RETIRED"]


def test_traffic_that_goes_back_brings_the_old_code_back() -> None:
    world = at_noon()
    service = world.service(PHASE2)
    older = next(iter(service.revisions))
    world.run.update(service, traffic=(Target(100, older),), at=world.clock.now(), takes=timedelta())
    assert world.code_of(PHASE2) == "old"
    world.advance(timedelta(hours=1))
    assert malformed(world)


@pytest.mark.long
def test_split_traffic_shares_the_work_by_percent() -> None:
    world = at_noon("split-traffic")
    before = len(malformed(world))
    world.advance(timedelta(days=2))
    lines = Counter(
        entry.resource.labels["revision_name"]
        for key, entry in world.logs.rows()
        if key[0] > log_stamps.from_datetime(NOON)
        and entry.resource.labels["service_name"] == PHASE3
        and "run completed" in entry.json_payload.fields["message"].string_value
    )
    old, new = lines["nba-phase3-analytics-processors-00169-56h"], max(lines.values())
    assert 0.2 < old / (old + new) < 0.4
    assert len(malformed(world)) > before
    fresh = stamps.from_datetime(world.clock.now() - timedelta(minutes=45))
    rows = dict(world.heartbeats.scan(IdRange(), stamps.from_datetime(world.clock.now())))
    assert all(rows[one.name].updated > fresh for one in world.pipeline.processors)


def test_a_job_runs_what_its_tag_names_at_that_moment() -> None:
    world = at_noon()
    _, first = executed(world)
    assert malformed(world) == []
    world.images.push(HOST + PATH, Build("old", "e05b63b3"))
    job, second = executed(world)
    assert first.image != second.image
    assert [parse(one).family for one in malformed(world)] == ["NbacTeamBoxscoreProcessor"]
    assert job.task.containers[0].image == f"{HOST}{PATH}:latest"
    told = [entry for _, entry in world.logs.rows() if entry.resource.labels["job_name"] == JOB]
    assert [entry.text_payload.split()[3] for entry in told] == [
        "p2_nba_raw.nbac_team_boxscore",
        "NbacTeamBoxscoreProcessor",
    ]


def test_a_job_that_is_pinned_by_digest_runs_that_digest_for_ever() -> None:
    world = at_noon("gunicorn-missing")
    world.images.push(HOST + PATH, Build("old", "e05b63b3"))
    executed(world)
    assert malformed(world) == []


def test_silent_jobs_say_nothing_and_run() -> None:
    world = at_noon("silent-stop")
    before = documents(world)
    _, execution = executed(world)
    assert documents(world) == before
    assert execution.status == "SUCCEEDED"
