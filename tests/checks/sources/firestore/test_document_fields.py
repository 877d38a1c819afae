"""What a heartbeat document says of its run rides on the reads of a census, whatever a stranger wrote there."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from checks.evidence.snapshot import Heartbeat, Target
from checks.settings.heartbeat_fields import HeartbeatFields
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget
from checks.sources.firestore.census import read_heartbeats
from checks.sources.firestore.document_fields import DocumentFields
from checks.sources.firestore.id_walk import Terms
from checks.sources.progress import quiet
from validate_daily.sandbox import Sandbox, build
from validate_daily.sandbox.firestore import encode, stamps

from support.collections import settings

NOW = datetime(2026, 2, 1, 22, 0, tzinfo=UTC)
RUN = {
    "processor_name": "Loader",
    "status": "running",
    "started_at": NOW - timedelta(hours=1),
    "run_id": "ab12cd34",
    "data_date": "2026-01-31",
    "progress": 12,
    "total": 450,
    "beats_every": 60.0,
    "commit": "0123abc",
    "revision": None,
}
ODD = ("a" * 1_501, {"deep": {"er": 1}}, [1, 2], None, True, float("nan"), float("inf"), -(2**63), b"\x00", NOW, "")


async def _read(documents: Mapping[str, Mapping[str, object]], pipeline: Pipeline, terms: Terms) -> list[Heartbeat]:
    """The newest heartbeat of every processor."""
    database = "projects/census/databases/(default)"
    async with Sandbox(build("healthy")) as cloud:
        with cloud.world.firestore.lock:
            collection = cloud.world.firestore.database(database).collection("beats")
            for name, held in documents.items():
                collection.put(name, stamps.from_datetime(NOW), encode.fields(held))
        target = Target(source="firestore", address=cloud.firestore_address, resource=database, practice=True)
        found = await read_heartbeats(pipeline, target, Budget(30), quiet, terms=terms)
    assert found.census is not None
    assert found.census.complete
    return [family.newest or family.unparsable_sample or family.future_sample for family in found.census.families]  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("terms", [Terms(), Terms(small=0), Terms(small=0, patience=0)], ids=["list", "walk", "stream"])
async def test_what_a_document_says_of_its_run_is_read_on_every_way(terms: Terms) -> None:
    documents = {name: {"last_heartbeat": NOW, **RUN} for name in ("Loader", "Loader_2026-01-31_ab12cd34")}
    for heartbeat in await _read(documents, settings("beats"), terms):
        assert heartbeat.name == "Loader"
        assert heartbeat.status == "running"
        assert heartbeat.started_at == NOW - timedelta(hours=1)
        assert (heartbeat.run_id, heartbeat.data_date) == ("ab12cd34", "2026-01-31")
        assert (heartbeat.progress, heartbeat.total) == (12, 450)
        assert heartbeat.beats_every == timedelta(minutes=1)
        assert heartbeat.names_its_build
        assert (heartbeat.commit, heartbeat.revision) == ("0123abc", None)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
async def test_what_has_the_wrong_type_or_is_enormous_is_none(odd: object) -> None:
    """Whatever stands there, the heartbeat itself is read, and no other document suffers."""
    held = {name: odd for name in RUN if name not in {"commit", "revision"}}
    (heartbeat,) = await _read({"Odd": {"last_heartbeat": NOW, **held}}, settings("beats"), Terms())
    assert heartbeat.last_heartbeat == NOW
    assert (heartbeat.name, heartbeat.status, heartbeat.run_id, heartbeat.data_date) == (None, None, None, None)
    assert heartbeat.beats_every is None
    assert heartbeat.started_at == (odd if isinstance(odd, datetime) else None)
    assert heartbeat.progress == heartbeat.total == (odd if isinstance(odd, int) and odd is not True else None)
    assert not heartbeat.names_its_build


@pytest.mark.parametrize("seconds", [0, -60, 31 * 86_400 + 1, 2**62, "60", 1e308])
async def test_an_interval_that_nobody_could_keep_is_none(seconds: object) -> None:
    (heartbeat,) = await _read({"Odd": {"last_heartbeat": NOW, "beats_every": seconds}}, settings("beats"), Terms())
    assert heartbeat.beats_every is None


@pytest.mark.parametrize("terms", [Terms(), Terms(small=0), Terms(small=0, patience=0)], ids=["list", "walk", "stream"])
async def test_a_pipeline_may_call_its_fields_otherwise(terms: Terms) -> None:
    """Nested paths and names between backticks go into the queries, and are found in the answers."""
    pipeline = settings("beats")
    names = {"time": "meta.beat", "status": "`run state`", "name": "who", "started": "meta.begun", "run_id": "`a.b`"}
    other = pipeline.heartbeats.model_copy(update={"fields": HeartbeatFields.model_validate(names)})
    pipeline = pipeline.model_copy(update={"heartbeats": other})
    held = {
        "last_heartbeat": NOW - timedelta(days=9),
        "meta": {"beat": NOW, "begun": NOW - timedelta(hours=2)},
        "run state": "BUSY",
        "who": "Loader",
        "a.b": "r1",
        "a": {"b": "not this one"},
    }
    for heartbeat in await _read({"Loader": held, "Loader_None_ab12cd34": held}, pipeline, terms):
        assert heartbeat.last_heartbeat == NOW
        assert heartbeat.started_at == NOW - timedelta(hours=2)
        assert (heartbeat.status, heartbeat.name, heartbeat.run_id) == ("BUSY", "Loader", "r1")


async def test_a_field_inside_one_that_is_read_anyway_is_asked_for_once() -> None:
    fields = DocumentFields.of(HeartbeatFields(status="progress.state"))
    assert "progress.state" not in fields.paths
    pipeline = settings("beats")
    other = pipeline.heartbeats.model_copy(update={"fields": HeartbeatFields(status="progress.state")})
    pipeline = pipeline.model_copy(update={"heartbeats": other})
    held = {"last_heartbeat": NOW, "progress": {"state": "running"}}
    (heartbeat,) = await _read({"Loader": held}, pipeline, Terms())
    assert (heartbeat.status, heartbeat.progress) == ("running", None)


async def test_a_document_without_the_foreign_time_says_which_field_is_missing() -> None:
    pipeline = settings("beats")
    other = pipeline.heartbeats.model_copy(update={"fields": HeartbeatFields(time="meta.beat")})
    pipeline = pipeline.model_copy(update={"heartbeats": other})
    heartbeats = await _read({"None": {"last_heartbeat": NOW}, "Text": {"meta": {"beat": "noon"}}}, pipeline, Terms())
    assert [each.unparsable for each in heartbeats] == [
        "there is no meta.beat",
        "meta.beat is no timestamp but a string",
    ]
