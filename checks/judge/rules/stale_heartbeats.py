"""A processor whose newest heartbeat is older than its limit is late, then down.

In short: newest heartbeat older than 24 h: P1; older than 2 h: P2; per processor

A heartbeat counts from when Firestore stored it, where its own time is later than that. So a processor whose only
document bears a time from the future, or none that can be read, is late or down once nobody has stored it for so long.

Severity: older than ``late_after`` P2, older than ``down_after`` P1, exactly at the limit still fine. A processor that
nobody registered, where others are registered, is P2 at most: the settings do not say that it must beat. When so many
are stale that the channel is the likely cause, heartbeat-channel-down speaks for those, and not for the others.
"""

from collections.abc import Iterator

from checks.evidence.snapshot import Snapshot
from checks.judge.context import Context, Silent
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.processors import Beat, ProcessorStanding
from checks.judge.rule import HEARTBEATS, Rule
from checks.text.duration import format_duration
from checks.text.plural import counted


def stale_heartbeats(context: Context) -> Iterator[Finding]:
    """One finding per stale processor, and one for all stale ones that nobody registered."""
    carried = {each.name for each in context.channel_down}
    stale = [each for each in context.standings if each.stale and each.name not in carried]
    for each in stale:
        if not context.is_stranger(each):
            yield _finding(context.snapshot, each)
    strangers = {each.name: _fact(context.snapshot, each) for each in stale if context.is_stranger(each)}
    summary = f"{counted(len(strangers), 'processor that is', 'processors that are')} not registered fell silent"
    yield from context.of_strangers("stale-heartbeats", strangers, summary, "silent as well")


def _finding(snapshot: Snapshot, standing: ProcessorStanding) -> Finding:
    late_after, down_after = snapshot.pipeline.heartbeats.limits(standing.processor)
    down = standing.beat is Beat.DOWN
    return Finding(
        rule="stale-heartbeats",
        severity=Severity.P1 if down else Severity.P2,
        subject=standing.name,
        affects=(standing.name,),
        summary=f"{standing.beat}: {_age(standing)} {_since(standing)}, "
        f"above {format_duration(down_after if down else late_after)}",
        evidence=(_fact(snapshot, standing),),
        next_step=f"look whether {standing.runner} still runs: if it does, its heartbeat writes fail; "
        "if not, it stopped",
    )


def _since(standing: ProcessorStanding) -> str:
    if standing.newest is None and not standing.at_least:
        return "since anything wrote its document, whose heartbeat cannot be judged"
    return "since its newest heartbeat"


def _fact(snapshot: Snapshot, standing: ProcessorStanding) -> Fact:
    newest = standing.newest
    if standing.at_least:
        return Fact(subject=standing.name, detail=f"no heartbeat for {_age(standing)}")
    if newest is None:
        return Fact(subject=standing.name, detail=f"Firestore stored it {_age(standing)} ago, and not since")
    field = snapshot.pipeline.heartbeats.fields.shown_time
    said = f"{field} {newest.last_heartbeat:%Y-%m-%d %H:%M:%S} UTC, "
    ahead = f"by a clock that is ahead: Firestore stored it {_age(standing)} ago"
    return Fact(subject=newest.doc, detail=said + (ahead if standing.offset else f"{_age(standing)} ago"))


def _age(standing: ProcessorStanding) -> str:
    if standing.age is None:
        return "an unknown time"
    return f"{'more than ' if standing.at_least else ''}{format_duration(standing.age)}"


RULE = Rule(
    stale_heartbeats,
    needs=("firestore",),
    phase=HEARTBEATS,
    quiet=True,
    silence=(Silent.PROCESSOR,),
    fault="of those that are not registered, their names",
    counts="processors that are not registered",
)
