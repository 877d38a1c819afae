"""What a handoff claims, in a form that can be measured again."""

import re
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.snapshot import Level

ALL_SERVICES: Final = "all services"
ALL_JOBS: Final = "all jobs"
ALL_PROCESSORS: Final = "all processors"


class Check(StrEnum):
    """What a claim can be measured with. Each only reads, and all of them are answered from one look."""

    VERDICT = "verdict"
    """The pipeline's verdict is the expected one."""

    DOCUMENTS = "documents"
    """The collection holds so many documents."""

    MALFORMED = "malformed"
    """So many of them, of one processor's or of all, have malformed ids."""

    GROWTH = "growth"
    """So many malformed documents were created in the last hour."""

    HEARTBEAT = "heartbeat"
    """One processor, or all that must beat, are ``fresh`` or ``silent``, by the settings' limits."""

    SERVES = "serves"
    """A service or job runs what was pushed, with every fix that a code probe looks for: ``matched``, or not."""

    REVISION = "revision"
    """All of a service's traffic goes to this revision."""

    COMMIT = "commit"
    """A service or job holds the fix of this commit, by a code probe of the settings."""

    FINDING = "finding"
    """The check finds this, named ``rule: subject``: it is ``open``, at a severity."""


class Claim(Evidence):
    """One claim of a document, as it was read there: nothing of it is trusted.

    Attributes:
        statement: the document's own words.
        line: where, counted from 1.
        check: what measures it; None where nothing here can.
        subject: what it is about, a name of the settings; None where it names none.
        expected: what the check should find.
        observed: what was seen when it was written.
        level: the level of evidence that it rested on then.
        measured_at, expires_at: when that was, and until when it holds.
        git: only git can tell.
    """

    statement: Untrusted
    line: Count
    check: Check | None = None
    subject: Untrusted | None = None
    expected: Untrusted | None = None
    observed: Untrusted | None = None
    level: Level | None = None
    measured_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    git: bool = False

    @property
    def asks(self) -> tuple[Check | None, str | None, str | None]:
        """What is measured; claims that ask the same are one."""
        return self.check, self.subject, self.expected


class Number(Evidence):
    """An expected number: exactly, at most or at least."""

    sign: str
    value: int

    def holds(self, observed: int) -> bool:
        """Whether an observed number is as expected."""
        if self.sign == "<=":
            return observed <= self.value
        return observed >= self.value if self.sign == ">=" else observed == self.value


def number(text: str) -> Number | None:
    """An expectation such as ``18``, ``<= 50`` or ``>= 20``; None for anything else."""
    found = _NUMBER.fullmatch(text.strip())
    return Number(sign=found[1] or "=", value=int(found[2].replace(",", ""))) if found else None


_NUMBER: Final = re.compile(r"(<=|>=)?\s*(\d{1,3}(?:,\d{3}){1,4}|\d{1,12})", re.ASCII)
