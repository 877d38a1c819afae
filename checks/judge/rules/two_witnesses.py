"""A heartbeat is one witness, a run's own log line another; together they tell a broken monitor from a dead processor.

In short: heartbeats against run log lines: telemetry path broken and pipeline fine, or processor stopped: P1 (P2 while
late); one witness lies: P2

    heartbeat stale, runs fresh   the telemetry path is broken, the pipeline is fine
    heartbeat stale, runs stale   the processor stopped
    heartbeat fresh, no runs      one witness lies

Severity: P1 for a broken path or a stop once a processor is down or missing, P2 while all are late; a lying witness P2.
A stale heartbeat and runs that ended with it fell silent together: that is a stop. The second witness counts only where
it was seen: with no run line of anybody beside fresh heartbeats, the marker is wrong rather than every run absent, and
nothing is said. A search that was cut short proves no absence.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from checks.judge.context import Context, Silent
from checks.judge.finding import Fact, Finding, Severity, affected, bounded
from checks.judge.processors import CHANNEL_MINIMUM, Beat
from checks.judge.rule import Rule
from checks.judge.runs_and_beats import Witnesses
from checks.text.plural import counted

_RULE: Final = "two-witnesses"
_MOST = 10


def two_witnesses(context: Context) -> Iterator[Finding]:
    """One finding for a broken path, one for a stopped pipeline or each stopped processor, one per lying witness."""
    pipeline, now = context.snapshot.pipeline, context.snapshot.taken_at
    judged = [each for each in context.witnesses if not pipeline.quiet_windows(each.name, now)]
    silent = [each for each in judged if each.beat in {None, Beat.LATE, Beat.DOWN}]
    broken = [each for each in silent if each.runs is True]
    stopped = [each for each in silent if each.runs is False]
    if broken:
        yield _broken(context, broken)
    if not broken and len(stopped) >= CHANNEL_MINIMUM and len(stopped) == len(judged):
        yield _stopped(context, pipeline.heartbeats.collection, stopped)
    else:
        for each in stopped:
            yield _stopped(context, each.name, [each])
    for each in judged:
        if each.beat is Beat.UP and each.runs is False:
            yield _lie(each)


def _broken(context: Context, broken: list[Witnesses]) -> Finding:
    subject = broken[0].name if len(broken) == 1 else context.snapshot.pipeline.heartbeats.collection
    runners = sorted({each.service for each in broken if each.service})
    where = f" of {', '.join(runners)}" if runners else ""
    return Finding(
        rule=_RULE,
        severity=_severity(broken),
        subject=subject,
        fault=("telemetry path broken", *sorted(each.name for each in broken)),
        count=len(broken),
        affects=affected(each.name for each in broken),
        summary="telemetry path broken, pipeline fine: "
        f"{counted(len(broken), 'processor runs, but its', 'processors run, but their')} heartbeats do not come",
        evidence=_facts(broken),
        next_step=f"look in the logs and the image{where} for a swallowed ImportError (a package without __init__.py), "
        "for PERMISSION_DENIED on Firestore, and for ENABLE_HEARTBEATS=false",
        explains=context.keys_of_silence(each.name for each in broken),
    )


def _stopped(context: Context, subject: str, stopped: list[Witnesses]) -> Finding:
    what, runner = "the whole pipeline stopped", "the pipeline"
    if len(stopped) == 1:
        what, runner = "the processor stopped", f"it ({stopped[0].service})" if stopped[0].service else "it"
    own = (each.name for each in stopped)
    return Finding(
        rule=_RULE,
        severity=_severity(stopped),
        subject=subject,
        fault=("stopped", *sorted(each.name for each in stopped)),
        count=len(stopped),
        affects=affected(each.name for each in stopped),
        summary=f"{what}: heartbeats and runs fell silent together",
        evidence=_facts(stopped),
        next_step=f"find out why {runner} stopped; if that is right, set retired = true or a [[quiet]] window",
        explains=tuple(each for each in context.keys_of_silence(own) if not each.startswith(_RULE)),
    )


def _lie(lying: Witnesses) -> Finding:
    return Finding(
        rule=_RULE,
        severity=Severity.P2,
        subject=lying.name,
        fault=("one witness lies",),
        count=1,
        affects=(lying.name,),
        summary="one witness lies: its heartbeat is fresh, and the logs hold no run of it",
        evidence=_facts([lying]),
        next_step="find out what writes this heartbeat, and whether its runs still log their end",
    )


def _severity(silent: Iterable[Witnesses]) -> Severity:
    return Severity.P2 if all(each.beat is Beat.LATE for each in silent) else Severity.P1


def _facts(judged: Iterable[Witnesses]) -> tuple[Fact, ...]:
    return bounded([Fact(subject=each.name, detail=each.told) for each in judged], _MOST)


RULE = Rule(
    two_witnesses,
    needs=("firestore", "logging"),
    wants="runs",
    silence=(Silent.PROCESSOR, Silent.COLLECTION),
    fault="what the two witnesses prove (telemetry path broken, stopped, one lies), and the processors",
    counts="processors",
)
