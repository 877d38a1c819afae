import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from checks.evidence.snapshot import Family, Method
from checks.sources.firestore.census import CensusResult
from checks.sources.firestore.id_walk import Terms
from checks.sources.firestore.tally import BACK
from checks.sources.times import Micros, micros, moment
from validate_daily.sandbox import Sandbox, running

from support.collections import WALKED, Heap, Held, brute_force, fill_sandbox, reasons
from support.emulators import fill

MINUTE = 60_000_000
LETTERS = [
    "_None_", "_202", "_None", "None_", "_20", "_", "`", "2", "3", "a", "A", "aa", "b", "-", " ", "\x01", "~", "\x7f",
    "é", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0001f480", "\U0010ffff", "202", "_None_a",
    "2026-01-31",
]  # fmt: skip


def _can_be_written(text: str) -> bool:
    return text not in {".", ".."} and not (text.startswith("__") and text.endswith("__")) and bool(text)


ids = st.lists(st.sampled_from(LETTERS), min_size=1, max_size=5).map("".join).filter(_can_be_written)
anything = st.text(min_size=1, max_size=8).filter(lambda text: "/" not in text and _can_be_written(text))
ages = st.integers(-10, 180).map(lambda minutes: minutes * MINUTE)
documents = st.dictionaries(
    ids | anything, st.tuples(st.integers(0, 180).map(lambda minutes: minutes * MINUTE), st.none() | ages), max_size=30
)
terms = st.builds(
    Terms,
    small=st.just(0),
    walkers=st.integers(1, 4),
    patience=st.just(30.0),
    trial=st.integers(1, 8),
    worth=st.integers(0, 4),
    newest=st.sampled_from([(1,), (1, 2), (3, 4), (64, 256)]),
)


@pytest.fixture(scope="module")
def practice() -> Iterator[Sandbox]:
    """A practice cloud that many examples share, each with a collection of its own."""
    with running("healthy") as cloud:
        yield cloud


def held(told: dict[str, tuple[Micros, Micros | None]], now: Micros) -> list[Held]:
    """Documents, from how long before a moment each was created and beat."""
    return [Held(doc, now - created, None if beat is None else now - beat) for doc, (created, beat) in told.items()]


def assert_as_brute_force(reading: CensusResult, told: Sequence[Held], registered: Sequence[str]) -> None:
    """The census says what reading every document says, or that it does not know."""
    assert reasons(reading.gaps) == []
    assert reading.census is not None
    assert reading.read_time is not None
    truth = brute_force(told, registered, micros(reading.read_time))
    found = {family.processor: family for family in reading.census.families}
    assert reading.census.complete
    assert reading.census.total == len(told)
    assert {name: (each.canonical, each.malformed) for name, each in found.items()} == {
        name: (each.canonical, each.malformed) for name, each in truth.items()
    }
    for name, family in found.items():
        assert_newest(family, truth[name])
        assert_read(family, truth[name])


def assert_newest(found: Family, truth: Family) -> None:
    newest = truth.newest.last_heartbeat if truth.newest else None
    if found.older_than is None:
        assert (found.newest.last_heartbeat if found.newest else None) == newest
    else:
        assert newest is None or newest <= found.older_than


def assert_read(found: Family, truth: Family) -> None:
    for name in ("run_scoped", "created_last_hour", "created_last_day", "malformed_last_hour", "malformed_last_day"):
        assert getattr(found, name) in {None, getattr(truth, name)}
    assert found.future == truth.future
    assert found.unparsable <= truth.unparsable


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=documents, terms=terms, more=st.lists(ids, max_size=3), share=st.integers(1, 5))
@example({"A_None_1": (0, 0), "A_None_B_2024": (0, 0), "A_2024_None_1": (0, 0), "A": (0, 0)}, WALKED, [], 2)
@example({"_None_1": (0, 0), "_None_2": (0, 0), "_2024": (0, 0), "__None_1": (0, 0)}, WALKED, [], 5)
@example({"A_None_1": (0, 0), "A_None`": (0, 0), "A_203": (0, 0), "A_2029": (0, 0)}, WALKED, ["A_None`"], 5)
def test_a_walk_finds_what_reading_every_document_finds(
    practice: Sandbox, told: dict[str, tuple[Micros, Micros | None]], terms: Terms, more: list[str], share: int
) -> None:
    now = micros(practice.world.clock.now())
    collection = held(told, now)
    registered = list(dict.fromkeys([*list(told)[::share], *more]))
    registered = [each for each in registered if len(each) <= 200]
    heap = fill_sandbox(practice, collection)

    reading = asyncio.run(heap.census(registered, terms=terms))

    assert_as_brute_force(reading, collection, registered)
    assert_growth(reading, collection, registered)


def assert_growth(reading: CensusResult, told: Sequence[Held], registered: Sequence[str]) -> None:
    assert reading.census is not None
    assert reading.read_time is not None
    then = micros(reading.read_time) - BACK
    for family in reading.census.families:
        if family.malformed_growth is None:
            assert reading.census.method is Method.LISTING
        else:
            own = brute_force([each for each in told if each.created > then], registered, then + BACK)
            assert family.malformed_growth == (own[family.processor].malformed if family.processor in own else 0)


@pytest.mark.emulator
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=documents, terms=terms, share=st.integers(1, 5))
@example({f"{each}{end}": (0, 0) for each in ("\ue000", "\uffff", "\U00010000") for end in ("", "_None_1")}, WALKED, 2)
def test_a_walk_of_the_official_emulator_finds_what_reading_every_document_finds(
    emulator: str, told: dict[str, tuple[Micros, Micros | None]], terms: Terms, share: int
) -> None:
    async def walk() -> tuple[CensusResult, list[Held]]:
        heap, now = Heap(emulator), micros(datetime.now(UTC))
        collection = [Held(doc, now, now - (beat or 0)) for doc, (_, beat) in told.items()]
        heartbeats = ((each.doc, moment(each.beat or 0)) for each in collection)
        await fill(emulator, f"{heap.database}/documents/{heap.collection}", heartbeats)
        return await heap.census(registered, terms=terms), collection

    registered = list(told)[::share]
    reading, collection = asyncio.run(walk())

    assert_as_brute_force(reading, collection, registered)
