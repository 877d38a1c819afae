"""A report on source code, for a person and for a program, and what makes it safe to render."""

from dataclasses import asdict, replace
from typing import Final

from rich.text import Text

from checks.formats.json import json_text
from checks.formats.styled_text import STYLE, styled
from checks.text.plural import counted, form
from checks.text.redact import redact
from checks.text.show import show
from validate_daily.source_code.finding import CodeFinding
from validate_daily.source_code.report import CodeReport

SCHEMA: Final = "validate-daily/source/1"
_INDENT: Final = "    "
_LONGEST_LINE: Final = 160
_LONGEST_REASON: Final = 300


def safe(report: CodeReport) -> CodeReport:
    """The same report with its lines of code redacted, escaped and bounded: every renderer begins with this."""
    return replace(
        report,
        findings=tuple(replace(each, text=show(redact(each.text), limit=_LONGEST_LINE)) for each in report.findings),
        unread=tuple(replace(each, reason=show(each.reason, limit=_LONGEST_REASON)) for each in report.unread),
    )


def render_source_json(report: CodeReport) -> str:
    """The report as indented JSON in ASCII, ended by a newline."""
    return json_text({"schema": SCHEMA, **asdict(safe(report))})


def render_source_terminal(report: CodeReport) -> str:
    """The report for a terminal."""
    return styled(_lines(safe(report)))


def _lines(report: CodeReport) -> list[Text]:
    lines = [line for finding in report.findings for line in _finding(finding)]
    if report.unread:
        lines += [Text("Could not be read", style="bold")]
        lines += [_row(show(each.path), each.reason) for each in report.unread]
        lines += [Text(f"{_INDENT}next: mend it, or name only the folders that matter"), Text()]
    if report.unsure:
        lines += [Text("Could not be told", style="bold")]
        lines += [_row(f"{show(each.path)}:{each.line}", f"{each.rule}: {show(each.reason)}") for each in report.unsure]
        lines += [Text()]
    return [*lines, Text(_sum(report))]


def _finding(finding: CodeFinding) -> list[Text]:
    place = f"{show(finding.path)}:{finding.line}:{finding.column}"
    return [
        Text.assemble((finding.severity, STYLE[finding.severity]), f"  {finding.rule}  ", (place, "bold")),
        Text(f"{_INDENT}{finding.text}", style="dim"),
        Text(f"{_INDENT}{show(finding.reason)}"),
        Text.assemble(_INDENT, ("next: ", "bold"), show(finding.fix)),
        Text(),
    ]


def _row(subject: str, detail: str) -> Text:
    return Text.assemble(_INDENT, (subject, "cyan"), f": {detail}")


def _sum(report: CodeReport) -> str:
    places = counted(len({finding.path for finding in report.findings}), "file")
    found = f"{counted(len(report.findings), 'finding')} in {places}" if report.findings else "nothing is wrong"
    if not report.findings and report.unread:
        found = "nothing is wrong in what was read"
    comments = form(report.allowed, "a comment", "comments")
    allowed = f"; {report.allowed:,} allowed by {comments}" if report.allowed else ""
    read = f"{counted(report.files, 'Python file')} read, {counted(report.lines, 'line')}"
    return f"{found}; {read}{allowed}"
