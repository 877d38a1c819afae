"""A report for programs: one JSON object, in ASCII, so that no stranger's text can act on a terminal that shows it."""

import json

from checks.evidence.base import Evidence
from checks.judge.comparison import Since
from checks.judge.report import Report


def render_json(report: Report, since: Since | None = None) -> str:
    """The report as indented JSON, ended by a newline; what changed since an earlier one as ``since``."""
    body = report.model_dump(mode="json", by_alias=True)
    if since is not None:
        body["since"] = since.model_dump(mode="json")
    return json_text(body)


def render_evidence(evidence: Evidence) -> str:
    """Any evidence as indented JSON, ended by a newline."""
    return json_text(evidence.model_dump(mode="json", by_alias=True))


def json_text(body: object) -> str:
    """Indented JSON in ASCII, ended by a newline."""
    return json.dumps(body, indent=2, ensure_ascii=True) + "\n"
