"""``repair --unattended`` over every scenario: it never ends worse than it began, and the next check agrees."""

from pathlib import Path

import pytest

from validate_daily.sandbox import scenario_names

from support.repair_walks import row_of

pytestmark = pytest.mark.long

WORST_LAST = ("healthy", "P2", "unknown", "P1", "P0")
TOO_SLOW = {"hundred-thousand", "hanging", "hanging-logging", "hanging-registry", "hanging-run"}
"""A walk over so many documents, or one that waits out every call of two walks in real time, takes many minutes."""

ENDS_HEALTHY = {"tag-moved", "forgotten-jobs", "forgotten-jobs-running", "healthy", "repaired", "noise"}


@pytest.mark.parametrize("scenario", [each for each in scenario_names() if each not in TOO_SLOW])
async def test_a_scenario_ends_as_its_next_check_says(tmp_path: Path, scenario: str) -> None:
    row = await row_of(scenario, tmp_path)

    assert row.next_check == row.after
    assert (row.after == "healthy") == (row.left == ())
    assert (row.exits[1] == 0) == (row.after == "healthy")
    if scenario in ENDS_HEALTHY:
        assert row.after == "healthy", str(row)


async def test_the_scenario_of_a_pushed_fix_leaves_only_the_service_without_one(tmp_path: Path) -> None:
    row = await row_of("fix-pushed", tmp_path)

    assert row.left == ("P1 fix-not-deployed nba-scrapers",)
    assert not any("nba-scrapers" in each for each in row.changes)
