"""Documents that are made up as they are read answer as if they had been written."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud.firestore_v1.types import StructuredQuery
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.sources.firestore.queries import CollectionPlace
from checks.sources.firestore.tally import HeartbeatDocument
from validate_daily.sandbox.errors import RefusedError
from validate_daily.sandbox.firestore import messages as m
from validate_daily.sandbox.firestore import stamps
from validate_daily.sandbox.firestore.documents import Collection, IdRange
from validate_daily.sandbox.firestore.made_up import MadeUp, Runs
from validate_daily.sandbox.firestore.queries import plan, query

NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
PLACE = CollectionPlace("projects/p/databases/d", "c")
PREFIX = f"{PLACE.name}/"
runs = st.builds(
    Runs,
    processors=st.sampled_from([("A",), ("A", "B"), ("A", "B", "C"), ("Alpha", "Beta", "Gamma", "Zeta")]),
    documents=st.integers(1, 20),
    newest=st.just(NOON),
    apart=st.sampled_from([timedelta(seconds=1), timedelta(minutes=7)]),
)
bounds = st.none() | st.sampled_from(["A", "A_None_", "A_None_00000001", "A_None`", "B_None_00000000", "B_None`", "Z"])
ranges = st.builds(IdRange, low=bounds, high=bounds, low_open=st.booleans(), high_open=st.booleans())
moments = st.integers(-3, 150).map(lambda minutes: stamps.from_datetime(NOON - timedelta(minutes=minutes)))


def written(runs: Runs) -> tuple[MadeUp, Collection]:
    """The same documents, made up and written."""
    made, real = MadeUp(PREFIX, runs), Collection(PREFIX)
    now = stamps.from_datetime(NOON)
    found = sorted(made.scan(IdRange(), now), key=lambda row: row[1].created)
    for document_id, version in found:
        real.put(document_id, version.created, version.fields)
    return made, real


def rows(found: Iterator[query.Row]) -> list[tuple[str, int, bytes | None]]:
    return [(document_id, version.created, version.fields) for document_id, version in found]


@settings(deadline=None)
@given(runs=runs, within=ranges, at=moments, back=st.booleans())
def test_ranges_hold_the_same_documents_now_and_earlier(runs: Runs, within: IdRange, at: int, *, back: bool) -> None:
    made, real = written(runs)

    assert rows(made.scan(within, at, reverse=back)) == rows(real.scan(within, at, reverse=back))
    assert made.count(within, at) == real.count(within, at) == len(rows(real.scan(within, at)))
    assert len(made) == len(real)


@settings(deadline=None)
@given(
    runs=runs,
    ago=st.integers(-2, 200),
    limit=st.integers(1, 30),
    after=st.none() | st.integers(0, 19),
    future=st.booleans(),
)
def test_heartbeats_come_in_the_same_order(
    runs: Runs, ago: int, limit: int, after: int | None, *, future: bool
) -> None:
    made, real = written(runs)
    now, bound = stamps.from_datetime(NOON), stamps.from_datetime(NOON - timedelta(minutes=ago))
    ids = [document_id for document_id, _ in made.scan(IdRange(), now)]
    last = None
    if after is not None and after < len(ids) and (version := made.get(ids[after], now)):
        last = HeartbeatDocument(ids[after], version.created, None, version.created, version.updated)
    asked = PLACE.newer_than(bound, limit) if future else PLACE.newest(bound, limit, after=last)
    wanted = plan.read("", m.StructuredQuery.FromString(StructuredQuery.serialize(asked.message)))

    assert rows(query.run(wanted, made, now)) == rows(query.run(wanted, real, now))


def test_what_is_made_up_cannot_be_written() -> None:
    with pytest.raises(RefusedError, match="made up"):
        MadeUp(PREFIX, Runs(("A",), 3, NOON)).put("A", 0, b"")


def test_a_million_documents_take_no_room() -> None:
    made = MadeUp(PREFIX, Runs(("A", "B", "C"), 1_000_000, NOON))

    assert made.count(IdRange("B_None_", "B_None`", high_open=True), stamps.from_datetime(NOON)) == 333_333
    assert made.get("C_None_00000001", stamps.from_datetime(NOON)) is not None
    assert made.get("C_None_000f4240", stamps.from_datetime(NOON)) is None
