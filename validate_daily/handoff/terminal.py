"""A handoff's claims beside what is, for a person: what is wrong comes first, and the verdict of now above all."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from checks.formats.json import json_text
from checks.formats.practice import practice_of
from checks.formats.styled_text import STYLE, styled
from checks.text.plural import counted
from checks.text.show import show
from validate_daily.handoff.lint import UnprovedSentence
from validate_daily.handoff.verification import Answer, AnsweredClaim, HandoffReport

_STYLE: Final = {
    Answer.CONTRADICTED: "bold red",
    Answer.UNVERIFIABLE: "bold magenta",
    Answer.EXPIRED: "bold yellow",
    Answer.CONFIRMED: "bold green",
}
_SAID: Final = 72
_SEEN: Final = 160


def render_handoff(report: HandoffReport) -> str:
    """The answers for a terminal."""
    return styled(_lines(report))


def render_handoff_json(report: HandoffReport) -> str:
    """The answers as indented JSON, ended by a newline."""
    body = report.model_dump(mode="json", by_alias=True)
    return json_text(body | {"counts": report.counts, "exit_code": report.exit_code})


def _lines(report: HandoffReport) -> Iterator[Text | Table]:
    if report.practice:
        yield Text(practice_of(report.targets), style="reverse")
    counts = ", ".join(f"{count} {answer}" for answer, count in report.counts.items() if count) or "it claims nothing"
    yield Text.assemble(
        "now ",
        (f" {report.verdict} ", STYLE[report.verdict]),
        f" {show(report.pipeline)} · ",
        f"{report.taken_at:%Y-%m-%d %H:%M:%S} UTC · the document: {counts}",
    )
    if report.claims:
        yield Text()
        yield _claims(report.claims)
    if report.git_only.count:
        yield Text()
        first = "; ".join(show(each, limit=_SAID) for each in report.git_only.statements[:3])
        yield Text(f"{report.git_only.count} that only git can check, unverifiable here: {first}", style="dim")
    if report.beyond:
        yield Text(
            f"{counted(report.beyond, 'claim')} more than are measured at once: unverifiable",
            style=_STYLE[Answer.UNVERIFIABLE],
        )
    yield from _now(report)


def _claims(claims: Sequence[AnsweredClaim]) -> Table:
    order = list(_STYLE)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("answer", "line", "claim", "measured by", "now"):
        table.add_column(name, overflow="fold")
    for each in sorted(claims, key=lambda each: order.index(each.verdict)):
        by = (
            f"{each.check} of {show(each.subject)}: {show(each.expected or '')}" if each.check and each.subject else "-"
        )
        table.add_row(
            Text(each.verdict, style=_STYLE[each.verdict]),
            str(each.line),
            show(each.statement, limit=_SAID),
            by,
            "\n".join(_seen(each)),
        )
    return table


def _seen(each: AnsweredClaim) -> Iterator[str]:
    if each.levels:
        yield from (f"{rung.level}: {show(rung.says, limit=_SEEN)}" for rung in each.levels)
    elif each.observed:
        yield show(each.observed, limit=_SEEN) + (f" ({each.level})" if each.level else "")
    if each.reason:
        yield show(each.reason, limit=_SEEN)


def _now(report: HandoffReport) -> Iterator[Text]:
    """What is, and the document is silent of."""
    if report.unmentioned:
        yield Text()
        yield Text("Found now, and not in the document", style="bold")
        for each in report.unmentioned:
            yield Text(f"    {each.severity}  {each.rule}  {show(each.subject)}: {each.summary}")
            yield Text.assemble("        ", ("next: ", "bold"), each.next_step)
    if report.gaps:
        yield Text()
        yield Text("Not seen", style="bold")
        for gap in report.gaps:
            yield Text(f"    {gap.source}: {gap.reason}; next: {gap.next_step}")


def render_lint(found: Sequence[UnprovedSentence]) -> str:
    """The sentences that nothing proves, one a line."""
    lines = [f"line {each.line}: {show(each.statement, limit=_SAID)!r}: {show(each.why)}" for each in found]
    return "\n".join(lines)
