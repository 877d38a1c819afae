import re

import pytest

from checks.judge.rules import RULES
from mcp_server.app import read_tools, write_tools
from validate_daily.sandbox import scenario_names

from support.generated import look, row
from support.paths import ROOT

README = (ROOT / "README.md").read_text("utf-8")
ROWS = dict(re.findall(r"^(\| `([a-z-]+)` \|.*\| [0-9] \|.*\|)$", README, re.MULTILINE))


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(name, marks=pytest.mark.long if name == "hundred-thousand" else ()) for name in scenario_names()],
)
async def test_the_readme_says_of_each_scenario_what_a_check_says(scenario: str) -> None:
    rows = {name: line for line, name in ROWS.items()}

    assert row(scenario, await look(scenario)) == rows[scenario]


def test_the_readme_has_no_scenario_that_is_gone() -> None:
    assert sorted(ROWS.values()) == sorted(scenario_names())


def test_the_readme_tells_every_rule() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \| [^|]+\|$", README, re.MULTILINE) == [rule.name for rule in RULES]


def test_the_readme_tells_every_tool() -> None:
    table = re.findall(r"^\| `([a-z]+_[a-z_]+)` \| [^|]+\|$", README, re.MULTILINE)

    assert table == [tool.name for tool in read_tools()]
    for tool in write_tools():
        assert f"`{tool.name}`" in README
