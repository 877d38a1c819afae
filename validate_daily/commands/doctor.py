"""``validate-daily doctor``: what this machine may see, and the command that mends each thing that it may not."""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from checks.ask.doctor import DEFAULT_TIMEOUT, examine
from checks.cli.console import add_format_argument, progress_on_terminal, seconds
from checks.formats import EXAMINATION_FORMATS
from checks.formats.format import format_named
from checks.settings.file import CONFIG_VARIABLE, load_settings

SUMMARY: Final = "try every address, credential and permission that a check needs, and say what mends each"
EPILOGUE: Final = """\
exit codes: 0 all is well, 1 something failed, 3 something could not be told, 64 wrong usage or settings,
70 internal error, 130 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``doctor``."""
    parser.epilog = EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE}, then validate-daily.toml)"
    )
    add_format_argument(parser, EXAMINATION_FORMATS)
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=DEFAULT_TIMEOUT,
        metavar="S",
        help=f"seconds that each read may take (default {DEFAULT_TIMEOUT:g})",
    )
    parser.add_argument(
        "--assistant",
        action="store_true",
        default="CLAUDECODE" in os.environ,
        help="these are an assistant's credentials: it is an error if they can change things",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Examine once and print what came of it.

    Raises:
        UsageError: the settings cannot be used.
    """
    settings = load_settings(arguments.config)
    with progress_on_terminal() as progress:
        examination = asyncio.run(
            examine(settings, timeout=arguments.timeout, progress=progress, assistant=arguments.assistant)
        )
    sys.stdout.write(format_named(arguments.format, EXAMINATION_FORMATS).write(examination))
    return examination.exit_code
