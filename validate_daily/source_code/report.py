"""Every rule over one tree; what is allowed in the code itself, with a reason, is taken out and counted."""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, replace

from validate_daily.source_code.allowances import apply_allowances
from validate_daily.source_code.finding import CodeFinding, UnreadFile, Unsure
from validate_daily.source_code.project import Project
from validate_daily.source_code.python.packages import Packages
from validate_daily.source_code.rules import RULES
from validate_daily.source_code.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReport:
    """What is wrong in some source code, what could not be read of it, and what could not be judged.

    Attributes:
        findings: ordered by place.
        unread: files and folders that nothing is known about.
        unsure: what a rule would have had to guess.
        allowed: how many findings a comment in the code allows, with a reason.
        files: Python files that were read.
        lines: their lines.
    """

    findings: tuple[CodeFinding, ...] = ()
    unread: tuple[UnreadFile, ...] = ()
    unsure: tuple[Unsure, ...] = ()
    allowed: int = 0
    files: int = 0
    lines: int = 0

    def __add__(self, other: "CodeReport") -> "CodeReport":
        """Both together."""
        return CodeReport(
            findings=self.findings + other.findings,
            unread=self.unread + other.unread,
            unsure=self.unsure + other.unsure,
            allowed=self.allowed + other.allowed,
            files=self.files + other.files,
            lines=self.lines + other.lines,
        )

    def below(self, folder: str) -> "CodeReport":
        """The same, with paths that begin with the directory that was read."""

        def moved(path: str) -> str:
            return posixpath.normpath(f"{folder}/{path}")

        return replace(
            self,
            findings=tuple(replace(each, path=moved(each.path)) for each in self.findings),
            unread=tuple(replace(each, path=moved(each.path)) for each in self.unread),
            unsure=tuple(replace(each, path=moved(each.path)) for each in self.unsure),
        )

    def only(self, wanted: Callable[[str], bool]) -> "CodeReport":
        """Only what is told of some files."""
        return replace(
            self,
            findings=tuple(each for each in self.findings if wanted(each.path)),
            unread=tuple(each for each in self.unread if wanted(each.path)),
            unsure=tuple(each for each in self.unsure if wanted(each.path)),
        )


def check_tree(tree: Tree) -> CodeReport:
    """Apply every rule to one tree."""
    project = Project(tree=tree, packages=Packages.of(tree))
    told = [each for rule in RULES for each in rule.judge(project)]
    findings, allowed = apply_allowances([each for each in told if isinstance(each, CodeFinding)], tree)
    return CodeReport(
        findings=tuple(_with_text(each, tree) for each in sorted(findings, key=_place)),
        unread=tree.unread,
        unsure=tuple(each for each in told if isinstance(each, Unsure)),
        allowed=allowed,
        files=len(tree.modules),
        lines=tree.lines,
    )


def _place(finding: CodeFinding) -> tuple[str, int, int, str]:
    return finding.path, finding.line, finding.column, finding.rule


def _with_text(finding: CodeFinding, tree: Tree) -> CodeFinding:
    """Add the line itself, and count its column in characters: ``ast`` counts bytes."""
    module = tree.modules.get(finding.path)
    lines = (module.text if module else tree.texts.get(finding.path, "")).split("\n")
    line = lines[finding.line - 1] if finding.line <= len(lines) else ""
    column = len(line.encode()[: finding.column - 1].decode(errors="replace")) + 1
    return replace(finding, column=column, text=line.strip())
