"""A report as one structured entry of Cloud Logging: a scheduled job prints it, and alert policies match on it."""

import json
from typing import Final

from checks.formats.practice import PRACTICE
from checks.judge.comparison import Since
from checks.judge.report import Report
from checks.judge.verdict import Verdict

MOST_FINDINGS: Final = 20
_SEVERITY: Final = {
    Verdict.P0: "CRITICAL",
    Verdict.P1: "ERROR",
    Verdict.UNKNOWN: "ERROR",
    Verdict.P2: "WARNING",
    Verdict.HEALTHY: "INFO",
}


def render_log(report: Report, since: Since | None = None) -> str:
    """One line of JSON. What cannot be seen is an ERROR: nobody is woken by silence.

    The line stays far below the 256 KiB of an entry: counts of the collection instead of its processors, and the first
    findings.
    """
    practice = f"{PRACTICE} " if report.practice else ""
    body = report.model_dump(mode="json", by_alias=True, exclude={"census": {"by_processor"}})
    body["findings"] = body["findings"][:MOST_FINDINGS]
    body["truncated"] = report.truncated or len(report.findings) > MOST_FINDINGS
    entry = {
        "severity": _SEVERITY[report.verdict],
        "message": f"{practice}validate-daily {report.pipeline}: {report.verdict}: {_summary(report)}",
        "validate_daily": body,
    }
    if since is not None:
        entry["since"] = since.model_dump(mode="json")
    return json.dumps(entry, ensure_ascii=True, separators=(",", ":")) + "\n"


def _summary(report: Report) -> str:
    return report.root.summary if report.root else "nothing is wrong"
