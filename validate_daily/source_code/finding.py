"""What the checker says about source code: where a fault is, why it is one, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class CodeSeverity(StrEnum):
    """P1 for what takes something down or away; P2 for the rest."""

    P1 = "P1"
    P2 = "P2"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFinding:
    """One fault in source code. Its texts are strangers' text, as they stand in the code.

    Attributes:
        rule: the name of the rule that found it.
        path: the file, with forward slashes, below the directory that was read.
        line: counted from 1.
        column: counted from 1, in characters.
        severity: how bad it is.
        reason: why it is wrong, in one sentence that names what it is about.
        fix: what to do about it.
        text: the line itself, without the blanks around it.
    """

    rule: str
    path: str
    line: int
    column: int = 1
    severity: CodeSeverity
    reason: str
    fix: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadFile:
    """A file or folder that could not be read, so that nothing is known about it."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """A place that a rule could not judge without guessing."""

    rule: str
    path: str
    line: int
    reason: str


CodeJudgement = CodeFinding | Unsure
"""What a rule says."""
