"""What holds of every source in the table."""

import pkgutil

import pytest

from checks.evidence.snapshot import Snapshot
from checks.settings.pipeline import Pipeline
from checks.settings.sources import NEED_A_REGION, SOURCE_NAMES, Sources
from checks.sources import SOURCES, source_named
from checks.sources.source import Source

from support.paths import ROOT, TESTS

NOWHERE = Pipeline.model_validate({"pipeline": {"name": "nba", "project": "demo-nba"}})


def test_the_table_has_every_name_in_the_order_of_the_names() -> None:
    assert tuple(source.name for source in SOURCES) == SOURCE_NAMES
    assert all(source_named(source.name) is source for source in SOURCES)


def test_every_source_makes_or_adds_to_one_part_of_a_snapshot() -> None:
    makers = [name for names in Snapshot.SOURCES.values() for name in names]

    assert sorted(makers) == sorted(SOURCE_NAMES)
    assert Snapshot.model_fields.keys() >= Snapshot.SOURCES.keys()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_what_a_source_loads_on_first_use_is_there(source: Source) -> None:
    source.load()

    assert callable(pkgutil.resolve_name(source.reader))
    assert source.permission_check is None or callable(pkgutil.resolve_name(source.permission_check))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_source_has_a_place_of_its_name_and_tests_there(source: Source) -> None:
    place = source.name.replace("-", "_")

    assert any((ROOT / "checks" / "sources" / each).exists() for each in (place, f"{place}.py"))
    assert any((TESTS / "checks" / "sources" / each).exists() for each in (place, f"test_{place}.py"))


def test_every_source_but_the_heartbeats_can_be_switched_off() -> None:
    switches = {key.replace("_", "-") for key in Sources().switches}
    off = NOWHERE.model_copy(update={"sources": Sources.model_validate(dict.fromkeys(Sources().switches, "off"))})

    assert switches == {*SOURCE_NAMES} - {"firestore"}
    assert off.unasked.keys() == switches


def test_without_a_region_only_what_needs_none_is_asked() -> None:
    assert {*NEED_A_REGION} <= NOWHERE.unasked.keys()
    assert all("no region" in NOWHERE.unasked[source] for source in NEED_A_REGION)
