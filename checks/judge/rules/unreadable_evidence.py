"""What could not be seen is unknown: a failed, denied, cut or budget-stopped read is never folded into healthy.

In short: anything that could not be read completely: unknown

Severity: unknown. It outranks P2, and P0 and P1 outrank it, because they stand on what *was* seen.
"""

from collections.abc import Iterator
from datetime import timedelta

from checks.evidence.snapshot import Level
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity, affected
from checks.judge.processors import Beat
from checks.judge.rule import HEARTBEATS, Rule
from checks.text.duration import format_duration
from checks.text.plural import counted, form

_MOST = 10
_NONE = timedelta()


def unreadable_evidence(context: Context) -> Iterator[Finding]:
    """One finding per gap, about the source that left it; one for processors whose heartbeats were out of reach."""
    for gap in context.snapshot.gaps:
        yield Finding(
            rule="unreadable-evidence",
            severity=Severity.UNKNOWN,
            subject=gap.source,
            summary=gap.reason,
            level=Level.TEXT,
            next_step=gap.next_step,
        )
    unseen = [each for each in context.standings if each.beat is Beat.UNSEEN]
    if unseen:
        yield Finding(
            rule="unreadable-evidence",
            severity=Severity.UNKNOWN,
            subject="firestore",
            fault=("processors out of reach",),
            affects=affected(each.name for each in unseen),
            count=len(unseen),
            summary=f"{counted(len(unseen), 'processor')} had no heartbeat among the newest, which alone were read: "
            f"{form(len(unseen), 'its', 'theirs')} may be in time or late",
            evidence=tuple(
                Fact(subject=each.name, detail=f"no heartbeat for at least {format_duration(each.age or _NONE)}")
                for each in unseen[:_MOST]
            ),
            level=Level.TEXT,
            next_step="clean up what is named by run, so that all heartbeats can be read",
        )


RULE = Rule(unreadable_evidence, phase=HEARTBEATS, counted=True, counts="processors whose heartbeats were out of reach")
