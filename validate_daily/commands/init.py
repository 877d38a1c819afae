"""``validate-daily init``: write a commented settings file, and never over one that is there.

With a project it looks at the cloud first, and proposes what it saw.
"""

import argparse
import asyncio
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from checks.ask.discovery import DEFAULT_TIMEOUT, Discovery, discover
from checks.cli.console import progress_on_terminal, seconds
from checks.cli.new_file import refuse_existing, write_new
from checks.formats.practice import practice_addresses, practice_line
from checks.formats.settings_draft import draft, searched
from checks.judge.verdict import ExitCode
from checks.settings.errors import UsageError
from checks.settings.file import CONFIG_NAME
from checks.settings.heartbeats import Heartbeats
from checks.settings.pipeline import Identity, Pipeline
from checks.settings.section import Name
from checks.settings.template import settings_text
from checks.text.plural import counted, form
from checks.text.show import show

SUMMARY: Final = "write a commented settings file; with a project, propose what is seen there"
EPILOGUE: Final = """\
exit codes: 0 written, 3 written and something could not be seen, 64 wrong usage or the file is there,
70 internal error, 130 interrupted
"""
_NAME: Final = TypeAdapter[str](Name)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``init``."""
    default = Heartbeats()
    parser.epilog = EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--output", type=Path, default=Path(CONFIG_NAME), metavar="FILE", help=f"where (default {CONFIG_NAME})"
    )
    parser.add_argument("--example", action="store_true", help="the worked example: a whole pipeline")
    look = parser.add_argument_group("look at a project first")
    look.add_argument("--project", type=_name, metavar="P", help="the Google Cloud project to look at")
    look.add_argument(
        "--region",
        type=_name,
        action="append",
        metavar="R",
        help="where services and jobs run (default: look everywhere)",
    )
    look.add_argument("--collection", type=_name, metavar="C", help=f"the heartbeats (default {default.collection})")
    look.add_argument("--database", type=_name, metavar="D", help=f"their database (default {default.database})")
    look.add_argument(
        "--timeout", type=seconds, metavar="S", help=f"seconds that looking may take (default {DEFAULT_TIMEOUT:g})"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Write the file, after a look at the project if one is named.

    Raises:
        UsageError: the file is there already or cannot be written, or the arguments contradict each other.
    """
    path: Path = arguments.output
    refuse_existing(path)
    if arguments.project is None:
        return _run_without_a_project(arguments, path)
    if arguments.example:
        raise UsageError("--example is a file of its own: leave --project out, or --example")
    found = _look(arguments)
    write_new(path, draft(settings_text("template"), found))
    _tell(found, path)
    return ExitCode.UNKNOWN if found.gaps else ExitCode.HEALTHY


def _run_without_a_project(arguments: argparse.Namespace, path: Path) -> int:
    for option in ("region", "collection", "database", "timeout"):
        if getattr(arguments, option) is not None:
            raise UsageError(f"--{option} is for a look at a project: name it with --project")
    write_new(path, settings_text("example" if arguments.example else "template"))
    print(f"wrote {path}: fill in the project and the processors, then run validate-daily check --config {path}")
    return ExitCode.HEALTHY


def _look(arguments: argparse.Namespace) -> Discovery:
    named = {key: value for key in ("collection", "database") if (value := getattr(arguments, key)) is not None}
    pipeline = Pipeline(
        pipeline=Identity(name=arguments.project, project=arguments.project), heartbeats=Heartbeats(**named)
    )
    timeout = arguments.timeout or DEFAULT_TIMEOUT
    with progress_on_terminal() as progress:
        return asyncio.run(discover(pipeline, tuple(arguments.region or ()), timeout=timeout, progress=progress))


def _tell(found: Discovery, path: Path) -> None:
    if found.practice:
        print(practice_line(f"{practice_addresses(found.targets)} was asked, not Google"))
    print(f"wrote {path}: {'nothing was found' if found.empty else _counts(found)}")
    print(f"searched {show(searched(found, whole=found.named or found.empty))}")
    for gap in found.gaps:
        print(f"not seen: {gap.source}: {gap.reason}\n  next: {gap.next_step}")
    print(f"next: confirm each entry, then run validate-daily doctor --config {path}")


def _counts(found: Discovery) -> str:
    services, jobs = counted(len(found.services), "service"), counted(len(found.jobs), "job")
    text = f"{counted(len(found.processors), 'processor')}, {services} and {jobs}"
    if found.malformed:
        more, are = counted(len(found.malformed), "more processor"), form(len(found.malformed), "is", "are")
        text += f"; {more} wrote under malformed ids only and {are} not proposed"
    return f"{text}; nobody has confirmed them"


def _name(text: str) -> str:
    try:
        return _NAME.validate_python(text)
    except ValidationError:
        raise argparse.ArgumentTypeError(f"{text!r} is no name: give one without spaces and slashes") from None
