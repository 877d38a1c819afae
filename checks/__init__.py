"""Looks at a pipeline and judges it; can change nothing.

from pathlib import Path
from checks import check, load_settings

report = await check(load_settings(Path("validate-daily.toml")).pipeline)
report.verdict, report.root
"""

from checks.collect import check, collect
from checks.report import Report, Verdict, judge
from checks.settings import Settings, SettingsError, load_settings

__all__ = ["Report", "Settings", "SettingsError", "Verdict", "check", "collect", "judge", "load_settings"]
