"""What a look at source code found, at which line, why that is wrong, and what mends it."""

from typing import Annotated

from pydantic import Field

from checks.evidence.base import Evidence, Untrusted
from checks.judge.finding import Severity

LineNumber = Annotated[int, Field(ge=1)]


class CodeFinding(Evidence):
    """One fault in source code.

    Attributes:
        rule: the name of the rule that found it.
        path: the file, with forward slashes, below the directory that was read.
        line: counted from 1.
        column: counted from 1, in characters.
        severity: P1 for what takes something down or away; P2 for the rest.
        reason: why it is wrong, in one sentence that names what it is about.
        fix: what to do about it.
        text: the line itself, secrets taken out, cut to what a person reads.
    """

    rule: str
    path: Untrusted
    line: LineNumber
    column: LineNumber = 1
    severity: Severity
    reason: Untrusted
    fix: Untrusted
    text: Untrusted = ""


class UnreadFile(Evidence):
    """What could not be read, so that nothing is known about it."""

    path: Untrusted
    reason: Untrusted


class Unsure(Evidence):
    """What was read and could not be judged by a rule without guessing."""

    rule: str
    path: Untrusted
    line: LineNumber
    reason: Untrusted


CodeJudgement = CodeFinding | Unsure
"""What a rule says."""
