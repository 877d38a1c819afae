import pytest

from support.paths import ROOT
from support.quick import touched

TOUCHED = {
    "a rule": ("checks/judge/rules/stale_heartbeats.py", "tests/checks/judge/rules"),
    "a source": ("checks/sources/registry/tags.py", "tests/checks/sources/registry"),
    "what imports a source": ("checks/sources/registry/tags.py", "tests/checks/ask"),
    "a test that imports it": ("checks/text/duration.py", "tests/checks/settings/test_file.py"),
    "a room without tests of its own": ("validate_daily/sandbox/http/__init__.py", "tests/sandbox"),
    "a scenario": ("validate_daily/sandbox/scenarios/healthy.yaml", "tests/sandbox"),
    "a test": ("tests/house/test_quick.py", "tests/house/test_quick.py"),
    "a helper": ("tests/support/prepared.py", "tests/commands/test_check.py"),
    "a helper of a helper": ("tests/support/prepared.py", "tests/commands/test_handoff.py"),
    "a document": ("README.md", "tests/house"),
}


@pytest.mark.parametrize(("path", "expected"), TOUCHED.values(), ids=TOUCHED)
def test_quick_runs_what_a_change_touches(path: str, expected: str) -> None:
    assert (ROOT / path).exists()
    assert ROOT / expected in touched([path])


def test_quick_runs_nothing_where_nothing_has_changed_or_all_is_gone() -> None:
    assert touched([]) == set()
    assert touched(["tests/house/test_that_is_gone.py"]) == set()
