"""Every world of ``heartbeats_and_logs.json``: what others reported of their heartbeats, logs and Firestores."""

from collections.abc import Iterator

import pytest

from validate_daily.sandbox import Sandbox, running

from support.heartbeat_worlds import Case, cases, report_on


@pytest.fixture(scope="module")
def practice() -> Iterator[Sandbox]:
    """One practice cloud for all worlds; each has a project of its own."""
    with running("healthy") as cloud:
        yield cloud


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases()])
async def test_the_check_says_of_a_world_what_is_right(case: Case, practice: Sandbox) -> None:
    report = await report_on(practice, case)

    assert case.right.faults(report) == []
