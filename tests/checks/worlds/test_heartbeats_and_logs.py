"""Every world of ``heartbeats_and_logs.json``: what others reported of their heartbeats, logs and Firestores."""

from collections.abc import Iterator

import pytest

from validate_daily.sandbox import Sandbox, running

from support.heartbeat_worlds import Case, cases, report_on

# One group for each part of the work, so that two parts never change neighbouring lines.
PENDING: dict[str, str] = {}


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
