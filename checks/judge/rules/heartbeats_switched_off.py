"""A service whose environment switches heartbeats off is silent on purpose, and whoever looks does not know it.

In short: a serving revision's environment switches heartbeats off: P1; a job's: P2

Severity: P1 for what serves, P2 for a job: it is silent only when it runs. The flags that are looked at are settings;
no other environment value is ever read.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from checks.evidence.deployments import Job, Service
from checks.evidence.snapshot import Level
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import Rule
from checks.judge.rules import heartbeat_write_errors

_OFF: Final = frozenset({"false", "0", "no", "off"})


def heartbeats_switched_off(context: Context) -> Iterator[Finding]:
    """One finding per service or job."""
    if context.snapshot.deployments is None:
        return
    for service in context.snapshot.deployments.services:
        facts = [
            Fact(subject=revision.name, detail=f"serves {share.percent} % with {flag}={value}")
            for share, revision in service.serving
            if revision
            for flag, value in _off(revision.flags)
        ]
        if facts:
            off = [revision for _, revision in service.serving if revision and _off(revision.flags)]
            fault = (flag for revision in off for flag in (revision.name, *dict(_off(revision.flags))))
            yield _finding(context, service, Severity.P1, facts, fault)
    for job in context.snapshot.deployments.jobs:
        facts = [Fact(subject=job.name, detail=f"is configured with {flag}={value}") for flag, value in _off(job.flags)]
        if facts:
            yield _finding(context, job, Severity.P2, facts, dict(_off(job.flags)))


def _off(flags: dict[str, str]) -> list[tuple[str, str]]:
    return [(flag, value) for flag, value in flags.items() if value.strip().lower() in _OFF]


def _finding(
    context: Context, one: Service | Job, severity: Severity, facts: list[Fact], fault: Iterable[str]
) -> Finding:
    return Finding(
        rule="heartbeats-switched-off",
        severity=severity,
        subject=one.name,
        region=one.region,
        fault=tuple(sorted(set(fault))),
        summary="its environment switches heartbeats off",
        evidence=tuple(facts),
        level=Level.LABEL,
        next_step=f"remove the flag from {one.name} and deploy it, or set its processors expected = false",
        explains=context.silence_of(one.name),
    )


RULE = Rule(
    heartbeats_switched_off,
    needs=("cloud-run",),
    explains=(heartbeat_write_errors.RULE,),
    fault="the flags that switch heartbeats off, and the serving revisions that have them",
)
