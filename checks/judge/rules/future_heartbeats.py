"""A heartbeat from the future says nothing about the present: a wrong clock, or a forged document.

In short: a heartbeat more than a minute ahead of Firestore's clock: P2

Severity: P2. It never counts as the processor's newest heartbeat, or a wrong clock could keep a dead processor fresh.
A minute of skew between the writer's clock and Firestore's is allowed. Where a processor has no other heartbeat, and
nobody stored its document for longer than its limits, stale-heartbeats calls it late or down.
"""

from collections.abc import Iterator

from checks.judge.clocks import explanation, offset_of
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import HEARTBEATS, Rule
from checks.text.duration import format_duration
from checks.text.plural import counted


def future_heartbeats(context: Context) -> Iterator[Finding]:
    """One finding per processor, with the document that is furthest ahead."""
    for family in context.snapshot.census.families if context.snapshot.census else ():
        sample = family.future_sample
        if sample is None or sample.last_heartbeat is None:
            continue
        ahead = format_duration(sample.last_heartbeat - context.snapshot.taken_at)
        field = context.snapshot.pipeline.heartbeats.fields.shown_time
        timezone = context.snapshot.pipeline.pipeline.timezone
        looks = explanation(offset_of(sample), timezone, sample.updated_at)
        yield Finding(
            rule="future-heartbeats",
            severity=Severity.P2,
            subject=family.processor,
            summary=f"{counted(family.future, 'heartbeat')} from the future, by up to {ahead}"
            + (f": it {looks}" if looks else ""),
            evidence=(
                Fact(
                    subject=sample.doc,
                    detail=f"{field} {sample.last_heartbeat:%Y-%m-%d %H:%M:%S} UTC, "
                    f"stored {sample.updated_at:%Y-%m-%d %H:%M:%S} UTC",
                ),
            ),
            count=family.future,
            next_step="check the clock and the time zone of what writes it: heartbeats are timezone-aware UTC",
        )


RULE = Rule(future_heartbeats, needs=("firestore",), phase=HEARTBEATS, counts="heartbeats from the future")
