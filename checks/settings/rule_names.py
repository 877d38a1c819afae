"""Which rules there are, as settings know them: they may not import the rules, whose table writes the file anew."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

_TABLE: Final[Any] = json.loads((files("checks.settings") / "rule_names.json").read_text("utf-8"))

RULE_NAMES: Final[Mapping[str, bool]] = _TABLE["rules"]
"""Every rule, and whether its findings count what can grow."""

FORMER_NAMES: Final[Mapping[str, str]] = _TABLE["former"]
"""What settings may still call a renamed rule by, for two releases."""
