"""Claims about the heartbeats and the verdict, held against what was seen."""

from collections.abc import Iterable
from typing import Final

from checks.judge.finding import Severity
from checks.judge.processors import Beat, ProcessorStanding
from checks.judge.rules import heartbeat_proliferation, malformed_ids, regrowth
from checks.judge.verdict import Verdict
from checks.text.duration import format_duration
from validate_daily.handoff.claim import ALL_PROCESSORS, Check, Number, number
from validate_daily.handoff.measurements import Measurement, Measurements, first_names, measured, unmeasured

_WRONG: Final = {
    Check.DOCUMENTS: (heartbeat_proliferation.RULE.name,),
    Check.MALFORMED: (malformed_ids.RULE.name,),
    Check.GROWTH: (regrowth.RULE.name, malformed_ids.RULE.name),
}


def verdict(seen: Measurements, subject: str, expected: str) -> Measurement:
    """Whether the pipeline's verdict is the expected one."""
    if subject != seen.report.pipeline or expected not in set(Verdict):
        return unmeasured("name this pipeline, and a verdict")
    verdict = seen.report.verdict
    root = f"{seen.report.root.rule}: {seen.report.root.summary}" if seen.report.root else None
    if verdict is Verdict.UNKNOWN and expected != verdict:
        return unmeasured(root, verdict)
    return measured(verdict, holds=verdict == expected, reason=root)


def documents(seen: Measurements, subject: str, expected: str) -> Measurement:
    """Whether the collection holds so many documents."""
    wanted, census = number(expected), seen.snapshot.census
    if subject != seen.snapshot.pipeline.heartbeats.collection or wanted is None:
        return unmeasured("name the collection of the settings, and a number")
    if census is None:
        return unmeasured("the collection could not be read")
    exact = census.counted or census.listed
    weak = wanted.sign != "=" and not (wanted.sign == "<=" and wanted.value <= seen.snapshot.pipeline.thresholds.notice)
    return _number(seen, Check.DOCUMENTS, wanted, census.total if exact else None, census.total, weak=weak)


def malformed(seen: Measurements, subject: str, expected: str) -> Measurement:
    """Whether so many documents, of one processor's or of all, have malformed ids."""
    wanted, census = number(expected), seen.snapshot.census
    known = {name for each in seen.snapshot.pipeline.heartbeats.processors for name in each.names}
    if subject not in {*known, seen.snapshot.pipeline.heartbeats.collection} or wanted is None:
        return unmeasured("name the collection or a processor of the settings, and a number")
    if census is None:
        return unmeasured("the collection could not be read")
    own = [each for each in census.families if subject not in known or each.processor == subject]
    count = sum(each.malformed for each in own)
    weak = wanted.sign != "=" and wanted.value > 0
    return _number(seen, Check.MALFORMED, wanted, count if census.listed else None, count, weak=weak)


def growth(seen: Measurements, subject: str, expected: str) -> Measurement:
    """Whether so many malformed documents were created in the last hour."""
    wanted, growth = number(expected), seen.report.growth
    if subject != seen.snapshot.pipeline.heartbeats.collection or wanted is None:
        return unmeasured("name the collection of the settings, and a number")
    count = growth and (growth.malformed_last_hour if growth.malformed_growth is None else growth.malformed_growth)
    if count is None:
        return unmeasured("how many were created in the last hour could not be told")
    return _number(seen, Check.GROWTH, wanted, count, count, weak=wanted.sign != "=" and wanted.value > 0)


def _number(
    seen: Measurements, check: Check, wanted: Number, exact: int | None, least: int, *, weak: bool
) -> Measurement:
    """A number held against an expectation; a weak one does not hold where the rules find fault with what it allows.

    Args:
        seen: what the rules found.
        check: which rules that are.
        wanted: the expectation.
        exact: what was counted; None where not everything was seen.
        least: what there is at least.
        weak: the expectation allows what the rules call wrong.
    """
    sign = "" if wanted.sign == "=" else f"{wanted.sign} "
    expected, observed = (
        f"{sign}{wanted.value:,} was expected",
        f"{least:,}" if exact is not None else f"at least {least:,}",
    )
    if exact is None:
        if wanted.sign != ">=" and least > wanted.value:  # more evidence cannot retract it
            return measured(observed, holds=False, reason=expected)
        return unmeasured("not all documents were seen", observed)
    if not wanted.holds(exact):
        return measured(observed, holds=False, reason=expected)
    wrong = seen.finds(_WRONG[check]) if weak else None
    return Measurement(not wrong, observed, reason=wrong, weak=weak)


def heartbeat(seen: Measurements, subject: str, expected: str) -> Measurement:
    """Whether a processor, or all that must beat, are fresh or silent by the settings' limits."""
    processors = {each.name: each for each in seen.snapshot.pipeline.heartbeats.processors if each.must_beat}
    if subject not in {*processors, ALL_PROCESSORS} or expected not in {"fresh", "silent"}:
        return unmeasured("name a processor that must beat, or all processors; and fresh or silent")
    if seen.snapshot.census is None or not seen.snapshot.census.listed:
        return unmeasured("not all heartbeats were seen")
    wanted = set(processors) if subject == ALL_PROCESSORS else {subject}
    stand = {each.name: each for each in seen.context.standings if each.name in wanted}
    absent = [each.name for each in seen.context.missing if each.name in wanted]
    late = [each for each in stand.values() if each.stale]
    unsure = [each.name for each in stand.values() if each.beat in {Beat.UNREADABLE, Beat.UNSEEN, Beat.MISTIMED}]
    up = sum(each.beat is Beat.UP for each in stand.values())
    observed = f"{up} of {len(wanted)} fresh" + _ages(stand.values())
    if not wanted or not (stand or absent):
        return unmeasured("nobody is expected to beat")
    if expected == "silent":
        silent = bool(seen.context.channel_down) if subject == ALL_PROCESSORS else bool(late or absent)
        return measured(observed, holds=silent, reason="heartbeats are written")
    if late or absent:
        names = [*(f"{each.name} is {each.beat}" for each in late), *(f"{name} has none" for name in absent)]
        return measured(observed, holds=False, reason=first_names(names))
    return unmeasured(f"unreadable: {first_names(unsure)}", observed) if unsure else measured(observed, holds=True)


def _ages(standing: Iterable[ProcessorStanding]) -> str:
    ages = [each.age for each in standing if each.age is not None]
    return f", the oldest {format_duration(max(ages))} old" if ages else ""


def finding(seen: Measurements, subject: str, expected: str) -> Measurement:
    """Whether the check finds this; where it does not, only if its rule had all that it needs."""
    wanted = expected.removeprefix("open").strip() or None
    if not expected.startswith("open") or (wanted and wanted not in set(Severity)):
        return unmeasured("expect open, and a severity")
    found = next((each for each in seen.report.findings if each.key == subject), None)
    if found is None:
        if seen.report.gaps or subject.partition(":")[0] not in seen.report.rules_run:
            return unmeasured("not everything was seen that this finding needs")
        return measured("not found", holds=False, reason="it is not open any more")
    holds = wanted in {None, found.severity}
    return measured(f"{found.severity}: {found.summary}", found.level, holds=holds, reason=f"it is {found.severity}")
