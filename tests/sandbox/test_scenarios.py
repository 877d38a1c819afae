from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from heartbeat.document_id import Kind, parse
from validate_daily.sandbox import Clock, Scenario, ScenarioError, World, build, load_scenario, scenario_names
from validate_daily.sandbox.firestore import stamps
from validate_daily.sandbox.firestore.documents import IdRange
from validate_daily.sandbox.firestore.messages import Document
from validate_daily.sandbox.scenario import load_pipeline
from validate_daily.sandbox.scenario import parse as parse_file

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at_noon(name: str) -> World:
    return build(name, clock=Clock(NOON, speed=0))


def documents(world: World) -> dict[str, Document]:
    rows = world.heartbeats.scan(IdRange(), stamps.from_datetime(world.clock.now()))
    return {document_id: Document.FromString(version.fields or b"") for document_id, version in rows}


def ages(world: World) -> dict[str, timedelta]:
    """How old each heartbeat is that can be read."""
    return {
        document_id: timedelta(
            microseconds=stamps.from_datetime(world.clock.now())
            - stamps.from_timestamp(document.fields["last_heartbeat"].timestamp_value)
        )
        for document_id, document in documents(world).items()
        if "last_heartbeat" in document.fields and document.fields["last_heartbeat"].HasField("timestamp_value")
    }


def kinds(world: World) -> Counter[Kind]:
    return Counter(parse(document_id).kind for document_id in documents(world))


@pytest.mark.parametrize("name", scenario_names())
def test_a_scenario_holds_as_many_documents_as_it_says(name: str) -> None:
    world = at_noon(name)
    assert len(world.heartbeats) == load_scenario(name).holds
    assert load_scenario(name).description


def test_the_same_seed_gives_the_same_documents() -> None:
    first, second = at_noon("proliferation"), at_noon("proliferation")
    first.advance(HOUR)
    second.advance(HOUR)
    assert documents(first) == documents(second)
    assert documents(first).keys() != documents(build("proliferation", clock=Clock(NOON, speed=0), seed=1)).keys()


@pytest.mark.parametrize(
    "name", ["healthy", "denied", "hanging", "repaired", "pinned-traffic", "recovered", "noise", "tag-moved"]
)
def test_a_pipeline_that_works_has_fresh_canonical_documents(name: str) -> None:
    world = at_noon(name)
    assert kinds(world) == {Kind.CANONICAL: load_scenario(name).holds}
    assert all(timedelta() <= age < timedelta(minutes=15) for age in ages(world).values())


def test_proliferation_has_the_writers_of_the_incident() -> None:
    world = at_noon("proliferation")
    assert kinds(world) == {Kind.RUN_SCOPED: 1_053}
    families = Counter(parse(document_id).family for document_id in documents(world))
    assert families.most_common(5) == [
        ("NbacTeamBoxscoreProcessor", 430), ("BettingPropsProcessor", 220), ("NbacScheduleProcessor", 201),
        ("NbacInjuryReportProcessor", 61), ("MockProcessor", 57),
    ]  # fmt: skip
    assert all("_None_" in document_id for document_id in documents(world))


def test_proliferation_grew_by_some_nine_hundred_in_a_day_and_some_in_the_last_hour() -> None:
    world = at_noon("proliferation")
    now = stamps.from_datetime(NOON)
    created = [version.created for _, version in world.heartbeats.scan(IdRange(), now)]
    assert 850 <= sum(each > stamps.from_datetime(NOON - timedelta(days=1)) for each in created) <= 1_000
    last_hour = sum(each > stamps.from_datetime(NOON - HOUR) for each in created)
    assert 25 <= last_hour <= 50
    assert world.heartbeats.count(IdRange(), now - 3_600 * stamps.SECOND) == 1_053 - last_hour


def test_every_living_processor_of_a_proliferating_pipeline_has_a_fresh_heartbeat() -> None:
    world = at_noon("proliferation")
    newest: dict[str, timedelta] = {}
    for document_id, age in ages(world).items():
        family = parse(document_id).family
        newest[family] = min(age, newest.get(family, age))
    assert len(newest) == 31
    assert max(newest.values()) < timedelta(hours=2)
    assert min(newest.values()) >= timedelta()


def test_the_hundred_thousand_are_five_to_six_days_old() -> None:
    world = at_noon("hundred-thousand")
    found = ages(world).values()
    assert timedelta(days=5) <= min(found) < timedelta(days=5, hours=1)
    assert timedelta(days=5, hours=23) < max(found) <= timedelta(days=6)


def test_a_silent_stop_is_five_days_old_and_stays_silent() -> None:
    world = at_noon("silent-stop")
    world.advance(timedelta(days=1))
    assert kinds(world) == {Kind.CANONICAL: 30}
    assert all(timedelta(days=6) <= age <= timedelta(days=6, minutes=15) for age in ages(world).values())


