"""What a rule says: how bad, about what, on which evidence, and what to do next."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.command import Command
from checks.evidence.snapshot import Level


class Severity(StrEnum):
    """How bad a finding is. ``UNKNOWN`` means that something could not be seen."""

    P0 = "P0"
    P1 = "P1"
    UNKNOWN = "unknown"
    P2 = "P2"

    @property
    def rank(self) -> int:
        """0 is worst. P0 and P1 outrank unknown, and unknown outranks P2."""
        return list(Severity).index(self)


class Fact(Evidence):
    """One line of evidence: ``subject`` is a stranger's text (an id, a name), ``detail`` is ours."""

    subject: Untrusted
    detail: str


MOST_AFFECTED: Final = 30
"""Names that a finding holds of those that it is about; its count is of all."""

_FINGERPRINT: Final = 16
"""Hex characters: one of a few thousand findings of a pipeline is not mistaken for another."""


def _fingerprint(known: Mapping[str, object]) -> str:
    """The hash of what identifies a fault; empty where a field before it was refused."""
    if not {"rule", "subject", "region", "fault"} <= known.keys():
        return ""
    told = json.dumps([known["rule"], known["subject"], known["region"], known["fault"]])
    return hashlib.sha256(told.encode()).hexdigest()[:_FINGERPRINT]


class Finding(Evidence):
    """One thing that is wrong, or that could not be seen.

    Attributes:
        rule: the name of the rule that found it.
        severity: how bad it is.
        subject: what it is about, character for character as the evidence has it.
        region: the Cloud Run region that the subject lives in, where it lives in one.
        fault: what makes this the same fault tomorrow, besides rule, subject and region: a revision, a digest, the
            START of an operation, the writers. Never a number that moves, such as an age or a count.
        fingerprint: the hash of rule, subject, region and ``fault``, in hex: excuses and comparisons use it.
        summary: one sentence of ours.
        evidence: the facts that it rests on; at most as many as a person reads.
        level: the rung of proof that the evidence stands on.
        next_step: what to do about it.
        command: what does that, where one command can.
        count: how many things it is about, where that can grow.
        affects: the processors, services and jobs that it is about, at most as many as fit; None where nobody says.
        since: since when it holds, where that is known.
        explains: keys of findings that this one is the cause of.
        cause: the key of the finding that is the cause of this one; the report fills it in.
        points: how much of the health score it costs; the report fills it in.
    """

    rule: str
    severity: Severity
    subject: Untrusted
    region: str | None = None
    fault: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    fingerprint: str = Field(default_factory=_fingerprint)
    summary: str
    evidence: tuple[Fact, ...] = ()
    level: Level = Level.RUNTIME
    next_step: str
    command: Command | None = None
    count: Count | None = None
    affects: tuple[Untrusted, ...] | None = None
    since: AwareDatetime | None = None
    explains: tuple[Untrusted, ...] = ()
    cause: Untrusted | None = None
    points: Count = 0

    @property
    def key(self) -> str:
        """What other findings call this one by: its rule and subject."""
        return key(self.rule, self.subject)


def worst_of(findings: Iterable[Finding]) -> Severity | None:
    """The worst severity among findings; None where there are none."""
    return min((finding.severity for finding in findings), key=lambda severity: severity.rank, default=None)


def affected(names: Iterable[str]) -> tuple[str, ...]:
    """The names of those that a finding is about, as many as it holds."""
    return tuple(islice(names, MOST_AFFECTED))


def key(rule: str, subject: str) -> str:
    """The key of a rule's finding about a subject."""
    return f"{rule}: {subject}"


def bounded(facts: Sequence[Fact], most: int, others: str = "alike") -> tuple[Fact, ...]:
    """At most so many facts, and one that counts the others and says what they are."""
    if len(facts) <= most:
        return tuple(facts)
    return (*facts[:most], Fact(subject=f"{len(facts) - most} more", detail=others))
