"""What is generated is what ``make renew`` would write now."""

from pathlib import Path

import pytest

from support.generated import PARTS, Part, scenarios
from support.paths import ROOT


@pytest.mark.parametrize(
    "part",
    [
        # Every row of the scenarios has its own test in test_readme.py.
        pytest.param(
            part,
            id=f"{part.file.relative_to(ROOT)} {part.make.__name__}",
            marks=pytest.mark.long if part.make is scenarios else (),
        )
        for part in PARTS
    ],
)
def test_what_is_generated_is_current(part: Part) -> None:
    assert part.renewed() == part.file.read_text("utf-8"), "make renew writes it anew"


def test_a_file_that_lost_its_markers_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("# A\n\n<!-- generated: rules -->\n| rule |\n")

    with pytest.raises(ValueError, match="has no lines '<!-- generated: rules -->' and '<!-- end -->'"):
        Part(file, str, "<!-- generated: rules -->").renewed()
