"""``validate-daily jobs``: all jobs and what each would run; with ``--update SERVICE``, let them run what it serves."""

import argparse
import asyncio
import json
import sys
from typing import Final

from checks.ask.snapshot import collect
from checks.cli.console import progress_on_terminal
from checks.evidence.base import Evidence, Untrusted
from checks.evidence.deployments import Job
from checks.evidence.snapshot import Gap, Snapshot
from checks.formats.practice import practice_line
from checks.judge.deployed.verdicts import DeploymentVerdict, subjects
from checks.judge.report import judge
from checks.judge.rules import RULES, context_of
from checks.judge.verdict import ExitCode, Verdict
from checks.settings.file import load_settings
from checks.text.show import show
from validate_daily.commands.shared import repair_command
from validate_daily.repairs.cloud_run.session import RunSession, open_run_session
from validate_daily.repairs.plans.cloud_run_plans import JobsPlan
from validate_daily.repairs.plans.errors import RepairError

SUMMARY: Final = "list all jobs and what each would run; with --update, plan to make them run what a service serves"
_SOURCES: Final = ("cloud-run", "registry")


class InventoryRow(Evidence):
    """One job: what its next execution runs, whose image it should run, how it last ended, and the verdict."""

    name: Untrusted
    verdict: Verdict
    image: Untrusted
    digest: str | None
    follows: str | None
    executions: int
    last_run: str | None
    last_state: str
    why: tuple[str, ...]


class Inventory(Evidence):
    """All jobs, worst first. ``complete`` is false where some may be missing, which ``gaps`` explain."""

    practice: bool
    complete: bool
    jobs: tuple[InventoryRow, ...]
    missing: tuple[str, ...]
    gaps: tuple[Gap, ...]

    @property
    def exit_code(self) -> int:
        """0 each would run what it should, 1 some would not, 3 something is not known."""
        worst = {each.verdict for each in self.jobs}
        if worst & {Verdict.P0, Verdict.P1, Verdict.P2} or self.missing:
            return 1
        return ExitCode.UNKNOWN if self.gaps or not self.complete or Verdict.UNKNOWN in worst else ExitCode.HEALTHY


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``jobs``."""
    repair_command.add_arguments(parser)
    parser.add_argument("--update", metavar="SERVICE", help="plan to update the jobs that follow this service")
    parser.add_argument(
        "--job", action="append", default=[], metavar="NAME", help="with --update: only this job; repeatable"
    )


def run(arguments: argparse.Namespace) -> int:
    """List jobs, or update them if somebody agrees.

    Raises:
        UsageError: the settings or an argument cannot be used.
    """
    if arguments.update is None:
        if arguments.apply or arguments.approve or arguments.resume or arguments.job:
            raise RepairError("nothing to change was named", "name the service whose jobs are meant: --update SERVICE")
        return _list(arguments)

    from validate_daily.repairs.cloud_run.jobs import apply_job_update, plan_job_update  # noqa: PLC0415 - Google's packages load when used

    async def make(session: RunSession) -> JobsPlan:
        return await plan_job_update(session, arguments.update, jobs=arguments.job)

    return repair_command.run(
        arguments, repair_command.Repair(JobsPlan, open_run_session, make, apply_job_update, subject=arguments.update)
    )


def _list(arguments: argparse.Namespace) -> int:
    pipeline = load_settings(arguments.config).pipeline
    with progress_on_terminal() as progress:
        snapshot = asyncio.run(collect(pipeline, sources=_SOURCES, timeout=arguments.timeout, progress=progress))
    inventory = _inventory(snapshot)
    if arguments.format == "json":
        sys.stdout.write(json.dumps(inventory.model_dump(mode="json"), indent=2, ensure_ascii=True) + "\n")
    else:
        _print(inventory)
    return inventory.exit_code


def _inventory(snapshot: Snapshot) -> Inventory:
    rules = [rule for rule in RULES if set(rule.needs) <= set(_SOURCES)]
    context = context_of(snapshot)
    verdicts = subjects(context, judge(context, rules))
    rows = [
        _row(each, each.one, snapshot.pipeline.follows(each.name)) for each in verdicts if isinstance(each.one, Job)
    ]
    found, named = snapshot.deployments, {each.name for each in snapshot.pipeline.jobs}
    return Inventory(
        practice=snapshot.practice,
        complete=found is not None and found.complete,
        jobs=tuple(rows),
        missing=tuple(each.name for each in verdicts if each.kind == "missing" and each.name in named),
        gaps=tuple(gap for gap in snapshot.gaps if gap.source != "clock"),  # no age is judged here
    )


def _row(subject: DeploymentVerdict, job: Job, follows: str | None) -> InventoryRow:
    why = [finding.summary for finding in subject.findings]
    return InventoryRow(
        name=job.name,
        verdict=subject.verdict,
        image=job.image.reference,
        digest=job.image.digest,
        follows=follows,
        executions=job.executions,
        last_run=f"{job.last_run:%Y-%m-%d %H:%M UTC}" if job.last_run else None,
        last_state=job.last_state,
        why=(*why, *(each for each in (subject.unseen, subject.told) if each)),
    )


def _print(inventory: Inventory) -> None:
    lines = [practice_line()] if inventory.practice else []
    for each in inventory.jobs:
        last = f"last ran {each.last_run}, {each.last_state}" if each.last_run else "never ran"
        follows = f"follows {each.follows}" if each.follows else "follows no service"
        lines.append(f"{each.verdict:<10}{show(each.name)}: {show(each.image, limit=300)}; {follows}; {last}")
    if not inventory.jobs:
        lines.append("no job was found" + (": Cloud Run has none there" if inventory.complete else ""))
    lines += [f"why       {show(each, limit=500)}" for each in _reasons(inventory)]
    lines += [f"missing   {show(each)}: the settings name it, Cloud Run has no such job" for each in inventory.missing]
    lines += [f"unseen    {gap.source}: {show(gap.reason, limit=500)}; next: {gap.next_step}" for gap in inventory.gaps]
    print("\n".join(lines))


def _reasons(inventory: Inventory) -> list[str]:
    return list(dict.fromkeys(line for each in inventory.jobs for line in each.why))
