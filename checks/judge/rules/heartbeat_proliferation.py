"""More documents than processors means that something names documents by run.

In short: more than 500 documents P0, more than 100 P1, more than 50 P2

Severity: the table of Phase 0.2: above 500 P0, above 100 P1, above 50 P2 (thresholds are settings). A collection that
could only be seen in part already supports what it shows: more documents make it no better.
"""

from collections.abc import Iterator

from checks.evidence.snapshot import Census, Family, Snapshot
from checks.judge.context import Context
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
        severity, limit, step = Severity.P0, limits.p0, _at_once(census)
    elif census.total > limits.p1:
        severity, limit, step = Severity.P1, limits.p1, "find which service writes them, and redeploy it"
    elif census.total > limits.notice:
        severity, limit, step = Severity.P2, limits.notice, "find what writes more than one document a processor"
    else:
        return
    top = census.writers[:_TOP]
    known = context.snapshot.pipeline.heartbeats.services
    services = sorted({known[family.processor] for family in top if family.processor in known})
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


def _at_once(census: Census) -> str:
    """What to do above the worst limit. A cleanup touches run-scoped ids alone, and has to have some."""
    if not census.listed or any(family.run_scoped is None or family.run_scoped for family in census.families):
        return "clean up at once, and fix the writing service first"
    if census.malformed:
        return (
            "fix the writing service, then remove its documents by hand: no id is run-scoped, so a cleanup moves none"
        )
    return "find what writes more than one document a processor, and register the processors: no id bears a run's mark"


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
