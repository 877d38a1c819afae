"""``validate-daily check`` and ``python -m checks``: look, judge, tell, and exit by the verdict."""

import argparse
import asyncio
import sys
from pathlib import Path

from checks.collect import DEFAULT_TIMEOUT, check
from checks.console import progress_on_terminal, seconds
from checks.report import Report
from checks.rules import PHASES, rules_of
from checks.settings import CONFIG_VARIABLE, load_settings

SUMMARY = "judge the pipeline's heartbeats"
EPILOGUE = """\
exit codes: 0 healthy, 1 P0 or P1, 2 P2, 3 something could not be seen, 64 wrong usage or settings,
70 internal error, 130 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the check."""
    parser.epilog = EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE}, then validate-daily.toml)"
    )
    parser.add_argument(
        "--format", choices=("terminal", "json"), default="terminal", help="for people, or for programs"
    )
    parser.add_argument("--phase", choices=PHASES, help="only the rules of this phase (0.2: heartbeat system health)")
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=DEFAULT_TIMEOUT,
        metavar="S",
        help=f"seconds for all reading together (default {DEFAULT_TIMEOUT:g}); what is not seen by then is unknown",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Check once and print the report.

    Raises:
        UsageError: the settings or an address cannot be used.
    """
    pipeline = load_settings(arguments.config).pipeline
    rules = rules_of(arguments.phase)
    with progress_on_terminal() as progress:
        report = asyncio.run(check(pipeline, rules=rules, timeout=arguments.timeout, progress=progress))
    tell(report, arguments.format)
    return report.exit_code


def tell(report: Report, form: str) -> None:
    """Print a report to standard output in the form asked for."""
    if form == "json":
        from checks.formats.json import render_json  # noqa: PLC0415 - one of the two is needed, not both

        sys.stdout.write(render_json(report))
    else:
        from rich.console import Console  # noqa: PLC0415

        from checks.formats.terminal import render_terminal  # noqa: PLC0415

        render_terminal(report, Console())
