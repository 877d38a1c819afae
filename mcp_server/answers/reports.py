"""A report on a page: all of it but the findings that do not fit, which a cursor gets."""

from typing import Final

from checks.judge.excuses import Excused
from checks.judge.finding import Finding
from checks.judge.report import Report
from mcp_server.answers.page import page
from mcp_server.cursor import asked

ROOM: Final = 5_600
"""Characters that the findings of one page may take, however hostile they are; one always fits."""


def report_page(report: Report, phase: str, cursor: str | None) -> Report:
    """The report with the findings of one page: its verdict, score and counts are of the whole.

    Args:
        report: all of it.
        phase: what it was asked for with.
        cursor: ``next_cursor`` of the page before, or None for the first.

    Raises:
        ToolError: the cursor is none, or the findings have changed since.
    """
    kinds = {"findings": report.findings, "quiet": report.quiet, "accepted": report.accepted}
    items = [(kind, each) for kind, listed in kinds.items() for each in listed]
    shown = page(
        items,
        cursor,
        asked=asked(phase),
        name=lambda item: f"{item[0]} {_key(item[1])}",
        row=lambda item: item[1],
        room=ROOM,
        gone="the findings have changed since",
    )
    cut = {"truncated": report.truncated or shown.next_cursor is not None, "next_cursor": shown.next_cursor}
    return report.model_copy(
        update={**{kind: tuple(each for of, each in shown.items if of == kind) for kind in kinds}, **cut}
    )


def _key(item: Finding | Excused) -> str:
    return item.key if isinstance(item, Finding) else item.finding.key
