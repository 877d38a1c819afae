"""A look at source code as SARIF 2.1.0, which code scanning takes."""

import hashlib
from collections import Counter
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from checks.formats.json import json_text
from checks.formats.source_code import safe
from checks.text.show import show
from validate_daily.source_code.finding import CodeFinding, CodeSeverity
from validate_daily.source_code.report import CodeReport
from validate_daily.source_code.rules import ABOUT

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {CodeSeverity.P1: "error", CodeSeverity.P2: "warning"}
_NAMES: Final = tuple(ABOUT)

Json = dict[str, object]


def render_sarif(report: CodeReport) -> str:
    """One run, as indented JSON in ASCII, ended by a newline."""
    report = safe(report)
    driver: Json = {
        "name": "validate-daily",
        "semanticVersion": version("validate-daily"),
        "rules": [_rule(name) for name in _NAMES],
    }
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": _results(report),
        "invocations": [{"executionSuccessful": not report.unread, "toolExecutionNotifications": _notes(report)}],
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(name: str) -> Json:
    about, text = ABOUT[name]
    return {
        "id": name,
        "shortDescription": {"text": about},
        "help": {"text": f"{text} To allow one place: # validate-daily: allow[{name}] reason"},
    }


def _results(report: CodeReport) -> list[Json]:
    """The fingerprint holds no line number: code that moves stays the same alert."""
    seen: Counter[str] = Counter()
    results: list[Json] = []
    for finding in report.findings:
        what = f"{finding.rule}\n{finding.path}\n{finding.text}"
        seen[what] += 1
        results.append(_result(finding, hashlib.sha256(f"{what}\n{seen[what]}".encode(errors="replace")).hexdigest()))
    return results


def _result(finding: CodeFinding, fingerprint: str) -> Json:
    return {
        "ruleId": finding.rule,
        "ruleIndex": _NAMES.index(finding.rule),
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{show(finding.reason)}. Next: {show(finding.fix)}."},
        "locations": [_location(finding.path, finding.line, finding.column)],
        "partialFingerprints": {"validateDaily/v1": fingerprint},
    }


def _notes(report: CodeReport) -> list[Json]:
    unread: list[Json] = [
        {
            "level": "error",
            "message": {"text": f"could not be read: {show(each.reason)}"},
            "locations": [_location(each.path)],
        }
        for each in report.unread
    ]
    unsure: list[Json] = [
        {
            "level": "note",
            "message": {"text": f"could not be told: {each.rule}: {show(each.reason)}"},
            "locations": [_location(each.path, each.line)],
        }
        for each in report.unsure
    ]
    return unread + unsure


def _location(path: str, line: int = 1, column: int = 1) -> Json:
    uri = PurePosixPath(path).as_posix()
    place: Json = (
        {"uri": f"file://{quote(uri)}"} if uri.startswith("/") else {"uri": quote(uri), "uriBaseId": "%SRCROOT%"}
    )
    return {"physicalLocation": {"artifactLocation": place, "region": {"startLine": line, "startColumn": column}}}
