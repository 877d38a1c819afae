"""A report as one structured entry of Cloud Logging: a scheduled job prints it, and alert policies match on it."""

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from checks.formats.practice import PRACTICE
from checks.judge.comparison import Since
from checks.judge.report import Report
from checks.judge.verdict import Verdict

MOST_FINDINGS: Final = 20
MOST_BYTES: Final = 250_000
"""Cloud Logging takes entries of 256 KiB, and loses what is larger."""

_SHARES: Final = {
    "findings": 70_000,
    "roots": 40_000,
    "gaps": 30_000,
    "quiet": 20_000,
    "accepted": 20_000,
    "not_checked": 15_000,
    "targets": 10_000,
    "rules_run": 10_000,
}
"""Bytes that a list of the report may take: together far below ``MOST_BYTES``. The first of each list matter most."""

_SINCE_SHARE: Final = 2_500
"""Bytes of each list of the comparison, of which there are a dozen."""

_LONGEST_MESSAGE: Final = 2_000
_SEVERITY: Final = {
    Verdict.P0: "CRITICAL",
    Verdict.P1: "ERROR",
    Verdict.UNKNOWN: "ERROR",
    Verdict.P2: "WARNING",
    Verdict.HEALTHY: "INFO",
}


def render_log(report: Report, since: Since | None = None) -> str:
    """One line of JSON. What cannot be seen is an ERROR: nobody is woken by silence.

    The line is smaller than what Cloud Logging takes, whatever the report holds: counts of the collection instead of
    its processors, the first of every list, and ``left_out`` with how many more there are of each.
    """
    practice = f"{PRACTICE} " if report.practice else ""
    body = report.model_dump(mode="json", by_alias=True, exclude={"census": {"by_processor"}})
    body["truncated"] = report.truncated or len(report.findings) > MOST_FINDINGS
    left_out = _cut(body, _SHARES)
    body["truncated"] = body["truncated"] or "findings" in left_out
    message = f"{practice}validate-daily {report.pipeline}: {report.verdict}: {_summary(report)}"
    entry: dict[str, Any] = {
        "severity": _SEVERITY[report.verdict],
        "message": message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]} ...",
        "validate_daily": body,
    }
    if since is not None:
        entry["since"] = since.model_dump(mode="json")
        lists = {key: _SINCE_SHARE for key, value in entry["since"].items() if isinstance(value, list)}
        left_out |= {f"since.{key}": number for key, number in _cut(entry["since"], lists).items()}
    if left_out:
        entry["left_out"] = left_out
    return _line(entry) + "\n"


def _cut(told: dict[str, Any], shares: Mapping[str, int]) -> dict[str, int]:
    """Leave of each list what fits into its share, from its first on; how many were left out of which."""
    left_out: dict[str, int] = {}
    for key, share in shares.items():
        kept, left = list[Any](), share
        items = cast("list[Any]", told[key])
        for item in items[:MOST_FINDINGS] if key == "findings" else items:
            size = len(_line(item)) + 1
            if size <= left:
                kept.append(item)
                left -= size
        told[key] = kept
        if len(kept) < len(items):
            left_out[key] = len(items) - len(kept)
    return left_out


def _line(value: object) -> str:
    """JSON as ASCII, so that its length is that of its bytes."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _summary(report: Report) -> str:
    return report.root.summary if report.root else "nothing is wrong"
