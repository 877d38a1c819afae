"""What is malformed and new is told since a moment, however long ago that is."""

from typing import Final

from validate_daily.repairs.documents.selection import HOUR, malformed_since
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
