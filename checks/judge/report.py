"""The verdict of one check: the worst of its findings, and all that a reader needs to trust it.

The JSON form is a contract; ``docs/report.schema.json`` publishes it.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.snapshot import Census, Family, Gap, Heartbeat, Method, NotChecked, Snapshot, Target
from checks.judge.causes import RootFinding, grouped, roots_of, with_causes
from checks.judge.context import Context
from checks.judge.excuses import Excused, tell_apart
from checks.judge.finding import Finding, Severity, worst_of
from checks.judge.not_checked import not_checked
from checks.judge.rule import Rule
from checks.judge.rules import RULES, context_of
from checks.judge.verdict import EXIT_CODES, ExitCode, Verdict
from checks.text.duration import Duration

SCHEMA: Final = "validate-daily/report/2"
READABLE: Final = ("validate-daily/report/1", SCHEMA)
"""The schemas of reports that can be compared with one of now. The first knew neither fingerprints nor roots."""

MOST_PROCESSORS: Final = 10
MOST_FINDINGS: Final = 200
_POINTS: Final = {Severity.P0: 65, Severity.P1: 35, Severity.P2: 10, Severity.UNKNOWN: 0}


class Newest(Evidence):
    """The newest heartbeat of the whole collection."""

    processor: Untrusted
    doc: Untrusted
    last_heartbeat: AwareDatetime


class ProcessorCount(Evidence):
    """The documents of one processor.

    ``newest`` is its newest heartbeat that is not from the future and was read; with ``older_than``, others were not
    read, all of which are older. What was created is null where documents were counted and not read.
    """

    total: Count
    canonical: Count
    malformed: Count
    created_last_hour: Count | None
    created_last_day: Count | None
    newest: AwareDatetime | None
    older_than: AwareDatetime | None = None


class CensusSummary(Evidence):
    """The collection in numbers.

    ``total`` is exact where ``complete``, else at least that many. ``canonical`` and ``malformed`` count the documents
    that were listed, or counted by the beginning of their ids, as ``method`` says. ``by_processor`` holds those with
    the most documents; ``omitted`` says how many more processors there are.
    """

    collection: str
    total: Count
    canonical: Count
    malformed: Count
    by_processor: dict[Untrusted, ProcessorCount]
    omitted: Count
    newest: Newest | None
    complete: bool
    method: Method = Method.LISTING
    billed_reads: Count


class Growth(Evidence):
    """Documents that Firestore created in the last hour and day before ``taken_at``, as far as they still exist.

    Where documents were counted and not read, these are null, and ``malformed_growth`` is the number of malformed
    documents now, less that of 55 minutes ago; null where nobody could tell.
    """

    created_last_hour: Count | None
    created_last_day: Count | None
    malformed_last_hour: Count | None
    malformed_last_day: Count | None
    malformed_growth: int | None = None


class AppliedThresholds(Evidence):
    """The limits that this report was judged by."""

    notice: int
    p1: int
    p0: int
    late_after: Duration
    down_after: Duration


class Report(Evidence):
    """One check, told whole.

    Attributes:
        verdict: the worst finding's severity; P0 and P1 outrank unknown, unknown outranks P2.
        score: 100 less the points of all findings; None when anything could not be seen.
        roots: every finding that no other explains, in short and never cut, with the worst that it carries.
        practice: an emulator or a sandbox answered, so this says nothing about production.
        truncated: findings were left out of the list, never out of the verdict. ``census.omitted`` counts processors.
        next_cursor: where it can be asked for, what the next findings are asked for with.
    """

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    pipeline: str
    timezone: str
    taken_at: AwareDatetime
    verdict: Verdict
    score: Annotated[int, Field(ge=0, le=100)] | None
    practice: bool
    census: CensusSummary | None
    growth: Growth | None
    roots: tuple[RootFinding, ...] = ()
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    rules_run: tuple[str, ...]
    thresholds: AppliedThresholds
    targets: tuple[Target, ...]
    quiet: tuple[Excused, ...] = ()
    accepted: tuple[Excused, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    truncated: bool = False
    next_cursor: str | None = None

    @property
    def exit_code(self) -> ExitCode:
        """What a check command exits with after this report."""
        return EXIT_CODES[self.verdict]

    @property
    def root(self) -> Finding | None:
        """The finding to act on first."""
        return self.findings[0] if self.findings else None


def judge(
    seen: Snapshot | Context,
    rules: Iterable[Rule] = RULES,
    *,
    processors: int = MOST_PROCESSORS,
    most_findings: int = MOST_FINDINGS,
) -> Report:
    """Apply the rules to one snapshot.

    Args:
        seen: what was seen, or that with what is joined from it already.
        rules: what to judge by.
        processors: how many processors the census names, those with the most documents; it counts the others.
        most_findings: how many findings the report lists, worst first.

    Raises:
        ValueError: no rule was given, or a source that one needs was neither read nor is missed as a gap: a report of
            what nobody looked at would look healthy.
    """
    applied = tuple(rules)
    if not applied:
        raise ValueError("no rules to judge by: a report of none would look healthy")
    context = seen if isinstance(seen, Context) else context_of(seen)
    snapshot = context.snapshot
    _refuse_blindness(snapshot, applied)
    findings = with_causes(finding for rule in applied for finding in rule.findings(context))
    told = tell_apart(snapshot, findings, {rule.name for rule in applied if rule.quiet})
    findings = with_causes(told.open)  # anew: what is excused carries nothing
    worst = worst_of(findings)
    known = not snapshot.gaps and all(finding.severity is not Severity.UNKNOWN for finding in findings)
    findings = _with_points(findings) if known else findings
    census, heartbeats, unasked = snapshot.census, snapshot.pipeline.heartbeats, snapshot.pipeline.unasked.keys()
    return Report(
        pipeline=snapshot.pipeline.pipeline.name,
        timezone=snapshot.pipeline.pipeline.timezone,
        taken_at=snapshot.taken_at,
        verdict=Verdict(worst.value) if worst else Verdict.HEALTHY,
        score=100 - sum(finding.points for finding in findings) if known else None,
        practice=snapshot.practice,
        census=_summary(census, processors) if census else None,
        growth=growth_of(census) if census else None,
        roots=roots_of(findings),
        findings=tuple(findings[:most_findings]),
        gaps=snapshot.gaps,
        rules_run=tuple(rule.name for rule in applied if unasked.isdisjoint(rule.needs)),
        thresholds=AppliedThresholds(
            **snapshot.pipeline.thresholds.model_dump(),
            late_after=heartbeats.late_after,
            down_after=heartbeats.down_after,
        ),
        targets=snapshot.targets,
        quiet=tuple(told.quiet),
        accepted=tuple(told.accepted),
        not_checked=tuple(not_checked(context, applied)),
        truncated=len(findings) > most_findings,
    )


def _refuse_blindness(snapshot: Snapshot, rules: tuple[Rule, ...]) -> None:
    if blind := {source for rule in rules for source in rule.needs} - snapshot.accounted_for:
        raise ValueError(f"rules need {', '.join(sorted(blind))}, which was neither read nor told as a gap")


def _with_points(findings: list[Finding]) -> list[Finding]:
    """Spread the lost points over the roots, worst first, until all are lost: each costs the worst that it carries."""
    left, scored = 100, list[Finding]()
    for root, *carried in grouped(findings):
        points = min(_POINTS[worst_of((root, *carried)) or root.severity], left)
        left -= points
        scored += [root.model_copy(update={"points": points}), *carried]
    return scored


def _summary(census: Census, processors: int) -> CensusSummary:
    beats = [(f.newest.last_heartbeat, f.processor, f.newest) for f in census.families if f.newest]
    newest = max(((at, name, beat) for at, name, beat in beats if at), key=lambda each: each[:2], default=None)
    return CensusSummary(
        collection=census.collection,
        total=census.total,
        canonical=census.canonical,
        malformed=census.malformed,
        by_processor={family.processor: _count(family) for family in islice(census.families, processors)},
        omitted=max(0, len(census.families) - processors),
        newest=Newest(processor=newest[1], doc=newest[2].doc, last_heartbeat=newest[0]) if newest else None,
        complete=census.complete,
        method=census.method,
        billed_reads=census.billed_reads,
    )


def _count(family: Family) -> ProcessorCount:
    newest: Heartbeat | None = family.newest
    return ProcessorCount(
        total=family.total,
        canonical=family.canonical,
        malformed=family.malformed,
        created_last_hour=family.created_last_hour,
        created_last_day=family.created_last_day,
        newest=newest.last_heartbeat if newest else None,
        older_than=family.older_than,
    )


def growth_of(census: Census) -> Growth | None:
    """Growth is told only of a collection that was listed whole: a part would understate it."""
    if not census.listed:
        return None
    return Growth(
        created_last_hour=_sum(family.created_last_hour for family in census.families),
        created_last_day=_sum(family.created_last_day for family in census.families),
        malformed_last_hour=_sum(family.malformed_last_hour for family in census.families),
        malformed_last_day=_sum(family.malformed_last_day for family in census.families),
        malformed_growth=None
        if census.method is Method.LISTING
        else _sum(family.malformed_growth for family in census.families),
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    """All of them together, if all are known."""
    told = list(counts)
    known = [count for count in told if count is not None]
    return sum(known) if len(known) == len(told) else None
