"""Measures the claims of a handoff again, from one look at everything, and sets the verdict of now beside them."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from checks.ask.snapshot import DEFAULT_TIMEOUT, collect
from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.snapshot import Gap, Level, NotChecked, Target
from checks.judge.deployed.levels import Rung
from checks.judge.finding import Finding, Severity
from checks.judge.verdict import ExitCode, Verdict
from checks.settings.pipeline import Pipeline
from checks.sources.credentials import Login
from checks.sources.progress import Progress, quiet
from validate_daily.handoff.answers import answer
from validate_daily.handoff.claim import Check, Claim
from validate_daily.handoff.document import HandoffDocument, read_document
from validate_daily.handoff.measurements import Measurement, Measurements, unmeasured

SCHEMA: Final = "validate-daily/handoff/1"
MOST_CLAIMS: Final = 100
_SHOWN: Final = 20
_LONGEST: Final = timedelta(hours=24)


class Answer(StrEnum):
    """What measuring says of a claim."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    EXPIRED = "expired"
    UNVERIFIABLE = "unverifiable"


class AnsweredClaim(Evidence):
    """One claim, measured again.

    Attributes:
        statement, line: the document's words, and where they stand.
        check, subject, expected: what was measured; all None where nothing here can measure it.
        verdict: the answer; ``expired`` is what still is as expected, and was claimed too long ago.
        level: what the answer rests on.
        observed: what was seen now.
        reason: why it is not confirmed.
        levels: of what runs: each level of evidence that says the same.
    """

    statement: Untrusted
    line: Count
    check: Check | None
    subject: Untrusted | None
    expected: Untrusted | None
    verdict: Answer
    level: Level | None = None
    observed: Untrusted | None = None
    reason: Untrusted | None = None
    levels: tuple[Rung, ...] = ()


class GitOnly(Evidence):
    """Statements that only git can check: how many, and the first of them. None of them is confirmed."""

    count: Count = 0
    statements: tuple[Untrusted, ...] = ()


class HandoffReport(Evidence):
    """A document's claims beside what is.

    Attributes:
        document: its SHA-256.
        measured: it has a table of claims that were measured when it was written; else its sentences were read.
        verdict: of the pipeline now, whatever the document says.
        claims: every claim but those of git, in the document's order.
        git_only: those.
        beyond: claims that were not measured, because there are too many.
        unmentioned: findings of now that no claim of the document says are open, worst first.
        not_checked: what the settings leave out.
    """

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    pipeline: str
    taken_at: AwareDatetime
    practice: bool
    document: str
    measured: bool
    verdict: Verdict
    claims: tuple[AnsweredClaim, ...]
    git_only: GitOnly = GitOnly()
    beyond: Count = 0
    unmentioned: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    targets: tuple[Target, ...] = ()

    @property
    def counts(self) -> dict[Answer, int]:
        """How many claims have each answer; those of git and those beyond the limit are unverifiable."""
        counts = {answer: sum(each.verdict is answer for each in self.claims) for answer in Answer}
        counts[Answer.UNVERIFIABLE] += self.git_only.count + self.beyond
        return counts

    @property
    def exit_code(self) -> int:
        """1 contradicted, 3 unverifiable, 2 expired, 0 confirmed: and never 0 for a sick pipeline that it is silent of.

        A document that claims nothing is unverifiable, and so is any while something could not be seen.
        """
        counts = self.counts
        silent = {each.severity for each in self.unmentioned}
        if counts[Answer.CONTRADICTED] or silent & {Severity.P0, Severity.P1}:
            return ExitCode.P0_OR_P1
        if counts[Answer.UNVERIFIABLE] or self.gaps or Severity.UNKNOWN in silent or not self.claims:
            return ExitCode.UNKNOWN
        return ExitCode.P2 if counts[Answer.EXPIRED] or silent else ExitCode.HEALTHY


