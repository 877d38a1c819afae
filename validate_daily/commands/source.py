"""``validate-daily source PATH``: the incidents' faults, found in source code before anything is built."""

import argparse
from importlib.metadata import version
from pathlib import Path
from typing import Final

from checks.judge.verdict import ExitCode
from checks.settings.errors import UsageError
from checks.text.show import show
from validate_daily.source_code.report import CodeReport, look_at
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
    parser.add_argument("--format", choices=("terminal", "json", "sarif"), default="terminal", help="how it is told")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Look at all paths and tell what was found.

    Raises:
        UsageError: a path does not exist, or is a file that is not below the open directory.
    """
    report = _look(arguments.paths)
    _tell(report, arguments.format)
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
    report = sum((look_at(read_tree(folder)).below(shown) for folder, shown in folders.items()), CodeReport())
    return report + look_at(read_tree(here)).only(files.__contains__) if files else report


def _tell(report: CodeReport, how: str) -> None:
    from checks.formats.sarif import render_sarif  # noqa: PLC0415 - rich loads when something is told
    from checks.formats.source_code import render_source_json, render_source_terminal  # noqa: PLC0415 - the same

    if how == "json":
        print(render_source_json(report), end="")
    elif how == "sarif":
        print(render_sarif(report, version("validate-daily")), end="")
    else:
        from rich.console import Console  # noqa: PLC0415 - the same

        render_source_terminal(report, Console())
