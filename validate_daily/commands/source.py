"""``validate-daily source PATH``: the incidents' faults, found in source code before anything is built."""

import argparse
import sys
from pathlib import Path
from typing import Final

from checks.cli.console import add_format_argument
from checks.formats import SOURCE_CODE_FORMATS
from checks.formats.format import format_named
from checks.judge.verdict import ExitCode
from checks.settings.errors import UsageError
from checks.text.show import show
from validate_daily.source_code.report import CodeReport, check_tree
from validate_daily.source_code.tree import read_tree

SUMMARY: Final = "find in source code what silently switches heartbeats off, or stops a container from starting"
EPILOGUE: Final = """\
a directory is read as a whole; of files, only what is wrong in them is told, and the open directory is read

exit codes: 0 clean, 1 something is wrong, 3 something could not be read, 64 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``source``."""
    parser.epilog = EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a directory, or files below the open one")
    add_format_argument(parser, SOURCE_CODE_FORMATS)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Look at all paths and tell what was found.

    Raises:
        UsageError: a path does not exist, or is a file that is not below the open directory.
    """
    report = _look(arguments.paths)
    sys.stdout.write(format_named(arguments.format, SOURCE_CODE_FORMATS).write(report))
    if report.findings:
        return ExitCode.P0_OR_P1
    return ExitCode.UNKNOWN if report.unread else ExitCode.HEALTHY


def _look(paths: list[Path]) -> CodeReport:
    here = Path.cwd()
    files: set[str] = set()
    folders: dict[Path, str] = {}
    for path in paths:
        full = path.resolve()
        below = full.relative_to(here).as_posix() if full.is_relative_to(here) else None
        if full.is_dir():
            folders[full] = below or full.as_posix()
        elif not full.exists():
            raise UsageError(f"{show(str(path))} does not exist; name a directory of source code, or files in it")
        elif below is None:
            raise UsageError(
                f"{show(str(path))} is a file beyond the open directory; change there, or name its project"
            )
        else:
            files.add(below)
    report = sum((check_tree(read_tree(folder)).below(shown) for folder, shown in folders.items()), CodeReport())
    return report + check_tree(read_tree(here)).only(files.__contains__) if files else report
