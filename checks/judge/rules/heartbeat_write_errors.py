"""A processor that logs why its heartbeat was not written names the cause itself.

In short: log lines that say why heartbeats are not written (permission, import), until they recover: P1

Severity: P1: that service's heartbeats are blind. It explains the silence of the processors that the service runs.
Where the writer said later that it writes again, or the processor that the lines name has beaten since, the trouble is
over; where they name none, all processors of the service must have beaten.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from checks.evidence.logs import LogBurst, Trouble
from checks.evidence.snapshot import Level, Snapshot
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity, bounded
from checks.judge.logged.troubles import is_of_this_pipeline, is_over
from checks.judge.rule import Rule
from checks.text.plural import counted

_NEXT: Final = {
    Trouble.PERMISSION_DENIED: "grant roles/datastore.user to the service account of {source}",
    Trouble.IMPORT_ERROR: "find the missing module or __init__.py in the image of {source}, mend it, and deploy",
    Trouble.WRITE_ERROR: "read the newest of these lines, and mend what it names in {source}",
}
_MOST: Final = 10


def heartbeat_write_errors(context: Context) -> Iterator[Finding]:
    """One finding per service or job, with each of its troubles as evidence."""
    snapshot = context.snapshot
    bursts: dict[str, list[LogBurst]] = {}
    for burst in snapshot.logs.bursts if snapshot.logs else ():
        ours = burst.trouble in _NEXT and is_of_this_pipeline(snapshot, burst)
        if ours and not is_over(snapshot, context.standings, burst):
            bursts.setdefault(burst.source, []).append(burst)
    for source, own in bursts.items():
        newest = max(own, key=lambda burst: burst.last)
        lines = sum(burst.lines for burst in own)
        yield Finding(
            rule="heartbeat-write-errors",
            severity=Severity.P1,
            subject=source,
            fault=_fault(snapshot, own, newest),
            summary=f"{counted(lines, 'log line says', 'log lines say')} why heartbeats are not written: "
            f"{newest.trouble}",
            evidence=_facts(own),
            level=Level.RUNTIME,
            next_step=_NEXT[newest.trouble].format(source=source),
            count=lines,
            explains=context.silence_of(source),
        )


def _facts(bursts: Iterable[LogBurst]) -> tuple[Fact, ...]:
    """One for each trouble and revision, with the newest line; the processors are counted."""
    alike: dict[tuple[Trouble, str | None], list[LogBurst]] = {}
    for burst in bursts:
        alike.setdefault((burst.trouble, burst.revision), []).append(burst)
    return bounded([_fact(own) for own in alike.values()], _MOST)


def _fact(alike: list[LogBurst]) -> Fact:
    newest = max(alike, key=lambda burst: burst.last)
    lines = counted(sum(burst.lines for burst in alike), "line")
    where = newest.revision or newest.source
    whose = f" about {counted(len(alike), 'processor')}" if len(alike) > 1 else ""
    return Fact(
        subject=newest.sample,
        detail=f"{lines} of {where}{whose}, the last at {newest.last:%Y-%m-%d %H:%M:%S} UTC",
    )


def _fault(snapshot: Snapshot, bursts: Iterable[LogBurst], newest: LogBurst) -> tuple[str, ...]:
    """The newest revision that writes such lines, and its troubles. The executions of a job are the same fault."""
    jobs = {each.name for each in snapshot.pipeline.jobs}
    jobs |= {each.name for each in snapshot.deployments.jobs} if snapshot.deployments else set()
    one = [burst for burst in bursts if newest.source in jobs or burst.revision == newest.revision]
    where = "" if newest.source in jobs else newest.revision or ""
    return (where, *sorted({burst.trouble.value for burst in one}))


RULE = Rule(
    heartbeat_write_errors,
    needs=("logging",),
    fault="the newest revision that writes such lines, and what they are about",
    counts="log lines",
)