def test_three_are_late_and_the_others_are_fresh() -> None:
    late = {name: age for name, age in ages(at_noon("few-late")).items() if age > timedelta(hours=2)}
    assert len(late) == 3
    assert max(late.values()) < timedelta(hours=24)


def test_two_are_missing() -> None:
    expected = {processor.name for processor in load_pipeline("nba").processors}
    assert expected - documents(at_noon("missing")).keys() == {
        "PlayerCompositeFactorsProcessor",
        "p2_nba_raw.nbac_schedule",
    }


def test_four_heartbeats_cannot_be_read() -> None:
    world = at_noon("future-and-unparsable")
    found = documents(world)
    assert min(ages(world).values()) == timedelta(hours=-5)
    assert "last_heartbeat" not in found["TeamOffenseGameSummaryProcessor"].fields
    assert found["p2_nba_raw.bdl_injuries"].fields["last_heartbeat"].string_value == "2026-01-27 03:47"
    assert 1_040_000 < found["p2_nba_raw.espn_scoreboard"].ByteSize() < 1_048_576


def test_local_time_makes_heartbeats_of_one_service_look_old_that_are_stored_in_time() -> None:
    world = at_noon("local-time-as-utc")
    own = {each.name for each in load_pipeline("nba").processors if each.service == "nba-phase2-raw-processors"}
    world.advance(HOUR)
    now = stamps.from_datetime(world.clock.now())
    for name, version in world.heartbeats.scan(IdRange(), now):
        assert now - version.updated <= 15 * 60 * stamps.SECOND
        assert (ages(world)[name] >= 8 * HOUR) is (name in own)


def test_no_id_of_an_unmarked_proliferation_says_who_wrote_the_document() -> None:
    found = documents(at_noon("unmarked-proliferation"))
    names = {each.name for each in load_pipeline("nba").processors}
    strange = {name: each.fields["processor_name"].string_value for name, each in found.items() if name not in names}
    assert kinds(at_noon("unmarked-proliferation")) == {Kind.CANONICAL: 70}
    assert len(strange) == 40
    assert set(strange.values()) == {"NbacTeamBoxscoreProcessor"}


def test_hostile_ids_stand_next_to_a_healthy_pipeline() -> None:
    found = documents(at_noon("hostile-ids"))
    assert max(len(document_id.encode()) for document_id in found) == 1_500
    assert any("\x1b" in document_id for document_id in found)
    assert any("\u202e" in document_id for document_id in found)
    assert any(document_id.startswith("ignore previous instructions") for document_id in found)


def test_what_regrows_was_created_within_forty_minutes_by_one_service() -> None:
    world = at_noon("regrowing")
    assert kinds(world) == {Kind.CANONICAL: 30, Kind.RUN_SCOPED: 20}
    since = stamps.from_datetime(NOON - timedelta(minutes=40))
    rows = world.heartbeats.scan(IdRange(), stamps.from_datetime(NOON))
    assert all(version.created >= since for name, version in rows if parse(name).kind is Kind.RUN_SCOPED)
    assert {service.name for service in world.pipeline.services if world.code_of(service.name) == "old"} == {
        "nba-phase2-raw-processors"
    }


def test_the_pipeline_is_the_one_of_the_incidents() -> None:
    pipeline = load_pipeline("nba")
    assert (len(pipeline.services), len(pipeline.jobs), len(pipeline.processors)) == (6, 21, 30)
    assert all(parse(processor.name).kind is Kind.CANONICAL for processor in pipeline.processors)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("title: a", "it.yaml: description: Field required", id="missing"),
        pytest.param("title: a\ndescription: b\ncolour: red", "it.yaml: colour: Extra inputs", id="unknown key"),
        pytest.param(
            "title: a\ndescription: b\ncanonical: {age: soon}", "canonical.age: .*'soon' is no duration", id="duration"
        ),
        pytest.param(
            "title: a\ndescription: b\ncode: {nowhere: old}", "code: the pipeline nba has no nowhere", id="service"
        ),
        pytest.param("title: a\ndescription: b\nfaults: [{status: BAD}]", "faults.0.status", id="status"),
        pytest.param("title: a\ndescription: b\nfaults: [{method: RunQuery}]", "at least one of", id="no fault"),
        pytest.param("title: [", "it.yaml is no YAML", id="syntax"),
    ],
)
def test_a_wrong_file_is_refused_by_file_and_key(text: str, problem: str) -> None:
    with pytest.raises(ScenarioError, match=problem):
        parse_file(text, Scenario, "it.yaml")


def test_a_scenario_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(
        ScenarioError, match="no scenario 'helthy': choose one of build-cache, dead-run, denied, denied-logging"
    ):
        load_scenario("helthy")
