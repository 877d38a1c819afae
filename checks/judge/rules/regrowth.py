"""Malformed documents that were created within the last hour: a writer still names documents by run.

In short: malformed documents created within the last hour, or ten that nobody registered: P2, and it names what to
redeploy first

Documents under ten or more names that nobody registered, where others are registered, are growth too.

Severity: P2, whatever the pace: how urgent it is, the totals say (heartbeat-proliferation). This says what to do
*first*, because a cleanup before the writer is fixed grows back.
"""

from collections.abc import Iterator

from checks.evidence.snapshot import Census, Snapshot
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity, bounded
from checks.judge.rule import HEARTBEATS, Rule
from checks.text.plural import counted

_TOP = 5
_MANY = 10
"""So many processors do not begin within an hour, where some are registered."""


def regrowth(context: Context) -> Iterator[Finding]:
    """One finding for the collection, naming who wrote and which service runs it."""
    census = context.snapshot.census
    if census is None:
        return
    now = context.snapshot.taken_at
    paces = [(family, pace) for family in census.families if (pace := family.malformed_lately(now))]
    if not paces:
        yield from _newcomers(context.snapshot, census)
        return
    growing = sorted(paces, key=lambda each: -each[1])
    known = context.snapshot.pipeline.heartbeats.services
    services = sorted({known[family.processor] for family, _ in growing if family.processor in known})
    yield Finding(
        rule="regrowth",
        severity=Severity.P2,
        subject=context.snapshot.pipeline.heartbeats.collection,
        fault=tuple(sorted(family.processor for family, _ in growing)),
        count=sum(pace for _, pace in growing),
        summary=f"{_pace(census, sum(pace for _, pace in growing))}: it grows",
        evidence=tuple(
            Fact(
                subject=family.processor,
                detail=f"{pace:,} in the last hour"
                + (f"; run by {known[family.processor]}" if family.processor in known else ""),
            )
            for family, pace in growing[:_TOP]
        ),
        next_step=f"fix what writes them{_before(census)}: redeploy "
        + (", ".join(services) if services else "the service or job that runs these processors"),
    )


def _before(census: Census) -> str:
    """A cleanup touches run-scoped ids alone."""
    cleanable = any(family.run_scoped is None or family.run_scoped for family in census.families)
    return " before any cleanup" if cleanable else ""


def _newcomers(snapshot: Snapshot, census: Census) -> Iterator[Finding]:
    """Growth under ids that bear no mark of a run, and that nobody registered."""
    registered = snapshot.pipeline.heartbeats.registered
    new = [each for each in census.families if each.created_last_hour and each.processor not in registered]
    if not registered or not census.listed or len(new) < _MANY:
        return
    yield Finding(
        rule="regrowth",
        severity=Severity.P2,
        subject=snapshot.pipeline.heartbeats.collection,
        fault=("not registered",),
        count=len(new),
        summary=f"{counted(len(new), 'document')} under names that nobody registered, created in the last hour: "
        "it grows",
        evidence=bounded([Fact(subject=each.processor, detail="not registered") for each in new], _TOP, "alike"),
        next_step="find what writes them; if each is a processor, register it under [heartbeats] processors",
    )


def _pace(census: Census, last_hour: int) -> str:
    """How many in the last hour and day. Of documents that were counted and not read, the growth proves so many."""
    documents = counted(last_hour, "malformed document")
    days = [family.malformed_last_day for family in census.families]
    known = [day for day in days if day is not None]
    if len(known) < len(days):
        return f"at least {documents} created in the last hour"
    return f"{documents} created in the last hour, {sum(known):,} in the last day"


RULE = Rule(
    regrowth,
    needs=("firestore",),
    phase=HEARTBEATS,
    fault="the processors that write them",
    counts="documents created in the last hour",
)