async def verify(
    pipeline: Pipeline,
    raw: bytes,
    origin: str,
    *,
    session: Login | None = None,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - a budget that sources share, not a cancellation
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
) -> HandoffReport:
    """Measure the claims of a document, all of them from one look.

    Args:
        pipeline: the settings: only their services, jobs and processors are looked at, whatever the document names.
        raw: the document.
        origin: what errors call it.
        session: the way to Google; one for this look unless given.
        timeout: seconds that looking may take.
        progress: told how far the long reads are.
        environment: where addresses are looked up.

    Raises:
        UsageError: it is no document, or an address is refused.
    """
    document = read_document(raw, pipeline, origin)
    snapshot = await collect(pipeline, session=session, timeout=timeout, progress=progress, environment=environment)
    return answer_claims(document, raw, Measurements.of(snapshot))


def answer_claims(document: HandoffDocument, raw: bytes, seen: Measurements) -> HandoffReport:
    """The answers, from what was seen; nothing is asked any more."""
    git = [each.statement for each in document.claims if each.git]
    others = [each for each in document.claims if not each.git]
    report = seen.report
    return HandoffReport(
        pipeline=report.pipeline,
        taken_at=report.taken_at,
        practice=report.practice,
        document=hashlib.sha256(raw).hexdigest(),
        measured=document.measured,
        verdict=report.verdict,
        claims=tuple(_answer(each, seen) for each in others[:MOST_CLAIMS]),
        git_only=GitOnly(count=len(git), statements=tuple(git[:_SHOWN])),
        beyond=max(0, len(others) - MOST_CLAIMS),
        unmentioned=tuple(_unmentioned(document, report.findings)),
        gaps=report.gaps,
        not_checked=report.not_checked,
        targets=report.targets,
    )


def _answer(claim: Claim, seen: Measurements) -> AnsweredClaim:
    if claim.check is None or claim.expected is None:
        measurement = unmeasured("no check measures it")
    elif claim.subject is None:
        measurement = unmeasured("it names no service or job of the settings")
    else:
        measurement = answer(seen, claim.check, claim.subject, claim.expected)
    verdict, reason = _verdict_of(claim, measurement, seen.report.taken_at)
    return AnsweredClaim(
        statement=claim.statement,
        line=claim.line,
        check=claim.check,
        subject=claim.subject,
        expected=claim.expected,
        verdict=verdict,
        level=measurement.level,
        observed=measurement.observed or None,
        reason=reason,
        levels=measurement.rungs,
    )


def _verdict_of(claim: Claim, measurement: Measurement, now: datetime) -> tuple[Answer, str | None]:
    """The answer: contradicted whenever it was said, and confirmed only while it holds."""
    if measurement.holds is None:
        return Answer.UNVERIFIABLE, measurement.reason
    if not measurement.holds:
        return Answer.CONTRADICTED, measurement.reason
    if measurement.weak:
        return Answer.UNVERIFIABLE, "it is so, and would be where the rules find fault: expect what the rules want"
    if claim.measured_at and claim.measured_at > now:
        return (
            Answer.UNVERIFIABLE,
            f"it says that it was measured {claim.measured_at:%Y-%m-%d %H:%M:%S} UTC, which is yet to come",
        )
    until = _until(claim)
    if until and now >= until:
        return Answer.EXPIRED, f"it held until {until:%Y-%m-%d %H:%M:%S} UTC; what is observed is of now"
    return Answer.CONFIRMED, None


def _until(claim: Claim) -> datetime | None:
    """Until when it holds; nobody can write down that a measurement holds for longer than a day."""
    if claim.measured_at is None or claim.expires_at is None:
        return claim.expires_at
    return min(claim.expires_at, claim.measured_at + _LONGEST)


def _unmentioned(document: HandoffDocument, findings: Sequence[Finding]) -> Iterable[Finding]:
    """Findings that no claim of the document says are open. Words that name a rule are no such claim."""
    named = {each.subject for each in document.claims if each.check is Check.FINDING}
    return (each for each in findings if each.key not in named)
