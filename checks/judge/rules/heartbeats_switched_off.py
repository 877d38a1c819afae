"""A service whose environment switches heartbeats off is silent on purpose, and whoever looks does not know it.

In short: a serving revision's environment switches heartbeats off: P1; a job's: P2

Severity: P1 for what serves, P2 for a job: it is silent only when it runs. The flags that are looked at are settings;
no other environment value is ever read.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from checks.evidence.deployments import Job, Service
from checks.evidence.own_containers import OwnContainers, followed, own_of_job, own_of_service
from checks.evidence.snapshot import Level
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import Rule
from checks.judge.rules import heartbeat_write_errors

_OFF: Final = frozenset({"false", "0", "no", "off"})


def heartbeats_switched_off(context: Context) -> Iterator[Finding]:
    """One finding per service or job."""
    pipeline, deployments = context.snapshot.pipeline, context.snapshot.deployments
    if deployments is None:
        return
    for service in deployments.services:
        serving = [
            (share, revision, _off(own_of_service(pipeline, service, revision.every)))
            for share, revision in service.serving
            if revision
        ]
        facts = [
            Fact(subject=revision.name, detail=f"serves {share.percent} % with {flag}={value}")
            for share, revision, off in serving
            for flag, value in off
        ]
        if facts:
            fault = (told for _, revision, off in serving if off for told in (revision.name, *dict(off)))
            yield _finding(context, service, Severity.P1, facts, fault)
    for job in deployments.jobs:
        off = _off(own_of_job(pipeline, job, followed(pipeline, job, deployments.services)))
        facts = [Fact(subject=job.name, detail=f"is configured with {flag}={value}") for flag, value in off]
        if facts:
            yield _finding(context, job, Severity.P2, facts, dict(off))


def _off(own: OwnContainers) -> list[tuple[str, str]]:
    flags = [told for each in own.containers for told in each.flags.items()]
    return [(flag, value) for flag, value in dict.fromkeys(flags) if value.strip().lower() in _OFF]


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
