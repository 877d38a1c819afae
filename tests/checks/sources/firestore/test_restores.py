"""What was moved back counts by the time when it was first created, whether it was read or counted in a range."""

from checks.evidence.snapshot import Family
from checks.sources.firestore.restores import Restored, Restores
from checks.sources.firestore.tally import BACK, DAY, HOUR, HeartbeatDocument, Tally

NOW = 1_000 * DAY
MINUTE = HOUR // 60
MOVED = NOW - 5 * MINUTE


def document(number: int, *, created: int, beat: int | None) -> HeartbeatDocument:
    return HeartbeatDocument(f"Active_None_{number:08x}", beat, None if beat else "none", created, created)


def restored(number: int, created: int, *, moved: int = MOVED, trashed: int = NOW - DAY) -> Restored:
    return Restored(f"Active_None_{number:08x}", moved, created, trashed)


def family(tally: Tally, *notes: Restored) -> Family:
    tally.restore(Restores(tuple(notes)))
    (found,) = tally.families()
    return found


def test_documents_that_beat_since_they_were_created_are_in_no_doubt() -> None:
    tally = Tally(NOW, frozenset())
    tally.add(document(1, created=MOVED, beat=MOVED))

    assert tally.doubtful_since is None


def test_of_documents_with_one_create_time_only_those_that_were_moved_back_are_old() -> None:
    tally = Tally(NOW, frozenset())
    for number in range(3):
        tally.add(document(number, created=MOVED, beat=NOW - 9 * HOUR))
    tally.add(document(7, created=MOVED + 1, beat=NOW - 9 * HOUR))

    assert tally.doubtful_since == MOVED
    found = family(tally, *(restored(number, NOW - 9 * HOUR) for number in range(3)))
    assert (found.malformed, found.malformed_last_hour, found.malformed_last_day) == (4, 1, 4)
    assert found.newest_malformed is not None
    assert found.newest_malformed.doc == "Active_None_00000007"


def test_what_was_moved_back_and_then_cleaned_up_in_part_leaves_the_newest_as_new() -> None:
    tally = Tally(NOW, frozenset())
    tally.add(document(0, created=MOVED, beat=None))
    found = family(tally, restored(0, NOW - 9 * HOUR), restored(1, NOW - 30 * MINUTE))

    assert found.malformed_last_hour == 1


def test_a_range_that_only_a_restore_made_larger_does_not_grow() -> None:
    first = document(0, created=NOW - 9 * HOUR, beat=NOW - 9 * HOUR)
    notes = [restored(number, NOW - 9 * HOUR) for number in range(100)]
    for real in (0, 3):
        tally = Tally(NOW, frozenset())
        tally.add_range(first, 500 + real, 400)
        assert tally.doubtful_since == NOW - BACK
        assert family(tally, *notes).malformed_growth == real


def test_what_was_trashed_and_moved_back_within_the_time_was_there_before_and_after() -> None:
    first = document(0, created=NOW - 9 * HOUR, beat=NOW - 9 * HOUR)
    tally = Tally(NOW, frozenset())
    tally.add_range(first, 402, 400)

    assert (
        family(tally, *(restored(n, NOW - 9 * HOUR, trashed=NOW - 20 * MINUTE) for n in range(100))).malformed_growth
        == 2
    )


def test_where_restores_could_not_be_read_nothing_is_claimed_of_what_is_in_doubt() -> None:
    tally = Tally(NOW, frozenset())
    tally.add(document(0, created=MOVED, beat=None))
    tally.leave_in_doubt()
    (found,) = tally.families()

    assert found.malformed_last_hour is None
    assert found.newest_malformed is None
