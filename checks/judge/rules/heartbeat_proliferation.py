"""More documents than processors means that something names documents by run.

In short: more than 500 documents P0, more than 100 P1, more than 50 P2

Severity: the table of Phase 0.2: above 500 P0, above 100 P1, above 50 P2 (thresholds are settings). A collection that
could only be seen in part already supports what it shows: more documents make it no better.
"""

from collections.abc import Iterator

from checks.evidence.snapshot import Family, Snapshot
from checks.judge.context import Context
from checks.judge.deployed.beginnings import is_over
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import HEARTBEATS, Rule
from checks.text.plural import counted

_TOP = 5


def heartbeat_proliferation(context: Context) -> Iterator[Finding]:
    """One finding for the collection, with its top writers as evidence."""
    census, limits = context.snapshot.census, context.snapshot.pipeline.thresholds
    if census is None:
        return
    if census.total > limits.p0:
        severity, limit, step = Severity.P0, limits.p0, "clean up at once, and fix the writing service first"
    elif census.total > limits.p1:
        severity, limit, step = Severity.P1, limits.p1, "find which service writes them, and redeploy it"
    elif census.total > limits.notice:
        severity, limit, step = Severity.P2, limits.notice, "find what writes more than one document a processor"
    else:
        return
    top = census.writers[:_TOP]
    known = context.snapshot.pipeline.heartbeats.services
    services = sorted({known[family.processor] for family in top if family.processor in known})
    if census.writers and all(is_over(context.snapshot, family) for family in census.writers):
        step = "clean up: no malformed document was created since what serves now began to"
    where = f" ({', '.join(services)})" if services else ""
    least = "" if census.counted or census.listed else "at least "
    yield Finding(
        rule="heartbeat-proliferation",
        severity=severity,
        subject=context.snapshot.pipeline.heartbeats.collection,
        fault=tuple(sorted(family.processor for family in census.writers)),
        summary=f"{least}{counted(census.total, 'document')}, above the limit of {limit:,}: one a processor is right",
        evidence=tuple(Fact(subject=family.processor, detail=_detail(context.snapshot, family)) for family in top),
        next_step=f"{step}{where}",
        count=census.total,
    )


def _detail(snapshot: Snapshot, family: Family) -> str:
    service = snapshot.pipeline.heartbeats.services.get(family.processor)
    least = "" if snapshot.census and snapshot.census.listed else "at least "
    some = "at least " if family.malformed_last_hour is None else ""
    malformed = counted(family.malformed, "malformed document")
    return f"{least}{malformed}, {some}{family.malformed_lately(snapshot.taken_at):,} created in the last hour" + (
        f"; run by {service}" if service else ""
    )


RULE = Rule(
    heartbeat_proliferation,
    needs=("firestore",),
    phase=HEARTBEATS,
    counted=True,
    fault="the processors that write malformed ids",
    counts="documents",
)
