"""The page of source rules knows every name that a finding can have."""

import re

from validate_daily.source_code.rules import ABOUT

from support.paths import ROOT


def test_every_rule_has_its_heading() -> None:
    page = ROOT / "docs" / "source.md"
    assert set(re.findall(r"^### (.+)$", page.read_text(), re.MULTILINE)) == ABOUT.keys()
