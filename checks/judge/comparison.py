"""What changed since an earlier report: what is new, worse, gone, or merely no longer seen, and which counts moved."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import AwareDatetime

from checks.evidence.base import Evidence
from checks.judge.finding import MOST_AFFECTED, Finding, Severity
from checks.judge.report import SCHEMA, Report
from checks.judge.rule import Rule
from checks.judge.rules import RULES, unreadable_evidence

_PROJECT: Final = re.compile(r"^projects/([^/]+)")
_RULES: Final[Mapping[str, Rule]] = {name: rule for rule in RULES for name in (rule.name, *rule.former_names)}


class Moved(Evidence):
    """A count, then and now; None where it was not known."""

    name: str
    before: int | None
    now: int | None


class Since(Evidence):
    """The difference of two reports on one pipeline. Findings are told by their keys, ``rule: subject``.

    Attributes:
        taken_at: when the earlier report was taken.
        verdict: what that said.
        new, worse, better: findings of the later report.
        changed: another fault now than the earlier one of the same key, or told by another finding that carries it.
        reopened: excused by the settings in the earlier report, and no longer.
        excused: open in the earlier report, and now excused by the settings.
        gone: findings of the earlier one that were looked for again and not found.
        unseen: findings of the earlier one that could not be looked for again: they may well be there.
        seen_again: sources that could not be read in the earlier report, and now could.
        moved: counts that differ.
    """

    taken_at: AwareDatetime
    verdict: str
    new: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    better: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    seen_again: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()


def compare(before: Report, now: Report) -> Since:
    """Tell what changed from one report to the next.

    Raises:
        ValueError: they are of different pipelines or projects, or one is practice and the other is not.
    """
    _refuse_strangers(before, now)
    old, new = _Told.of(before), _Told.of(now)
    pairs = _pairs(before, old, new)
    fresh = [each for each in new.findings if id(each) not in {id(later) for _, later in pairs}]
    lost = [each for each in old.findings if id(each) not in {id(earlier) for earlier, _ in pairs}]
    left = [each for each in lost if not _listed(now, each)]
    elsewhere = [each for each in left if _told_elsewhere(new, each)]
    unseen = [each for each in left if each not in elsewhere and not _looked_again(now, new, each)]
    other = [later for earlier, later in pairs if earlier.fingerprint != later.fingerprint and _knows_faults(before)]
    return Since(
        taken_at=before.taken_at,
        verdict=before.verdict,
        new=_keys(fresh),
        worse=_keys(later for earlier, later in pairs if later.severity.rank < earlier.severity.rank),
        better=_keys(later for earlier, later in pairs if later.severity.rank > earlier.severity.rank),
        changed=_keys((*other, *elsewhere)),
        reopened=_keys(later for earlier, later in pairs if old.excuses(earlier) and not new.excuses(later)),
        excused=_keys(later for earlier, later in pairs if new.excuses(later) and not old.excuses(earlier)),
        gone=_keys(each for each in left if each not in elsewhere and each not in unseen),
        unseen=_keys(unseen),
        seen_again=tuple(dict.fromkeys(each.source for each in before.gaps if each.source not in _blind(now))),
        moved=_moved(before, now),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """All findings of one report, open or excused."""

    findings: tuple[Finding, ...]
    settled: frozenset[int]

    @classmethod
    def of(cls, report: Report) -> "_Told":
        excused = tuple(each.finding for each in (*report.quiet, *report.accepted))
        return cls((*report.findings, *excused), frozenset(map(id, excused)))

    def excuses(self, finding: Finding) -> bool:
        return id(finding) in self.settled


def _refuse_strangers(before: Report, now: Report) -> None:
    if before.pipeline != now.pipeline:
        raise ValueError(f"it is about {before.pipeline!r}, not {now.pipeline!r}")
    if before.practice != now.practice:
        raise ValueError("one of the two is practice and the other is not")
    for source, projects in _projects(now).items():
        others = _projects(before).get(source, projects)
        if projects.isdisjoint(others):
            raise ValueError(f"it is about project {', '.join(sorted(others))}, not {', '.join(sorted(projects))}")


def _projects(report: Report) -> dict[str, set[str]]:
    """The projects that each source was asked about."""
    asked: dict[str, set[str]] = {}
    resources = [(target.source, target.resource) for target in report.targets]
    resources += [("firestore", report.census.collection)] if report.census else []
    for source, resource in resources:
        if match := _PROJECT.match(resource):
            asked.setdefault(source, set()).add(match[1])
    return asked


def _knows_faults(report: Report) -> bool:
    return report.schema_ == SCHEMA


def _pairs(before: Report, old: _Told, new: _Told) -> list[tuple[Finding, Finding]]:
    """Findings of the two reports that are about the same: the same fault first, then another of the same key.

    Another event is never the same. An earlier report without fingerprints is compared by keys alone.
    """
    pairs: list[tuple[Finding, Finding]] = []
    left, later = list(old.findings), list(new.findings)

    def match(identity: Mapping[int, object]) -> None:
        for one in tuple(later):
            same = next((each for each in left if identity[id(each)] == identity[id(one)]), None)
            if same is not None:
                pairs.append((same, one))
                left.remove(same)
                later.remove(one)

    both = (*old.findings, *new.findings)
    faults = _knows_faults(before)
    match({id(each): each.fingerprint if faults else each.key for each in both})
    events = {name for name, rule in _RULES.items() if rule.events}
    match({id(each): (id(each) if each.rule in events else each.key) for each in both})
    return pairs


def _keys(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.key for finding in findings))


def _listed(now: Report, finding: Finding) -> bool:
    """Whether a finding that a cut list lacks is still a root."""
    return any(root.fingerprint == finding.fingerprint for root in now.roots)


def _told_elsewhere(new: _Told, finding: Finding) -> bool:
    """Whether one processor's trouble is now told together with that of others, or apart from theirs.

    Another event of the same rule is another.
    """
    silent = {name for name, rule in _RULES.items() if rule.silence}

    def may_tell(each: Finding) -> bool:
        if each.rule == finding.rule:
            return each.subject != finding.subject
        return {each.rule, finding.rule} <= silent

    return any(may_tell(each) and _about_same(finding, each) for each in new.findings)


def _about_same(one: Finding, other: Finding) -> bool:
    first, second = ({each.subject, *(each.affects or ())} for each in (one, other))
    return not first.isdisjoint(second)


def _looked_again(now: Report, new: _Told, finding: Finding) -> bool:
    rule = _RULES.get(finding.rule)
    if rule is None or rule.name not in now.rules_run or now.truncated:
        return False
    idle = {name for each in now.not_checked for name in each.rules}
    return rule.name not in idle and _blind(now).isdisjoint(rule.needs) and not _out_of_reach(new, finding)


def _blind(report: Report) -> set[str]:
    """The sources that could not be read completely."""
    blind = {gap.source for gap in report.gaps}
    return blind | {"registry"} if "cloud-run" in blind else blind


def _out_of_reach(new: _Told, finding: Finding) -> bool:
    """Whether what a finding was about is in doubt now: a change in progress, heartbeats that were not read."""
    for each in new.findings:
        if each.severity is Severity.UNKNOWN and each.subject == finding.subject:
            return True
        if each.rule == unreadable_evidence.RULE.name and each.affects:
            silent = {name for name, rule in _RULES.items() if rule.silence}
            if finding.rule in silent and (not (_named(each) and _named(finding)) or _about_same(finding, each)):
                return True
    return False


def _named(finding: Finding) -> bool:
    """Whether a finding names everybody that it is about."""
    return finding.affects is not None and len(finding.affects) < MOST_AFFECTED


def _moved(before: Report, now: Report) -> tuple[Moved, ...]:
    then, later = _counts(before), _counts(now)
    return tuple(Moved(name=name, before=then[name], now=later[name]) for name in later if then[name] != later[name])


def _counts(report: Report) -> dict[str, int | None]:
    census, growth = report.census, report.growth
    return {
        "documents": census.total if census else None,
        "canonical": census.canonical if census and census.complete else None,
        "malformed": census.malformed if census and census.complete else None,
        "malformed in the last hour": growth.malformed_last_hour if growth else None,
        "score": report.score,
    }
