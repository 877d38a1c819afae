"""An expected processor without any document: a monitor that sees nothing is not healthy.

In short: an expected processor without a document, or none at all: P1

Severity: P1. An empty collection is one finding for all of them. What is merely *incomplete* proves no absence.
"""

from collections.abc import Iterator

from checks.judge.context import Context, Silent
from checks.judge.finding import Fact, Finding, Severity, affected
from checks.judge.rule import HEARTBEATS, Rule

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
        runner = processor.service or "the service or job that runs it"
        former = f" (nor under {', '.join(processor.former_names)})" if processor.former_names else ""
        yield Finding(
            rule="missing-heartbeats",
            severity=Severity.P1,
            subject=processor.name,
            affects=(processor.name,),
            summary=f"expected, but has no heartbeat document{former}",
            next_step=f"look whether {runner} ran and could write; if the processor is gone, set retired = true",
        )


RULE = Rule(
    missing_heartbeats,
    needs=("firestore",),
    phase=HEARTBEATS,
    quiet=True,
    wants="processors",
    silence=(Silent.PROCESSOR,),
    fault="where the whole collection is empty, its full name",
)
