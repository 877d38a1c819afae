"""A heartbeat id that names a run, or holds a mark of one, is not one document per processor.

In short: an id that holds `_None_`, a year from `_202` on or a date, or is no processor's name: P2

Severity: P2: nothing is lost by it yet, and the totals raise the alarm when it piles up. A registered name is canonical
however it looks. Ids without a mark of a run (made up by Firestore, or a name and a UUID) are malformed where the same
writer has another document, for the document says who writes it. Ids that do not parse as run-scoped are reported, and
no cleanup touches them.
"""

from collections.abc import Iterator

from checks.evidence.snapshot import Family
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import HEARTBEATS, Rule
from checks.text.plural import counted, form
from checks.text.show import show

_MOST = 10
_NAMED = 3


def malformed_ids(context: Context) -> Iterator[Finding]:
    """One finding for the collection, with the processors whose ids are malformed as evidence."""
    census = context.snapshot.census
    if census is None or not census.malformed:
        return
    families = census.writers
    alone = sum(family.malformed - family.run_scoped for family in families if family.run_scoped is not None)
    least = "" if census.listed else "at least "
    summary = f"{least}{counted(census.malformed, 'malformed id')} of {counted(len(families), 'processor')}"
    if alone:
        stray = counted(alone, "of them does not", "of them do not")
        summary += f"; {stray} parse as run-scoped, and a cleanup leaves {form(alone, 'it', 'those')} alone"
    yield Finding(
        rule="malformed-ids",
        severity=Severity.P2,
        subject=context.snapshot.pipeline.heartbeats.collection,
        fault=tuple(sorted(family.processor for family in families)),
        count=census.malformed,
        summary=summary,
        evidence=tuple(
            Fact(subject=_sample(family), detail=f"one of {family.malformed:,}{_writer(family)}")
            for family in families[:_MOST]
        ),
        next_step="run the cleanup of run-scoped ids, once nothing writes them any more"
        if alone < census.malformed
        else f"fix what writes them ({_named(families)}), then remove them by hand: a cleanup leaves them alone",
    )


def _writer(family: Family) -> str:
    """Who writes it, where the id does not begin with that."""
    return "" if _sample(family).startswith(family.processor) else f", written by {show(family.processor)}"


def _named(families: list[Family]) -> str:
    more = f" and {len(families) - _NAMED} more" if len(families) > _NAMED else ""
    return ", ".join(show(family.processor) for family in families[:_NAMED]) + more


def _sample(family: Family) -> str:
    return family.newest_malformed.doc if family.newest_malformed else family.processor


RULE = Rule(
    malformed_ids, needs=("firestore",), phase=HEARTBEATS, fault="the processors that write them", counts="documents"
)
