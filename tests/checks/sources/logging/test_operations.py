import pytest

from checks.evidence.logs import Operation
from checks.sources.logging.lines import Facts, LogLine
from checks.sources.logging.operations import fold_operations

MINUTE = 60_000_000
NAME = "Loading games"
START, END = f"HEARTBEAT START: {NAME}", f"HEARTBEAT END: {NAME} completed in {{}} min"
STILL = f"HEARTBEAT: {NAME} still running ({{}} min elapsed)"
SINCE = -1_440 * MINUTE


def line(text: str, minutes: float, **more: object) -> LogLine:
    """A line of so many minutes ago, counted from zero."""
    return LogLine(int(-minutes * MINUTE), "loader", "loader-00001", 0, text)._replace(**more)


def fold(*lines: LogLine) -> tuple[Operation, ...]:
    return fold_operations(lines, SINCE)


def ended(*lines: LogLine) -> list[bool]:
    return [each.ended for each in fold(*lines)]


def test_a_sign_after_a_later_run_ended_belongs_to_the_earlier_one() -> None:
    older, newer = fold(line(START, 120), line(START, 100), line(END.format("5.0"), 95), line(STILL.format("115.0"), 5))

    assert (older.ended, newer.ended) == (False, True)
    assert (newer.started - older.last_sign).total_seconds() == -95 * 60


@pytest.mark.parametrize("apart", [0.0001, 0.0025, 0.02])
def test_ten_tasks_are_ten(apart: float) -> None:
    starts = [line(START, 60 - number * apart) for number in range(10)]
    ends = [line(END.format("4.0"), 56 - number * apart) for number in range(1, 10)]

    told = fold(*starts, *ends, line(STILL.format("55.0"), 5))

    assert len(told) == 10
    assert sum(not each.ended for each in told) == 1


def test_a_sign_alone_proves_an_operation_that_began_before_the_window() -> None:
    (told,) = fold(line(STILL.format("1550.0"), 10), line(STILL.format("1555.0"), 5))

    assert not told.ended
    assert told.started.timestamp() == -1_560 * 60
    assert ended(line(STILL.format("1550.0"), 10), line(END.format("1555.0"), 5)) == [True]


def test_lines_with_an_operation_id_belong_to_the_start_with_the_same_id() -> None:
    one, other = Facts(operation_id="a1"), Facts(operation_id="b2")

    told = fold(line(START, 60, facts=one), line(START, 59.99, facts=other), line(END.format("5.0"), 55, facts=one))

    assert [(each.operation_id, each.ended) for each in told] == [("a1", True), ("b2", False)]
    assert ended(line(START, 60, facts=one), line(END.format("5.0"), 55)) == [False]


def test_a_line_that_two_handlers_wrote_counts_once() -> None:
    copy = {"form": "structure", "log": "python", "severity": 200}

    assert ended(line(START, 90), line(START, 90, **copy), line(END.format("5.0"), 85)) == [True]
    assert ended(line(START, 90), line(START, 89, **copy), line(END.format("5.0"), 84)) == [False, True]
    assert ended(line(START, 90, insert_id="x"), line(START, 90, insert_id="x")) == [False]


def test_an_end_comes_after_the_start_of_the_same_time() -> None:
    assert ended(line(END.format("0.0"), 60), line(START, 60)) == [True]


def test_the_end_of_another_instance_or_logger_closes_nothing() -> None:
    assert ended(line(START, 60, instance="i1"), line(END.format("5.0"), 55, instance="i2")) == [False]
    assert ended(line(START, 60, task=1), line(END.format("5.0"), 55, task=2)) == [False]
    assert ended(line(START, 60), line(END.format("5.0"), 55, logger="web.search")) == [False]
    assert ended(line(START, 60), line(END.format("5.0"), 55, begins=False)) == [False]


@pytest.mark.parametrize(
    "suffix",
    [" [operation.py:{}]", " (operation.py:{})", " [MainThread]", " logger=heartbeat.operation lineno={}", " #{}"],
)
def test_what_a_formatter_writes_behind_a_message_is_no_part_of_the_name(suffix: str) -> None:
    told = fold(line(START + suffix.format(66), 60), line(END.format("5.0") + suffix.format(105), 55))

    assert [(each.name, each.ended) for each in told] == [(NAME, True)]


@pytest.mark.parametrize("name", ["Backfill env=prod", "Load (main)", "Rebuild {a}", "Import users.py:12"])
def test_a_name_may_end_as_a_formatter_writes(name: str) -> None:
    start, end = line(f"HEARTBEAT START: {name}", 60), line(f"HEARTBEAT END: {name} completed in 5.0 min", 55)

    assert [(each.name, each.ended) for each in fold(start, end)] == [(name, True)]


def test_one_name_that_begins_another_is_another() -> None:
    told = fold(line(START, 60), line(START + " for props", 60), line(END.format("5.0"), 55))

    assert {each.name: each.ended for each in told} == {NAME: True, f"{NAME} for props": False}
