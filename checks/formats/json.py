"""A report for programs: one JSON object, in ASCII, so that no stranger's text can act on a terminal that shows it."""

import json

from checks.report import Report


def render_json(report: Report) -> str:
    """The report as indented JSON, ended by a newline."""
    return json.dumps(report.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=True) + "\n"
