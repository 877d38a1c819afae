"""A document without a readable ``last_heartbeat`` is a heartbeat that nobody can judge.

In short: a document whose `last_heartbeat` is no timestamp: P2

Severity: P2. It counts as a document, so its processor is not missing, and proves no freshness. Where a processor has
no other heartbeat, and nobody stored its document for longer than its limits, stale-heartbeats calls it late or down.
"""

from collections.abc import Iterator

from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import HEARTBEATS, Rule
from checks.text.plural import counted


def unparsable_heartbeats(context: Context) -> Iterator[Finding]:
    """One finding per processor, with one of its unreadable documents."""
    field = context.snapshot.pipeline.heartbeats.fields.shown_time
    for family in context.snapshot.census.families if context.snapshot.census else ():
        sample = family.unparsable_sample
        if sample is None:
            continue
        yield Finding(
            rule="unparsable-heartbeats",
            severity=Severity.P2,
            subject=family.processor,
            summary=f"{counted(family.unparsable, 'document')} whose {field} cannot be read",
            evidence=(Fact(subject=sample.doc, detail=sample.unparsable or f"{field} cannot be read"),),
            count=family.unparsable,
            next_step=f"look at the document and at what writes it: {field} must be a Firestore timestamp",
        )


RULE = Rule(unparsable_heartbeats, needs=("firestore",), phase=HEARTBEATS, wants="documents", counts="documents")
