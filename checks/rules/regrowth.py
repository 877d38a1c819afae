"""Malformed documents that were created within the last hour: a writer still names documents by run.

Severity: P2, whatever the pace: how urgent it is, the totals say (heartbeat-proliferation). This says what to do
*first*, because a cleanup before the writer is fixed grows back.
"""

from collections.abc import Iterator

from checks.evidence import Snapshot
from checks.finding import Fact, Finding, Severity
from checks.roster import service_of

_TOP = 5


def regrowth(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding for the collection, naming who wrote and which service runs it."""
    census = snapshot.census
    if census is None:
        return
    growing = sorted((f for f in census.families if f.malformed_last_hour), key=lambda f: -f.malformed_last_hour)
    if not growing:
        return
    last_hour = sum(family.malformed_last_hour for family in growing)
    last_day = sum(family.malformed_last_day for family in census.families)
    services = sorted({service for family in growing if (service := service_of(snapshot, family.processor))})
    yield Finding(
        rule="regrowth",
        severity=Severity.P2,
        subject=snapshot.pipeline.heartbeats.collection,
        summary=f"{last_hour:,} malformed documents created in the last hour, {last_day:,} in the last day: it grows",
        evidence=tuple(
            Fact(
                subject=family.processor,
                detail=f"{family.malformed_last_hour:,} in the last hour"
                + (f"; run by {service}" if (service := service_of(snapshot, family.processor)) else ""),
            )
            for family in growing[:_TOP]
        ),
        next_step="fix what writes them before any cleanup: redeploy "
        + (", ".join(services) if services else "the service or job that runs these processors"),
    )
