"""Writes a handoff: a document in which everything was measured, and what was not is said to be unknown."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime

from checks.evidence.base import Evidence, Untrusted
from checks.formats.practice import practice_line
from checks.judge.deployed.proofs import Outcome
from checks.judge.finding import Finding, Severity
from checks.judge.verdict import Verdict
from checks.text.markdown import escape_markdown
from checks.text.plural import counted, form
from validate_daily.handoff.answers import answer
from validate_daily.handoff.claim import ALL_JOBS, ALL_PROCESSORS, ALL_SERVICES, Check, Claim
from validate_daily.handoff.measurements import Measurements
from validate_daily.handoff.table import header, row

VALID: Final = timedelta(hours=1)
"""How long a measured claim holds."""

_FINDINGS: Final = 12
_SERVICES: Final = 20
_UNKNOWN: Final = 20


class RepairRecord(Evidence):
    """A repair that the audit tells of.

    Attributes:
        at: when it ended, or began where nothing says that it ended.
        repair, subject: what was done, and to what.
        outcome: what became of it; None where the audit has no line after it.
        by: who, as far as that is known.
        plan: the plan's id.
    """

    at: AwareDatetime
    repair: str
    subject: Untrusted
    outcome: Untrusted | None
    by: Untrusted
    plan: str | None = None


class RepairHistory(Evidence):
    """What the audit tells: the repairs since a time, or why it could not be read."""

    since: AwareDatetime
    made: tuple[RepairRecord, ...] = ()
    unread: str | None = None


def write(seen: Measurements, repairs: RepairHistory, notes: str = "", *, valid: timedelta = VALID) -> str:
    """The document, in Markdown.

    Args:
        seen: one look at everything.
        repairs: from the audit.
        notes: what a person or an assistant adds, set apart as not measured.
        valid: how long the claims hold.
    """
    report = seen.report
    at = f"{report.taken_at:%Y-%m-%d %H:%M:%S} UTC"
    score = "withheld: something is unseen" if report.score is None else f"{report.score}/100"
    lines = [f"# Handoff of {escape_markdown(report.pipeline)}", ""]
    if report.practice:
        lines += [f"{practice_line('an emulator or a sandbox answered')}.", ""]
    lines += [f"Measured {at}. Verdict {report.verdict}, score {score}.", ""]
    lines += [
        "Measure every claim again with `validate-daily handoff verify FILE`. A claim that has expired proves nothing.",
        "",
        "## Claims",
        "",
        *header(),
        *map(row, claims_of(seen, valid)),
        "",
    ]
    lines += [*_section("Open", map(_open, report.findings[:_FINDINGS]), _more(report.findings), "Nothing is open.")]
    lines += [*_section("Not known", _unknown(seen), None, "Everything that was asked for was seen.")]
    lines += [
        *_section(f"Repairs since {repairs.since:%Y-%m-%d %H:%M} UTC", _made(repairs), None, "The audit has none.")
    ]
    if notes.strip():
        lines += ["## Notes, not measured", "", *(f"> {line}".rstrip() for line in notes.strip().splitlines()), ""]
    return "\n".join(lines)


def claims_of(seen: Measurements, valid: timedelta = VALID) -> list[Claim]:
    """What was measured and can be again. A state that is wrong is claimed as it is; what is unknown is not claimed."""
    return [claim for ask in _asks(seen) if (claim := _claim(seen, valid, *ask))]


def _asks(seen: Measurements) -> Iterator[tuple[str, Check, str, str]]:
    """Statement, check, subject and expectation of each claim."""
    settings, report = seen.snapshot.pipeline, seen.report
    collection = settings.heartbeats.collection
    yield f"The verdict is {report.verdict}", Check.VERDICT, report.pipeline, report.verdict
    notice = settings.thresholds.notice
    documents = f"There {form(notice, 'is', 'are')} at most {counted(notice, 'document')}"
    yield documents, Check.DOCUMENTS, collection, f"<= {notice}"
    yield "No document has a malformed id", Check.MALFORMED, collection, "0"
    yield "No malformed document was created in the last hour", Check.GROWTH, collection, "0"
    yield "All processors that must beat do", Check.HEARTBEAT, ALL_PROCESSORS, "fresh"
    for service in settings.services[:_SERVICES]:
        for result, words in _WORDS.items():
            yield f"{service.name} {words}", Check.SERVES, service.name, result
    if len(settings.services) > _SERVICES:
        yield "All services run what was pushed", Check.SERVES, ALL_SERVICES, Outcome.MATCHED
    yield "All jobs would run what their services serve", Check.SERVES, ALL_JOBS, Outcome.MATCHED
    for finding in report.findings[:_FINDINGS]:
        if finding.severity is not Severity.UNKNOWN:
            yield f"{finding.rule} is open", Check.FINDING, finding.key, f"open {finding.severity}"


_WORDS: Final = {Outcome.MATCHED: "runs what was pushed", Outcome.CONTRADICTED: "does NOT run what was pushed"}


def _claim(
    seen: Measurements, valid: timedelta, statement: str, check: Check, subject: str, expected: str
) -> Claim | None:
    """A claim of what holds; one that does not hold, or is unknown, is none."""
    measurement = answer(seen, check, subject, expected)
    if not measurement.holds or measurement.weak or (check is Check.VERDICT and expected == Verdict.UNKNOWN):
        return None
    at: datetime = seen.report.taken_at.replace(microsecond=0)
    return Claim(
        statement=statement,
        line=0,
        check=check,
        subject=subject,
        expected=expected,
        observed=measurement.observed,
        level=measurement.level,
        measured_at=at,
        expires_at=at + valid,
    )


def _section(title: str, lines: Iterable[str], more: str | None, empty: str) -> list[str]:
    items = [f"- {line}" for line in lines] + ([f"- {more}"] if more else [])
    return [f"## {title}", "", *(items or [empty]), ""]


def _open(finding: Finding) -> str:
    cause = f" Follows from {escape_markdown(finding.cause)}." if finding.cause else ""
    return (
        f"{finding.severity} {finding.rule}: {escape_markdown(finding.subject)}: "
        f"{escape_markdown(finding.summary)}.{cause} Next: {escape_markdown(finding.next_step)}"
    )


def _more(findings: Sequence[Finding]) -> str | None:
    more = len(findings) - _FINDINGS
    return f"{counted(more, 'finding')} more: see `validate-daily check`" if more > 0 else None


def _unknown(seen: Measurements) -> Iterator[str]:
    """What could not be seen, what the settings leave out, and which services and jobs nothing decides about."""
    for gap in seen.report.gaps:
        yield f"{gap.source}: {escape_markdown(gap.reason)}. Next: {escape_markdown(gap.next_step)}"
    for each in seen.report.not_checked:
        yield f"{escape_markdown(each.what)}: not checked: {escape_markdown(each.reason)}"
    undecided = [name for name, each in seen.ladders.items() if each.verdict is Outcome.UNKNOWN]
    if undecided:
        names = ", ".join(map(escape_markdown, undecided[:_UNKNOWN]))
        more = f" and {len(undecided) - _UNKNOWN} more" if len(undecided) > _UNKNOWN else ""
        yield f"what runs, no level of evidence decides: {names}{more}"
    if seen.snapshot.census is None or not seen.snapshot.census.listed:
        yield "the heartbeats: not all were seen, so nothing is claimed of them that more could retract"


def _made(repairs: RepairHistory) -> Iterator[str]:
    if repairs.unread:
        yield f"unknown: {escape_markdown(repairs.unread)}"
    for each in repairs.made:
        outcome = escape_markdown(each.outcome) if each.outcome else "NOT KNOWN: the audit has no line after it"
        what = f"{each.repair} of {escape_markdown(each.subject)}"
        yield f"{each.at:%Y-%m-%d %H:%M:%S} UTC: {what}: {outcome} (by {escape_markdown(each.by)})"
