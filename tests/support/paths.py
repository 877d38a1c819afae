"""Where things lie in the project, so that no test counts the folders above it."""

from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parents[1]
ROOT: Final = TESTS.parent
EXAMPLE: Final = ROOT / "checks" / "settings" / "example.toml"
RULES: Final = ROOT / "checks" / "judge" / "rules"
SCHEMA: Final = ROOT / "docs" / "report.schema.json"
TOOLS: Final = TESTS / "mcp_server" / "tools.json"
