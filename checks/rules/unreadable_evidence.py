"""What could not be seen is unknown: a failed, denied, cut or budget-stopped read is never folded into healthy.

Severity: unknown. It outranks P2, and P0 and P1 outrank it, because they stand on what *was* seen.
"""

from collections.abc import Iterator

from checks.evidence import Level, Snapshot
from checks.finding import Finding, Severity


def unreadable_evidence(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per gap, about the source that left it."""
    for gap in snapshot.gaps:
        yield Finding(
            rule="unreadable-evidence",
            severity=Severity.UNKNOWN,
            subject=gap.source,
            summary=gap.reason,
            level=Level.TEXT,
            next_step=gap.next_step,
        )
