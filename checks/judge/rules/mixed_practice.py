"""A report that stands on practice and on production at once speaks of no world that exists.

In short: practice and real sources in one report: unknown

Severity: unknown: a forgotten ``FIRESTORE_EMULATOR_HOST`` must not look like a healthy night.
"""

from collections.abc import Iterator

from checks.evidence.snapshot import Level
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import HEARTBEATS, Rule


def mixed_practice(context: Context) -> Iterator[Finding]:
    """At most one finding, about the pipeline."""
    if len({target.practice for target in context.snapshot.targets}) < 2:  # noqa: PLR2004 - practice and production
        return
    yield Finding(
        rule="mixed-practice",
        severity=Severity.UNKNOWN,
        subject=context.snapshot.pipeline.pipeline.name,
        summary="some sources are practice, others are real: together they prove nothing",
        evidence=tuple(
            Fact(subject=target.address, detail=f"{target.source}, {'practice' if target.practice else 'real'}")
            for target in context.snapshot.targets
        ),
        level=Level.TEXT,
        next_step="unset FIRESTORE_EMULATOR_HOST and every VALIDATE_DAILY_*_ENDPOINT, or set all of them",
    )


RULE = Rule(mixed_practice, phase=HEARTBEATS)
