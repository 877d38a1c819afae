"""Every rule over one tree; what is allowed in the code itself, with a reason, is taken out and counted."""

from checks.code.allowed import apply_allowances
from checks.code.finding import CodeFinding, Unread, Unsure
from checks.code.packages import Packages
from checks.code.project import Project
from checks.code.rules import RULES
from checks.code.tree import Tree
from checks.frozen import Count, Evidence


class CodeReport(Evidence):
    """What is wrong in some source code, what could not be read of it, and what could not be judged.

    Attributes:
        findings: ordered by place.
        unread: files and folders that nothing is known about.
        unsure: what a rule would have had to guess.
        allowed: how many findings a comment in the code allows, with a reason.
        files: Python files that were read.
        lines: their lines.
    """

    findings: tuple[CodeFinding, ...]
    unread: tuple[Unread, ...] = ()
    unsure: tuple[Unsure, ...] = ()
    allowed: Count = 0
    files: Count = 0
    lines: Count = 0


def look_at(tree: Tree) -> CodeReport:
    """Judge one tree."""
    project = Project(tree=tree, packages=Packages.of(tree))
    told = [each for rule in RULES for each in rule.judge(project)]
    found = [each for each in told if isinstance(each, CodeFinding)]
    findings, allowed = apply_allowances(found, tree)
    return CodeReport(
        findings=tuple(sorted(findings, key=lambda each: (each.path, each.line, each.column, each.rule))),
        unread=tree.unread,
        unsure=tuple(each for each in told if isinstance(each, Unsure)),
        allowed=allowed,
        files=len(tree.modules),
        lines=tree.lines,
    )
