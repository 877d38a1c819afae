"""A run that was killed cannot say so: its document goes on saying "running", and blocks whatever waits for it.

In short: a run that says `running`, promised beats, and is silent: P2 after 5 min, P1 after 15 min

Severity: P2 beyond ``stale_after``, P1 beyond ``dead_after``; where processors are registered, the others are P2. Only
the newest document of a processor speaks, and only where its promise is shown: a beat more than 90 seconds after
``started_at``, ``beats_every`` in the document, or in the settings. Whether a processor has run lately at all is
stale-heartbeats' question; a dead run answers it.
"""

from collections.abc import Iterator
from typing import Final

from checks.judge.context import Context, Silent
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import HEARTBEATS, Rule
from checks.judge.rules import stale_heartbeats
from checks.judge.run_status import SilentRun, run_facts, told_at
from checks.text.duration import format_duration
from checks.text.plural import counted


def dead_run(context: Context) -> Iterator[Finding]:
    """One finding per processor; one for all that are not registered, where others are."""
    for each in context.silent_runs:
        if not context.is_stranger(each.standing):
            yield _finding(each)
    strangers = {each.standing.name: _beat(each) for each in context.silent_runs if context.is_stranger(each.standing)}
    summary = f"{counted(len(strangers), 'unregistered processor')} fell silent while running"
    yield from context.of_strangers(RULE.name, strangers, summary, "silent while running as well")


def _finding(run: SilentRun) -> Finding:
    newest = run.newest
    what = "its run died" if run.dead else "its run may have died"
    trusted = run.standing.newest is newest and run.standing.offset is None
    began = f" since {newest.started_at:%Y-%m-%d %H:%M:%S} UTC" if trusted and newest.started_at else ""
    return Finding(
        rule=RULE.name,
        severity=Severity.P1 if run.dead else Severity.P2,
        subject=run.standing.name,
        fault=(newest.run_id or "", (newest.started_at or newest.last_heartbeat or newest.updated_at).isoformat()),
        summary=f"{what}: running{began}, and no beat for {format_duration(run.silent)}, "
        f"above {format_duration(run.limit)}",
        evidence=(_beat(run), *run_facts(newest)),
        next_step=f"look in the logs of {run.standing.runner} for how it ended (killed, out of memory, "
        "instance recycled); if it is gone, start the run again",
        explains=(stale_heartbeats.RULE.key(run.standing.name),),
    )


def _beat(run: SilentRun) -> Fact:
    at = told_at(run.standing, run.newest)
    promise = f"promised every {format_duration(run.every)} by {run.promised}"
    return Fact(subject=run.newest.doc, detail=f"last beat {at}, {format_duration(run.silent)} ago; {promise}")


RULE: Final = Rule(
    dead_run,
    needs=("firestore",),
    phase=HEARTBEATS,
    quiet=True,
    silence=(Silent.PROCESSOR,),
    fault="the run's id and its start; of processors that are not registered, their names",
    counts="runs of processors that are not registered",
    events=True,
)
