"""Every world of ``heartbeats_and_logs.json``: what others reported of their heartbeats, logs and Firestores."""

from collections.abc import Iterator

import pytest

from validate_daily.sandbox import Sandbox, running

from support.heartbeat_worlds import Case, cases, report_on

# One group for each part of the work, so that two parts never change neighbouring lines.
PENDING: dict[str, str] = {
    # logs and operations
    "overlap-older-hangs": "a later END closes every START before it",
    "shards-one-hangs": "a later END closes every START before it",
    "two-executions-one-hangs": "a later END closes every START before it",
    "two-starts-a-minute-apart-one-ends": "a later END closes every START before it",
    "hang-26-hours": "a sign without its START proves nothing",
    "suffix-file-and-line": "a suffix is taken for a part of the name",
    "suffix-colours": "a suffix is taken for a part of the name",
    "suffix-json-in-text": "a suffix is taken for a part of the name",
    "same-second": "at the same time the END may come first",
    "kafka-heartbeat": "lines are recognised by words",
    "success-words": "lines are recognised by words",
    "success-printed-after-each-beat": "lines are recognised by words",
    "optional-import": "lines are recognised by words",
    "celery-missed": "lines are recognised by words",
    "import-in-url": "lines are recognised by words",
    "blip-over-plain-processors": "written again is not read",
    "start-under-event": "event and msg are not read",
    "start-twice-end-once": "a line told twice counts twice",
    "killed-every-5-minutes": "one finding for each START",
    "run-lines-10-min-ahead": "a line from ahead of the clock is not read",
    "stranger-end-in-url": "a marker counts anywhere in a line",
    "stranger-end-in-quotes": "a marker counts anywhere in a line",
    "trouble-says-heartbeat-colon": "taken for an operation's line",
    "stranger-run-in-url": "a marker counts anywhere in a line",
}


@pytest.fixture(scope="module")
def practice() -> Iterator[Sandbox]:
    """One practice cloud for all worlds; each has a project of its own."""
    with running("healthy") as cloud:
        yield cloud


def marked(case: Case) -> object:
    why = PENDING.get(case.id)
    return pytest.param(case, id=case.id, marks=[pytest.mark.xfail(reason=why, strict=True)] if why else [])


@pytest.mark.parametrize("case", [marked(case) for case in cases()])
async def test_the_check_says_of_a_world_what_is_right(case: Case, practice: Sandbox) -> None:
    report = await report_on(practice, case)

    assert case.right.faults(report) == []


def test_what_is_pending_is_there() -> None:
    assert PENDING.keys() <= {case.id for case in cases()}
