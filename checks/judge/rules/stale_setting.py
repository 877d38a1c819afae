"""A setting that names something which no longer exists excuses, or explains, nothing any more.

In short: an `[[accepted]]`, `[[quiet]]` or `service` that names something which no longer exists: P2

Severity: P2, and never an error: an old excuse must not stop the monitor at night. A name counts as gone only where
everything that could bear it was read whole: for processors the collection, for services and jobs Cloud Run. A
processor's `service` is looked at only where the settings name services or jobs.
"""

from collections.abc import Iterator
from typing import Final

from checks.evidence.snapshot import Level, Snapshot
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity, affected, bounded
from checks.judge.rule import HEARTBEATS, Rule
from checks.settings.excuses import Accepted

_RULE: Final = "stale-setting"
_MOST: Final = 5


def stale_setting(context: Context) -> Iterator[Finding]:
    """One finding for each name that is gone, and each section that names it."""
    yield from _quiet(context.snapshot)
    yield from _accepted(context)
    yield from _services(context.snapshot)


def _quiet(snapshot: Snapshot) -> Iterator[Finding]:
    processors = _processors(snapshot)
    if processors is None:
        return
    named = {name: window for window in snapshot.pipeline.quiet for name in window.processors}
    for name, window in named.items():
        if name not in processors:
            yield _finding(
                "[[quiet]]",
                name,
                "a processor that is neither registered nor seen",
                [Fact(subject=window.reason, detail=f"is its reason, until {window.until:%Y-%m-%d}")],
                "take it out of [[quiet]], or name the processor as [heartbeats] processors has it",
            )


def _accepted(context: Context) -> Iterator[Finding]:
    snapshot = context.snapshot
    known: dict[str, Accepted] = {}
    for entry in snapshot.pipeline.accepted:
        subjects = _subjects(context, entry)
        if subjects is not None and entry.subject not in subjects:
            known.setdefault(entry.subject, entry)
    for subject, entry in known.items():
        yield _finding(
            "[[accepted]]",
            subject,
            f"a subject of {entry.rule} that is not there any more",
            [Fact(subject=entry.by, detail=f"accepted it until {entry.until:%Y-%m-%d}")],
            "take the entry out of [[accepted]], or name the subject as the JSON report has it",
        )


def _services(snapshot: Snapshot) -> Iterator[Finding]:
    pipeline = snapshot.pipeline
    deployed = _deployed(snapshot)
    if deployed is None or not (pipeline.services or pipeline.jobs):
        return
    running: dict[str, list[str]] = {}
    for processor in pipeline.heartbeats.processors:
        if processor.service and processor.service not in deployed and not processor.retired:
            running.setdefault(processor.service, []).append(processor.name)
    for service, names in running.items():
        yield _finding(
            "service",
            service,
            "what runs a processor, and is neither among [[services]] and [[jobs]] nor in Cloud Run",
            bounded([Fact(subject=name, detail="is run by it, as the settings say") for name in names], _MOST),
            "name the service or job that runs these processors now",
            names,
        )


def _finding(
    section: str, name: str, what: str, facts: list[Fact] | tuple[Fact, ...], step: str, names: list[str] | None = None
) -> Finding:
    return Finding(
        rule=_RULE,
        severity=Severity.P2,
        subject=name,
        fault=(section,),
        affects=affected(names) if names else None,
        summary=f"{section} names {what}",
        evidence=tuple(facts),
        level=Level.TEXT,
        next_step=step,
    )


def _processors(snapshot: Snapshot) -> frozenset[str] | None:
    """Every name that a processor has or had; None where some could not be seen."""
    census = snapshot.census
    if census is None or not (census.listed or census.empty):
        return None
    return snapshot.pipeline.heartbeats.registered | {family.processor for family in census.families}


def _deployed(snapshot: Snapshot) -> frozenset[str] | None:
    """Every service and job that the settings name or Cloud Run has; None where some could not be seen."""
    pipeline, found = snapshot.pipeline, snapshot.deployments
    if "cloud-run" not in pipeline.unasked and (found is None or not found.complete):
        return None
    seen = {each.name for each in (*found.services, *found.jobs)} if found else set[str]()
    named = (*pipeline.services, *pipeline.jobs)
    return frozenset(
        seen | {each.name for each in named} | {f"{each.name}@{pipeline.place(each)[1]}" for each in named}
    )


def _subjects(context: Context, entry: Accepted) -> frozenset[str] | None:
    """Everything that the findings of an entry's rule may be about; None where some of it could not be seen."""
    snapshot = context.snapshot
    heartbeats = snapshot.pipeline.heartbeats
    needs = context.needs.get(entry.rule, ())
    if "firestore" in needs:
        processors = _processors(snapshot)
        return None if processors is None else processors | {heartbeats.collection}
    if needs:
        deployed = _deployed(snapshot)
        if deployed is None or "cloud-run" in snapshot.pipeline.unasked:
            return None
        logs = snapshot.logs
        writers = {each.source for each in (*logs.runs, *logs.bursts, *logs.operations)} if logs else set[str]()
        return deployed | {*heartbeats.services.values()} | writers
    return None


RULE = Rule(stale_setting, phase=HEARTBEATS, fault="the section that names it")
