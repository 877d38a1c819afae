"""What changed since an earlier report: what is new, worse, gone, or merely no longer seen, and which counts moved."""

from pydantic import AwareDatetime

from checks.evidence.base import Evidence
from checks.judge.finding import Finding
from checks.judge.report import Report
from checks.judge.rules import RULES


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
        gone: findings of the earlier one that were looked for again and not found.
        unseen: findings of the earlier one that could not be looked for again: they may well be there.
        moved: counts that differ.
    """

    taken_at: AwareDatetime
    verdict: str
    new: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    better: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()


def compare(before: Report, now: Report) -> Since:
    """Tell what changed from one report to the next.

    Raises:
        ValueError: they are of different pipelines, or one is practice and the other is not.
    """
    if before.pipeline != now.pipeline:
        raise ValueError(f"it is about {before.pipeline!r}, not {now.pipeline!r}")
    if before.practice != now.practice:
        raise ValueError("one of the two is practice and the other is not")
    old, new = _by_key(before), _by_key(now)
    lost = [finding for key, finding in old.items() if key not in new]
    return Since(
        taken_at=before.taken_at,
        verdict=before.verdict,
        new=tuple(key for key in new if key not in old),
        worse=tuple(key for key in new if key in old and new[key].severity.rank < old[key].severity.rank),
        better=tuple(key for key in new if key in old and new[key].severity.rank > old[key].severity.rank),
        gone=tuple(finding.key for finding in lost if _looked_again(now, finding)),
        unseen=tuple(finding.key for finding in lost if not _looked_again(now, finding)),
        moved=_moved(before, now),
    )


def _by_key(report: Report) -> dict[str, Finding]:
    excused = (each.finding for each in (*report.quiet, *report.accepted))
    return {finding.key: finding for finding in (*report.findings, *excused)}


def _looked_again(now: Report, finding: Finding) -> bool:
    blind = {gap.source for gap in now.gaps}
    blind |= {"registry"} if "cloud-run" in blind else set()
    needs = {source for rule in RULES if rule.name == finding.rule for source in rule.needs}
    return finding.rule in now.rules_run and blind.isdisjoint(needs) and not now.truncated


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
