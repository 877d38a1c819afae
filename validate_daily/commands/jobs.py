"""``validate-daily jobs``: all jobs and what each would run; with ``--update SERVICE``, let them run what it serves."""

import argparse
import asyncio
import sys
from typing import Final

from checks.ask.snapshot import collect
from checks.cli.console import progress_on_terminal
from checks.formats.json import render_evidence
from checks.settings.file import load_settings
from validate_daily.commands.shared import repair_command
from validate_daily.commands.shared.job_inventory import SOURCES, inventory_lines, inventory_of
from validate_daily.repairs.cloud_run.session import RunSession, open_run_session
from validate_daily.repairs.plans.cloud_run_plans import JobsPlan
from validate_daily.repairs.plans.errors import RepairError

SUMMARY: Final = "list all jobs and what each would run; with --update, plan to make them run what a service serves"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``jobs``."""
    repair_command.add_arguments(parser)
    parser.add_argument("--update", metavar="SERVICE", help="plan to update the jobs that follow this service")
    parser.add_argument(
        "--job", action="append", default=[], metavar="NAME", help="with --update: only this job; repeatable"
    )
    repair_command.add_owner(parser)


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
        return await plan_job_update(
            session, arguments.update, jobs=arguments.job, override_owner=arguments.override_owner
        )

    return repair_command.run(
        arguments, repair_command.Repair(JobsPlan, open_run_session, make, apply_job_update, subject=arguments.update)
    )


def _list(arguments: argparse.Namespace) -> int:
    pipeline = load_settings(arguments.config).pipeline
    with progress_on_terminal() as progress:
        snapshot = asyncio.run(collect(pipeline, sources=SOURCES, timeout=arguments.timeout, progress=progress))
    inventory = inventory_of(snapshot)
    if arguments.format == "json":
        sys.stdout.write(render_evidence(inventory))
    else:
        print("\n".join(inventory_lines(inventory)))
    return inventory.exit_code
