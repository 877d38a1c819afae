"""The page of source rules knows every name that a finding can have."""

import re
from pathlib import Path

from checks.code.rules import ABOUT


def test_every_rule_has_its_heading() -> None:
    page = Path(__file__).parents[2] / "docs" / "source.md"
    assert set(re.findall(r"^### (.+)$", page.read_text(), re.MULTILINE)) == ABOUT.keys()
