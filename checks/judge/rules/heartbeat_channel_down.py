"""Many processors that fall silent together share a cause: the heartbeat channel, not each of them.

In short: at least three and at least half of the processors silent together: P1 if one is down, P2 while all are late

Severity: that of the worst processor: P1 when one is down, P2 while all are late. One root finding carries the
processors as its evidence, those that are down first, and stale-heartbeats then says nothing of them. It says what they
have in common: the minute of their last heartbeats, the revision that wrote these, denied writes in the logs. The
pipeline itself may be fine: in the incident 786 predictions were made while every heartbeat was five days old.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from checks.evidence.logs import Trouble
from checks.judge.context import Context, Silent
from checks.judge.finding import Fact, Finding, Severity, affected
from checks.judge.processors import Beat, ProcessorStanding
from checks.judge.rule import HEARTBEATS, Rule
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
    stale = sorted(context.channel_down, key=lambda each: each.beat is not Beat.DOWN)
    if not stale:
        return
    youngest = min(stale, key=lambda each: each.age or _NEVER)
    yield Finding(
        rule="heartbeat-channel-down",
        severity=Severity.P1 if stale[0].beat is Beat.DOWN else Severity.P2,
        subject=context.snapshot.pipeline.heartbeats.collection,
        fault=tuple(sorted(each.name for each in stale)),
        count=len(stale),
        affects=affected(each.name for each in stale),
        summary=f"{counted(len(stale), 'processor')} fell silent together ({_sorts(stale)}), the last of them "
        f"{_age(youngest)} ago: the heartbeat channel is broken, or the whole pipeline stopped"
        + "".join(f"; {each}" for each in _in_common(context, stale)),
        evidence=tuple(_named(stale)),
        next_step="see whether the pipeline still produces; if so, look in the processors' logs for a swallowed "
        "ImportError, for PERMISSION_DENIED on Firestore, and for ENABLE_HEARTBEATS=false",
    )


def _named(stale: Sequence[ProcessorStanding]) -> Iterator[Fact]:
    """The first of them by name; the others are counted."""
    for each in stale[:_MOST]:
        yield Fact(subject=each.name, detail=f"{each.beat}, {_age(each)} old")
    if others := stale[_MOST:]:
        yield Fact(subject=f"{len(others)} more", detail=f"silent as well: {_sorts(others)}")


def _sorts(stale: Sequence[ProcessorStanding]) -> str:
    down = sum(each.beat is Beat.DOWN for each in stale)
    numbers = {Beat.DOWN: down, Beat.LATE: len(stale) - down}
    return ", ".join(f"{number:,} {beat}" for beat, number in numbers.items() if number)


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
