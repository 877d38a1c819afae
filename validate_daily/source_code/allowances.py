"""Comments that allow a finding: ``# validate-daily: allow[rule] reason``, on its line or alone on the line above.

One without a reason, and one that allows nothing, is a finding itself: what was allowed once must not hide what comes
later.
"""

import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from validate_daily.source_code.finding import CodeFinding, CodeSeverity
from validate_daily.source_code.tree import Tree

_COMMENT: Final = re.compile(r"#\s*validate-daily:\s*allow\[([^\]]*)\][ \t]*(.*)")
_MARK: Final = "validate-daily:"
_HOW: Final = "write # validate-daily: allow[rule] and then why"


@dataclass(frozen=True, slots=True)
class Allowance:
    """One such comment: the rule that it names, its reason, its place, and the lines that it speaks for."""

    path: str
    line: int
    column: int
    rule: str
    reason: str
    lines: tuple[int, ...]


def apply_allowances(findings: Sequence[CodeFinding], tree: Tree) -> tuple[list[CodeFinding], int]:
    """The findings that remain, with those about the comments themselves; and how many were allowed."""
    allowances = list(_allowances(tree))
    by_place = {(each.path, line, each.rule): each for each in allowances if each.reason for line in each.lines}
    used = {by_place[place] for each in findings if (place := (each.path, each.line, each.rule)) in by_place}
    left = [each for each in findings if (each.path, each.line, each.rule) not in by_place]
    faults = [_fault(each) for each in allowances if each not in used]
    return left + faults, len(findings) - len(left)


def _fault(allowance: Allowance) -> CodeFinding:
    if allowance.reason:
        rule, reason = "unused-allowance", f"nothing here is a finding of {allowance.rule}, which this comment allows"
        fix = "take the comment out, or name the rule that it is about"
    else:
        rule, reason = "allowance-without-reason", f"this comment allows {allowance.rule} and does not say why"
        fix = _HOW
    return CodeFinding(
        rule=rule,
        path=allowance.path,
        line=allowance.line,
        column=allowance.column,
        severity=CodeSeverity.P2,
        reason=reason,
        fix=fix,
    )


def _allowances(tree: Tree) -> Iterator[Allowance]:
    for path, module in tree.modules.items():
        if _MARK in module.text:
            yield from _found(path, _python_comments(module.text))
    for path, text in tree.texts.items():
        if _MARK in text:
            yield from _found(path, _plain_comments(text))


def _found(path: str, comments: Iterator[tuple[int, int, str, bool]]) -> Iterator[Allowance]:
    for line, column, text, alone in comments:
        if matched := _COMMENT.match(text):
            lines = (line, line + 1) if alone else (line,)
            for rule in matched[1].split(","):
                yield Allowance(path, line, column, rule.strip(), matched[2].strip(), lines)


def _python_comments(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Line, column, text and whether nothing stands before it; what only looks like a comment, in a text, is none."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                before = token.line[:column]
                yield line, len(before.encode()) + 1, token.string, not before.strip()
    except (tokenize.TokenError, SyntaxError):
        return


def _plain_comments(text: str) -> Iterator[tuple[int, int, str, bool]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if content.lstrip().startswith("#"):
            column = content.index("#")
            yield line, len(content[:column].encode()) + 1, content[column:], True
