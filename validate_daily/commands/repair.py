"""``validate-daily repair``: the whole loop, step by step, each a recorded fact; it stops at the first that fails."""

import argparse
import asyncio
import sys
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Final

from checks.cli.console import progress_on_terminal, seconds
from checks.judge.verdict import ExitCode
from checks.settings.file import CONFIG_VARIABLE, load_settings
from checks.sources.progress import quiet
from validate_daily.commands.shared import repair_command
from validate_daily.commands.shared.loop_walk import Agree, LoopRun, walk
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.errors import RepairError
from validate_daily.repairs.plans.session import DEFAULT_TIMEOUT

SUMMARY: Final = "fix the writer, prove it, clean up, and prove that growth stopped: where that stands, or with --apply"

EPILOGUE: Final = """\
it begins and ends with the whole check. exit codes: 0 every step holds and the check is healthy, 1 P0, P1, or a step
that does not hold, 2 P2, 3 something could not be seen, 64 wrong usage or settings, 70 internal error, 130 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``repair``."""
    parser.epilog = EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE})")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--apply", action="store_true", help="ask the person at the terminal about each plan, and apply")
    way.add_argument("--unattended", action="store_true", help="apply unasked: needs [writes] unattended = true")
    parser.add_argument(
        "--watch",
        type=repair_command.duration,
        default=timedelta(minutes=2),
        metavar="2m",
        help="watch for growth at the end",
    )
    parser.add_argument(
        "--timeout", type=seconds, default=DEFAULT_TIMEOUT, metavar="S", help="seconds that each step may take"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Walk the loop as far as it holds.

    Raises:
        UsageError: the settings or an argument cannot be used.
    """
    settings = load_settings(arguments.config)
    try:
        agree = _agree(arguments)
        with nullcontext(quiet) if arguments.apply else progress_on_terminal() as progress:  # a question stands alone
            how = LoopRun(
                settings,
                agree,
                arguments.watch,
                timeout=arguments.timeout,
                progress=progress,
                config=arguments.config,
            )
            return asyncio.run(walk(how)).exit_code
    except RepairError as error:
        print(f"validate-daily: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("validate-daily: interrupted; run again: the loop goes on where it stands", file=sys.stderr)
        return ExitCode.INTERRUPTED


def _agree(arguments: argparse.Namespace) -> Agree | None:
    if not (arguments.apply or arguments.unattended):
        return None
    repair_command.refuse_assistant()
    if arguments.unattended:
        return lambda plan: Approval.given(plan, "unattended", plan.principal)
    return lambda plan: Approval.given(plan, "terminal", plan.principal, repair_command.ask(plan))
