"""An expected processor without any document: a monitor that sees nothing is not healthy.

In short: an expected processor without a document, or none at all: P1

A document under another spelling of its name (case, separators, letters that look alike), or one that says that this
processor writes it, is named as the likely cause.

Severity: P1. An empty collection is one finding for all of them. What is merely *incomplete* proves no absence.
"""

from collections.abc import Iterator
from datetime import timedelta

from checks.evidence.snapshot import Family, Snapshot
from checks.judge.context import Context, Silent
from checks.judge.finding import Fact, Finding, Severity, affected, bounded
from checks.judge.processors import RUNNER
from checks.judge.rule import HEARTBEATS, Rule
from checks.judge.twins import twins
from checks.text.duration import format_duration

_MOST = 10


def missing_heartbeats(context: Context) -> Iterator[Finding]:
    """One finding for an empty collection, else one per missing processor."""
    absent = context.missing
    heartbeats = context.snapshot.pipeline.heartbeats
    if context.snapshot.census is not None and context.snapshot.census.empty:
        yield Finding(
            rule="missing-heartbeats",
            severity=Severity.P1,
            subject=heartbeats.collection,
            fault=(context.snapshot.census.collection,),
            summary=f"no heartbeat at all: {context.snapshot.census.collection} holds no document, or does not exist",
            affects=affected(each.name for each in absent),
            evidence=tuple(Fact(subject=each.name, detail="expected, has no document") for each in absent[:_MOST]),
            next_step="check project, database and collection in the settings; if they are right, no processor beats",
        )
        return
    for processor in absent:
        runner = processor.service or RUNNER
        former = f" (nor under {', '.join(processor.former_names)})" if processor.former_names else ""
        spelt = twins(context.snapshot, processor)
        yield Finding(
            rule="missing-heartbeats",
            severity=Severity.P1,
            subject=processor.name,
            affects=(processor.name,),
            fault=tuple(sorted(family.processor for family in spelt)),
            summary=f"expected, but has no heartbeat document{former}"
            + (": a document under another spelling of its name is there" if spelt else ""),
            evidence=bounded([_twin(context.snapshot, family) for family in spelt], _MOST),
            next_step=f"make {runner} write {processor.name}, or register the other spelling among its former_names"
            if spelt
            else f"look whether {runner} ran and could write; if the processor is gone, set retired = true",
        )


def _twin(snapshot: Snapshot, family: Family) -> Fact:
    at = family.newest and family.newest.beat_at
    age = f"; it beat {format_duration(max(timedelta(), snapshot.taken_at - at))} ago" if at else ""
    return Fact(subject=family.processor, detail=f"not registered, and probably the same processor{age}")


RULE = Rule(
    missing_heartbeats,
    needs=("firestore",),
    phase=HEARTBEATS,
    quiet=True,
    wants="processors",
    silence=(Silent.PROCESSOR,),
    fault="where the whole collection is empty, its full name; else other spellings of the processor's name",
)
