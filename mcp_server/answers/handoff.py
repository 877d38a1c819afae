"""Handoffs: the answers of ``write_handoff`` and ``verify_handoff``."""

from collections.abc import Mapping
from typing import Annotated, Final

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import AwareDatetime, Field

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.snapshot import Level
from checks.judge.finding import Severity
from checks.judge.verdict import ExitCode, Verdict
from checks.text.plural import counted, form
from mcp_server.answers.answer import Searched, ToolAnswer, notes
from mcp_server.answers.page import page
from mcp_server.cursor import asked
from validate_daily.handoff.claim import Check
from validate_daily.handoff.verification import Answer as Verified
from validate_daily.handoff.verification import AnsweredClaim, HandoffReport
from validate_daily.handoff.writer import WrittenHandoff

ROOM: Final = 5_000
"""Characters that the claims of an answer may take."""

_FINDINGS: Final = 8
_ORDER: Final = (Verified.CONTRADICTED, Verified.UNVERIFIABLE, Verified.EXPIRED, Verified.CONFIRMED)

HandoffTextField = Annotated[
    str, Field(json_schema_extra={"x-untrusted": True}, description="Markdown, escaped: keep it as it is")
]


class HandoffText(ToolAnswer):
    """A handoff that was just measured: its text, to be kept as it is, and the verdict that it bears."""

    verdict: Verdict
    taken_at: AwareDatetime
    text: HandoffTextField


class ClaimRow(Evidence):
    """One claim. ``levels``: the levels of evidence that say the same, of what runs."""

    statement: Untrusted
    line: Count
    check: Check | None
    subject: Untrusted | None
    expected: Untrusted | None
    verdict: Verified
    level: Level | None
    observed: Untrusted | None
    reason: Untrusted | None
    levels: tuple[Level, ...] = ()


class Unmentioned(Evidence):
    """A finding of now that no claim of the document says is open."""

    rule: str
    severity: Severity
    subject: Untrusted
    next_step: str


class HandoffAnswer(ToolAnswer):
    """The claims of a document, measured again, beside what is.

    Attributes:
        verdict: of the pipeline now, whatever the document says.
        exit_code: what the command line exits with: 0 only where all is confirmed and nothing is left out.
        counts: how many claims have each answer, those that only git can check among the unverifiable.
        claims: the worst first; ``omitted`` follow on later pages.
        git_only: statements that only git can check.
        unmentioned: the worst findings that the document is silent of; ``more_unmentioned`` counts the others.
    """

    verdict: Verdict
    taken_at: AwareDatetime
    exit_code: Count
    counts: Mapping[Verified, Count]
    claims: tuple[ClaimRow, ...] = ()
    omitted: Count = 0
    git_only: Count = 0
    unmentioned: tuple[Unmentioned, ...] = ()
    more_unmentioned: Count = 0


def text_answer(written: WrittenHandoff, searched: Searched) -> HandoffText:
    """What was written.

    Raises:
        ToolError: the notes say what no claim proves.
    """
    if written.refused:
        first = written.refused[0]
        raise ToolError(
            f"notes: line {first.line} says deployed or fixed, and {first.why}; "
            f"{counted(len(written.refused), 'such sentence')}: call verify_deployed_code, or say what was done instead"
        )
    report = written.report
    return HandoffText(
        practice=report.practice,
        searched=searched,
        complete=not report.gaps,
        gaps=report.gaps[:_FINDINGS],
        verdict=report.verdict,
        taken_at=report.taken_at,
        text=written.text,
    )


def handoff_answer(report: HandoffReport, searched: Searched, cursor: str | None) -> HandoffAnswer:
    """The answers on a page.

    Args:
        report: all of them.
        searched: where was looked.
        cursor: ``next_cursor`` of the page before.

    Raises:
        ToolError: the cursor is none of this tool's, or the answers have changed since.
    """
    claims = sorted(report.claims, key=lambda each: (_ORDER.index(each.verdict), each.line))
    shown = page(claims, cursor, asked=asked(report.document), name=_name, row=_row, room=ROOM)
    empty = "It claims nothing that a fixed pattern knows: it was not verified." if not claims else None
    beyond = None
    if report.beyond:
        are, were = form(report.beyond, "is", "are"), form(report.beyond, "was", "were")
        beyond = f"{counted(report.beyond, 'claim')} {are} beyond the limit and {were} not measured."
    return HandoffAnswer(
        practice=report.practice,
        searched=searched,
        complete=not report.gaps,
        gaps=report.gaps[:_FINDINGS],
        note=notes(empty, beyond),
        truncated=shown.next_cursor is not None,
        next_cursor=shown.next_cursor,
        verdict=report.verdict,
        taken_at=report.taken_at,
        exit_code=ExitCode(report.exit_code).value,
        counts={answer: count for answer, count in report.counts.items() if count},
        claims=shown.rows,
        omitted=shown.omitted,
        git_only=report.git_only.count,
        unmentioned=tuple(
            Unmentioned(rule=each.rule, severity=each.severity, subject=each.subject, next_step=each.next_step)
            for each in report.unmentioned[:_FINDINGS]
        ),
        more_unmentioned=max(0, len(report.unmentioned) - _FINDINGS),
    )


def _name(each: AnsweredClaim) -> str:
    """One claim among the others."""
    return f"{each.line} {each.statement} {each.check} {each.subject} {each.expected}"


def _row(each: AnsweredClaim) -> ClaimRow:
    return ClaimRow(
        **each.model_dump(exclude={"levels"}),
        levels=tuple(rung.level for rung in each.levels),
    )
