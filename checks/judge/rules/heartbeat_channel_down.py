"""Many processors that fall silent together share a cause: the heartbeat channel, not each of them.

In short: at least three and at least half of the processors silent together: P1 if one is down or its run died, else P2

Severity: that of the worst processor: P1 when one is down or its run died, P2 while all are late. One root finding
carries the processors as its evidence, the worst first; stale-heartbeats then says nothing of them, and their dead runs
follow from it: many runs that die together were hardly killed one by one. It says what they have in common: the minute
of their last heartbeats, the revision that wrote these, denied writes in the logs. The pipeline itself may be fine: in
the incident 786 predictions were made while every heartbeat was five days old.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Final

from checks.evidence.logs import Trouble
from checks.judge.context import Context, Silent
from checks.judge.finding import Fact, Finding, Severity, affected
from checks.judge.processors import Beat, ProcessorStanding
from checks.judge.rule import HEARTBEATS, Rule
from checks.judge.rules import dead_run
from checks.text.duration import format_duration
from checks.text.plural import counted
from checks.text.show import show

_MOST: Final = 10
_NEVER: Final = timedelta.max
_SOURCES: Final = 3
_SHOWN: Final = 100
_TOGETHER: Final = timedelta(minutes=1)


def heartbeat_channel_down(context: Context) -> Iterator[Finding]:
    """At most one finding, about the collection."""
    died = context.died
    stale = sorted(context.channel_down, key=lambda each: (each.beat is not Beat.DOWN, each.name not in died))
    if not stale:
        return
    youngest = min(stale, key=lambda each: each.age or _NEVER)
    yield Finding(
        rule="heartbeat-channel-down",
        severity=Severity.P1 if stale[0].beat is Beat.DOWN or stale[0].name in died else Severity.P2,
        subject=context.snapshot.pipeline.heartbeats.collection,
        fault=tuple(sorted(each.name for each in stale)),
        count=len(stale),
        affects=affected(each.name for each in stale),
        summary=f"{counted(len(stale), 'processor')} fell silent together ({_sorts(stale, died)}), the last of them "
        f"{_age(youngest)} ago: the heartbeat channel is broken, or the whole pipeline stopped"
        + "".join(f"; {each}" for each in _in_common(context, stale)),
        evidence=tuple(_named(stale, died)),
        next_step="see whether the pipeline still produces; if so, look in the processors' logs for a swallowed "
        "ImportError, for PERMISSION_DENIED on Firestore, and for ENABLE_HEARTBEATS=false",
        explains=tuple(dead_run.RULE.key(each.name) for each in stale),
    )


def _named(stale: Sequence[ProcessorStanding], died: AbstractSet[str]) -> Iterator[Fact]:
    """The first of them by name; the others are counted."""
    for each in stale[:_MOST]:
        yield Fact(subject=each.name, detail=f"{_how(each, died)}, {_age(each)} old")
    if others := stale[_MOST:]:
        yield Fact(subject=f"{len(others)} more", detail=f"silent as well: {_sorts(others, died)}")


def _how(standing: ProcessorStanding, died: AbstractSet[str]) -> str:
    if standing.beat is not Beat.DOWN and standing.name in died:
        return "died while running"
    return standing.beat


def _sorts(stale: Sequence[ProcessorStanding], died: AbstractSet[str]) -> str:
    numbers = Counter(_how(each, died) for each in stale)
    return ", ".join(f"{number:,} {how}" for how, number in numbers.items())


def _in_common(context: Context, stale: Sequence[ProcessorStanding]) -> Iterator[str]:
    """What points at one cause: one minute, one revision, denied writes."""
    beats = [each.newest for each in stale if each.newest and not each.at_least]
    times = sorted(beat.last_heartbeat for beat in beats if beat.last_heartbeat)
    if len(times) == len(stale) and times[-1] - times[0] <= _TOGETHER:
        yield f"all beat for the last time within one minute, at {times[-1]:%Y-%m-%d %H:%M} UTC"
    writers = {beat.revision for beat in beats}
    if len(beats) == len(stale) and len(writers) == 1 and (writer := writers.pop()):
        yield f"{show(writer, limit=_SHOWN)} wrote the last heartbeats of all"
    bursts = context.snapshot.logs.bursts if context.snapshot.logs else ()
    denied = [burst for burst in bursts if burst.trouble is Trouble.PERMISSION_DENIED]
    if denied:
        who = ", ".join(dict.fromkeys(show(burst.source, limit=_SHOWN) for burst in denied[:_SOURCES]))
        lines = counted(sum(burst.lines for burst in denied), "log line says", "log lines say")
        yield f"{lines} that writing is denied (IAM), of {who}"


def _age(standing: ProcessorStanding) -> str:
    return f"{'more than ' if standing.at_least else ''}{format_duration(standing.age or _NEVER)}"


RULE = Rule(
    heartbeat_channel_down,
    needs=("firestore",),
    phase=HEARTBEATS,
    silence=(Silent.COLLECTION,),
    fault="the processors that are silent",
    counts="processors",
)
