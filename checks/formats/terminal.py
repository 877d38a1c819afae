"""A report for a tired person: the verdict first, then the next step, then what it stands on and what was not seen."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich.text import Text

from checks.formats.practice import practice_of
from checks.formats.styled_text import STYLE, styled
from checks.judge.comparison import Since
from checks.judge.excuses import Excused
from checks.judge.finding import Finding
from checks.judge.report import CensusSummary, Growth, Report
from checks.judge.rules import unreadable_evidence
from checks.text.plural import counted, form
from checks.text.show import show

_INDENT: Final = 4
_COLUMN: Final = 9
_WORDS: Final = {
    "new": "new",
    "worse": "worse",
    "better": "better",
    "changed": "another fault than before",
    "reopened": "no longer excused",
    "excused": "now excused",
    "gone": "gone",
    "unseen": "unseen",
    "seen_again": "can be read again",
}
"""What changed, as people are told it."""


def render_terminal(report: Report, since: Since | None = None) -> str:
    """The report for a terminal, and what changed since an earlier one."""
    return styled([*_lines(report), *(_since(since) if since else ())])


def _lines(report: Report) -> list[Text]:
    lines: list[Text] = []
    if report.practice:
        lines += [Text(practice_of(report.targets), style="reverse")]
    lines += _verdict(report)
    for finding in report.findings:
        if finding.cause:
            lines.append(_carried(finding))
        elif finding.rule != unreadable_evidence.RULE.name:  # told below, as what was not seen
            lines += _finding(finding)
    if report.quiet or report.accepted:
        lines += [Text(), Text("Excused by the settings", style="bold")]
        lines += [line for each in report.quiet for line in _excused("quiet", each)]
        lines += [line for each in report.accepted for line in _excused("accepted", each)]
    if report.gaps:
        lines += [Text(), Text("Not seen", style="bold")]
        for gap in report.gaps:
            lines += [_row(gap.source, gap.reason), _step(gap.next_step)]
    if report.not_checked:
        lines += [Text(), Text("Not checked", style="bold")]
        lines += [_row(each.what, each.reason) for each in report.not_checked]
    return [*lines, Text(), *_basis(report)]


def _verdict(report: Report) -> list[Text]:
    score = "no score" if report.score is None else f"score {report.score}/100"
    head = Text.assemble(
        (f" {report.verdict} ", STYLE[report.verdict]), f" {show(report.pipeline)} · {score} · {_when(report)}"
    )
    if report.root:
        return [
            head,
            Text(f"  {show(report.root.subject)}: {report.root.summary}"),
            Text.assemble("  ", ("Next: ", "bold"), report.root.next_step),
        ]
    said = "everything that was asked for was seen, and nothing is wrong"
    if report.not_checked:
        said += "; not checked: " + ", ".join(each.what for each in report.not_checked)
    return [head, Text(f"  {said}")]


def _finding(finding: Finding) -> list[Text]:
    points = f"  -{finding.points}" if finding.points else ""
    lines = [
        Text(),
        Text.assemble(
            (f"{finding.severity}", STYLE[finding.severity]),
            f"  {finding.rule}  ",
            (show(finding.subject), "bold"),
            (points, "dim"),
        ),
        Text(" " * _INDENT + finding.summary),
    ]
    lines += [_row(show(fact.subject), fact.detail) for fact in finding.evidence]
    return [*lines, _step(finding.next_step)]


def _carried(finding: Finding) -> Text:
    """One line for a finding that the root above it explains."""
    subject = show(finding.subject)
    about = f" {finding.rule} of {subject}: {finding.summary}"
    return Text.assemble(" " * _INDENT, ("explains ", "dim"), (f"{finding.severity}", STYLE[finding.severity]), about)


def _excused(how: str, excused: Excused) -> list[Text]:
    finding = excused.finding
    by = f" by {show(excused.by)}" if excused.by else ""
    about = f"{finding.rule} ({finding.severity}), {how}{by} until {excused.until:%Y-%m-%d}: {show(excused.reason)}"
    row = _row(show(finding.subject), about)
    return [row, _step(f"to excuse this fault only, add {excused.line_to_add}")] if excused.line_to_add else [row]


def _row(subject: str, detail: str) -> Text:
    return Text.assemble(" " * _INDENT, (subject, "cyan"), f": {detail}")


def _step(next_step: str) -> Text:
    return Text.assemble(" " * _INDENT, ("next: ", "bold"), next_step)


def _since(since: Since) -> list[Text]:
    lines = [Text(), Text(f"Since {since.taken_at:%Y-%m-%d %H:%M} UTC, when it was {since.verdict}", style="bold")]
    for name, word in _WORDS.items():
        lines += [_row(word, show(key)) for key in getattr(since, name)]
    lines += [_row(each.name, f"{_number(each.before)} → {_number(each.now)}") for each in since.moved]
    return lines if len(lines) > len(("", "heading")) else [*lines, Text(" " * _INDENT + "nothing changed")]


def _number(count: int | None) -> str:
    return "not known" if count is None else f"{count:,}"


def _basis(report: Report) -> list[Text]:
    lines: list[Text] = []
    if census := report.census:
        lines.append(_basis_row("seen", _seen(census)))
    if growth := report.growth:
        lines.append(_basis_row("created", _grown(growth)))
    lines += [_basis_row("asked", f"{each.source} at {each.address}, {show(each.resource)}") for each in report.targets]
    billed = counted(report.census.billed_reads, "billed read") if report.census else "no billed reads"
    lines.append(_basis_row("cost", f"{billed}; {counted(len(report.rules_run), 'rule')} run"))
    return lines


def _grown(growth: Growth) -> str:
    hour, day = growth.created_last_hour, growth.created_last_day
    if hour is not None and day is not None:
        return f"{counted(hour, 'document')} in the last hour, {day:,} in the last day"
    if growth.malformed_growth is None:
        return "how many documents lately is not known"
    documents = form(growth.malformed_growth, "malformed document", "malformed documents")
    return f"{growth.malformed_growth:+,} {documents} against 55 minutes ago"


def _seen(census: CensusSummary) -> str:
    total = counted(census.total, "document")
    listed = census.canonical + census.malformed
    if not census.complete:
        total = f"at least {total}, {listed:,} of them listed"
    kinds = f"{census.canonical:,} canonical, {census.malformed:,} malformed"
    newest = f"; newest heartbeat {census.newest.last_heartbeat:%Y-%m-%d %H:%M:%S} UTC" if census.newest else ""
    processors = counted(len(census.by_processor) + census.omitted, "processor")
    return f"{total} ({kinds}) of {processors}{newest}"


def _basis_row(name: str, text: str) -> Text:
    return Text.assemble((f"{name:<{_COLUMN}}", "dim"), text)


def _when(report: Report) -> str:
    local = report.taken_at.astimezone(ZoneInfo(report.timezone))
    utc = f"{report.taken_at:%Y-%m-%d %H:%M:%S} UTC"
    return utc if report.timezone == "UTC" else f"{utc} ({_clock(local, report.taken_at)})"


def _clock(local: datetime, utc: datetime) -> str:
    day = "" if local.date() == utc.date() else f"{local:%Y-%m-%d} "
    return f"{day}{local:%H:%M:%S %Z}"
