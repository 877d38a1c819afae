"""``validate-daily check`` and ``python -I -m checks``: look, judge, tell, and exit by the verdict."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import cast

from checks.ask.snapshot import DEFAULT_TIMEOUT, check
from checks.cli.console import add_format_argument, add_time_arguments, progress_on_terminal
from checks.formats import FORMATS
from checks.formats.format import format_named
from checks.judge.comparison import Since, compare
from checks.judge.report import MOST_PROCESSORS, READABLE, Report
from checks.judge.rules import PHASES, rules_of
from checks.settings.errors import UsageError
from checks.settings.file import CONFIG_VARIABLE, load_settings
from checks.text.show import show

SUMMARY = "judge the pipeline's heartbeats"
_MOST_BYTES = 64 << 20
_MAKE = "make one with check --format json > REPORT"
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
    add_format_argument(parser, FORMATS)
    parser.add_argument(
        "--full", action="store_true", help=f"name every processor, not the {MOST_PROCESSORS} with the most documents"
    )
    parser.add_argument("--since", type=Path, metavar="REPORT", help="tell what changed since this report (JSON)")
    parser.add_argument("--phase", choices=PHASES, help="only the rules of this phase (0.2: heartbeat system health)")
    parser.add_argument(
        "--count", action="store_true", help="only count the documents: how many, and what that alone proves"
    )
    add_time_arguments(parser, DEFAULT_TIMEOUT)


def run(arguments: argparse.Namespace) -> int:
    """Check once and print the report.

    Raises:
        UsageError: the settings or an address cannot be used.
    """
    pipeline = load_settings(arguments.config).pipeline
    before = load_report(arguments.since) if arguments.since else None
    rules = rules_of(arguments.phase)
    with progress_on_terminal() as progress:
        report = asyncio.run(
            check(
                pipeline,
                rules=rules,
                processors=sys.maxsize if arguments.full else MOST_PROCESSORS,
                count_only=arguments.count,
                timeout=arguments.timeout,
                progress=progress,
            )
        )
    print_report(report, arguments.format, _compared(before, report, arguments.since) if before else None)
    return report.exit_code


def load_report(path: Path) -> Report:
    """Read a report that ``--format json`` wrote.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            body: object = json.loads(file.read(_MOST_BYTES))
        if not isinstance(body, dict):
            raise UsageError(f"{path}: not a report; {_MAKE}")
        known = cast("dict[str, object]", body)
        if (schema := known.get("schema")) not in READABLE:
            what = (
                f"its schema is {show(repr(schema), limit=80)}, not"
                if "schema" in known
                else "it does not say that it is"
            )
            raise UsageError(f"{path}: {what} {' or '.join(READABLE)}; {_MAKE}")
        return Report.model_validate({key: value for key, value in known.items() if key != "since"})
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no report of this version; {_MAKE}") from error


def _compared(before: Report, now: Report, path: Path) -> Since:
    try:
        return compare(before, now)
    except ValueError as error:
        raise UsageError(f"{path}: cannot be compared: {error}") from error


def print_report(report: Report, form: str, since: Since | None = None) -> None:
    """Print a report to standard output in this format."""
    sys.stdout.write(format_named(form, FORMATS).write(report, since))
