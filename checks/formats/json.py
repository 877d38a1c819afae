"""A report for programs: one JSON object, in ASCII, so that no stranger's text can act on a terminal that shows it."""

import json

from checks.judge.comparison import Since
from checks.judge.report import Report


def render_json(report: Report, since: Since | None = None) -> str:
    """The report as indented JSON, ended by a newline; what changed since an earlier one as ``since``."""
    told = report.model_dump(mode="json", by_alias=True)
    if since is not None:
        told["since"] = since.model_dump(mode="json")
    return json.dumps(told, indent=2, ensure_ascii=True) + "\n"
