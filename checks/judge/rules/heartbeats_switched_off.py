"""A service whose environment switches heartbeats off is silent on purpose, and whoever looks does not know it.

In short: a serving revision's environment switches heartbeats off: P1; a job's: P2

Severity: P1 for what serves, P2 for a job: it is silent only when it runs. The flags that are looked at are settings;
no other environment value is ever read.
"""

from collections.abc import Iterator
from typing import Final

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
            yield _finding(context, service.name, Severity.P1, facts)
    for job in context.snapshot.deployments.jobs:
        facts = [Fact(subject=job.name, detail=f"is configured with {flag}={value}") for flag, value in _off(job.flags)]
        if facts:
            yield _finding(context, job.name, Severity.P2, facts)


def _off(flags: dict[str, str]) -> list[tuple[str, str]]:
    return [(flag, value) for flag, value in flags.items() if value.strip().lower() in _OFF]


def _finding(context: Context, subject: str, severity: Severity, facts: list[Fact]) -> Finding:
    return Finding(
        rule="heartbeats-switched-off",
        severity=severity,
        subject=subject,
        summary="its environment switches heartbeats off",
        evidence=tuple(facts),
        level=Level.LABEL,
        next_step=f"remove the flag from {subject} and deploy it, or set its processors expected = false",
        explains=context.silence_of(subject),
    )


RULE = Rule(heartbeats_switched_off, needs=("cloud-run",), explains=(heartbeat_write_errors.RULE,))
