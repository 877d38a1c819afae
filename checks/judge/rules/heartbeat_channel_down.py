"""Many processors that fall silent together share a cause: the heartbeat channel, not each of them.

In short: at least three and at least half of the processors silent together: one finding, P1 (P2 if most are only late)

Severity: P1 when most of the silent ones are down, P2 when they are only late. One root finding carries the processors
as its evidence, and stale-heartbeats then says nothing of its own. The pipeline itself may be fine: in the incident
786 predictions were made while every heartbeat was five days old.
"""

from collections.abc import Iterator
from datetime import timedelta

from checks.judge.context import Context, Silent
from checks.judge.finding import Fact, Finding, Severity, bounded
from checks.judge.processors import Beat, ProcessorStanding
from checks.judge.rule import HEARTBEATS, Rule
from checks.text.duration import format_duration
from checks.text.plural import counted

_MOST = 10
_NEVER = timedelta.max


def heartbeat_channel_down(context: Context) -> Iterator[Finding]:
    """At most one finding, about the collection."""
    stale = context.channel_down
    if not stale:
        return
    down = sum(each.beat is Beat.DOWN for each in stale)
    youngest = min((each for each in stale if each.age is not None), key=lambda each: each.age or _NEVER)
    evidence = [
        Fact(subject=each.name, detail=f"{each.beat}, {_least(each)}{format_duration(each.age)} old")
        for each in stale
        if each.age
    ]
    yield Finding(
        rule="heartbeat-channel-down",
        severity=Severity.P1 if down * 2 >= len(stale) else Severity.P2,
        subject=context.snapshot.pipeline.heartbeats.collection,
        fault=tuple(sorted(each.name for each in stale)),
        count=len(stale),
        summary=f"{counted(len(stale), 'processor')} fell silent together, the last of them {_least(youngest)}"
        f"{format_duration(youngest.age or _NEVER)} ago: "
        "the heartbeat channel is broken, or the whole pipeline stopped",
        evidence=bounded(evidence, _MOST, "late or down as well"),
        next_step="see whether the pipeline still produces; if so, look in the processors' logs for a swallowed "
        "ImportError, for PERMISSION_DENIED on Firestore, and for ENABLE_HEARTBEATS=false",
    )


def _least(standing: ProcessorStanding) -> str:
    return "more than " if standing.at_least else ""


RULE = Rule(
    heartbeat_channel_down,
    needs=("firestore",),
    phase=HEARTBEATS,
    silence=(Silent.COLLECTION,),
    fault="the processors that are silent",
    counts="processors",
)
