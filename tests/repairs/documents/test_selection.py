"""What is malformed and new is told since a moment, however long ago that is."""

from typing import Final

from validate_daily.repairs.documents.selection import HOUR, malformed_since, select
from validate_daily.repairs.stores.listing import ListedDocument

NOW: Final = 1_800_000_000_000_000_000
OLD: Final = "GameProcessor_None_0000beef"


def test_what_was_written_hours_ago_counts_since_an_earlier_moment() -> None:
    rows = [ListedDocument(OLD, NOW - 2 * HOUR, NOW - 2 * HOUR)]
    assert malformed_since(rows, (), NOW - 3 * HOUR) == [(OLD, "GameProcessor")]


def test_the_moment_itself_counts_and_one_before_it_does_not() -> None:
    rows = [ListedDocument(OLD, NOW, NOW)]
    assert malformed_since(rows, (), NOW)
    assert not malformed_since(rows, (), NOW + 1)


def test_canonical_and_registered_ids_never_count() -> None:
    rows = [ListedDocument("GameProcessor", NOW, NOW), ListedDocument(OLD, NOW, NOW)]
    assert malformed_since(rows, (OLD,), NOW) == []


def test_documents_too_many_of_a_writer_are_left_for_a_person_and_named_by_it() -> None:
    ids = [f"GameProcessor_c1c48812-4942-1773-49ef-{n:012x}" for n in range(3)]
    rows = [ListedDocument(each, NOW, NOW, name="GameProcessor") for each in (*ids, "GameProcessor")]

    found = select(rows, (), NOW)

    assert found.subjects == frozenset()
    assert (found.by_hand, found.growing) == ({"GameProcessor": 3}, {"GameProcessor": 3})
    assert [(each.count, each.what) for each in found.untouched if "no mark" in each.what] == [
        (3, "documents too many of a writer, with no mark of a run")
    ]
    assert [name for _, name in malformed_since(rows, (), NOW)] == ["GameProcessor"] * 3
