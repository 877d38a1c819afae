"""A run that ended as failed says so in its own heartbeat: the processor is alive, and its work is not done.

In short: the newest document of a processor says `failed`: P2

Severity: P2. Only the newest document of a processor speaks: a failed run beside a later one that completed is history.
"""

from collections.abc import Iterator
from typing import Final

from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import HEARTBEATS, Rule
from checks.judge.run_status import FailedRun, failed_runs, run_facts, told_at
from checks.text.plural import counted
from checks.text.show import show


def failed_run(context: Context) -> Iterator[Finding]:
    """One finding per processor; one for all that are not registered, where others are."""
    failed = failed_runs(context.snapshot, context.standings)
    for each in failed:
        if not context.is_stranger(each.standing):
            yield _finding(each)
    strangers = {each.standing.name: _end(each) for each in failed if context.is_stranger(each.standing)}
    summary = f"the last run of {counted(len(strangers), 'unregistered processor')} failed"
    yield from context.of_strangers(RULE.name, strangers, summary, "failed as well")


def _finding(run: FailedRun) -> Finding:
    newest = run.newest
    return Finding(
        rule=RULE.name,
        severity=Severity.P2,
        subject=run.standing.name,
        fault=tuple(each for each in (newest.run_id, newest.started_at and newest.started_at.isoformat()) if each),
        summary=f"its last run ended as {show(run.word)}",
        evidence=(_end(run), *run_facts(newest)),
        next_step=f"read in the logs of {run.standing.runner} why it failed, mend that, and run it again",
    )


def _end(run: FailedRun) -> Fact:
    return Fact(subject=run.newest.doc, detail=f"said {show(run.word)} at {told_at(run.standing, run.newest)}")


RULE: Final = Rule(
    failed_run,
    needs=("firestore",),
    phase=HEARTBEATS,
    quiet=True,
    fault="the run's id and start, where the document names them; of processors that are not registered, their names",
    counts="runs of processors that are not registered",
    events=True,
)
