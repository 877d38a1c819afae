"""Looks at a pipeline and judges it; can change nothing.

from pathlib import Path
from checks import check, load_settings

report = await check(load_settings(Path("validate-daily.toml")).pipeline)
report.verdict, report.root
"""

import sys

# `python -m checks` looks into the open directory first; from here on it does not, unless that is where we are.
# A program that imports this package keeps its own directory.
if (
    sys.argv[:1] == ["-m"]
    and sys.orig_argv[-len(sys.argv)] in {"checks", "-mchecks"}
    and not sys.flags.safe_path
    and __file__ != f"{sys.path[0]}/checks/__init__.py"
):
    sys.path.remove(sys.path[0])

from checks.ask.snapshot import check, collect
from checks.judge.report import Report, judge
from checks.judge.verdict import Verdict
from checks.settings.errors import SettingsError
from checks.settings.file import Settings, load_settings

__all__ = ["Report", "Settings", "SettingsError", "Verdict", "check", "collect", "judge", "load_settings"]
