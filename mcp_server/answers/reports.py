"""A report on a page: all of it but the findings that do not fit, which a cursor gets. Of its roots, the worst."""

from itertools import accumulate
from typing import Final

from checks.evidence.base import INERT
from checks.judge.causes import RootFinding
from checks.judge.excuses import Excused
from checks.judge.finding import Finding
from checks.judge.report import Report
from mcp_server.answers.page import page
from mcp_server.cursor import asked

ROOM: Final = 5_600
"""Characters that the findings of one page may take, however hostile they are; one always fits."""

ROOTS: Final = 1_500
"""Characters that the list of roots may take beside them."""


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
    cut: dict[str, object] = {
        "truncated": report.truncated or shown.next_cursor is not None,
        "next_cursor": shown.next_cursor,
    }
    cut["roots"] = _first(report.roots)
    return report.model_copy(
        update={**{kind: tuple(each for of, each in shown.items if of == kind) for kind in kinds}, **cut}
    )


def _first(roots: tuple[RootFinding, ...]) -> tuple[RootFinding, ...]:
    """The worst roots, as many as fit, and at least one: all of them come again as findings, page by page."""
    lengths = accumulate(len(root.model_dump_json(context=INERT)) for root in roots)
    fit = sum(length <= ROOTS for length in lengths)
    return roots[: max(1, fit)]


def _key(item: Finding | Excused) -> str:
    return item.key if isinstance(item, Finding) else item.finding.key
