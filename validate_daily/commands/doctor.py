"""``validate-daily doctor``: what this machine may see, and the command that mends each thing that it may not."""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.ask.doctor import DEFAULT_TIMEOUT, examine
from checks.cli.console import progress_on_terminal, seconds
from checks.evidence.permission_checks import Caller, PermissionCheck, PermissionResult
from checks.judge.examination import Examination
from checks.settings.file import CONFIG_VARIABLE, load_settings
from checks.text.plural import counted, form
from checks.text.show import show

if TYPE_CHECKING:
    from rich.text import Text

SUMMARY: Final = "try every address, credential and permission that a check needs, and say what mends each"
EPILOGUE: Final = """\
exit codes: 0 all is well, 1 something failed, 3 something could not be told, 64 wrong usage or settings,
70 internal error, 130 interrupted
"""
_STYLE: Final = {
    PermissionResult.OK: "green",
    PermissionResult.DENIED: "bold red",
    PermissionResult.DISABLED: "bold red",
    PermissionResult.FAILED: "bold red",
    PermissionResult.UNKNOWN: "bold magenta",
}
_COLUMN: Final = 10
_INDENT: Final = " " * _COLUMN


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``doctor``."""
    parser.epilog = EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE}, then validate-daily.toml)"
    )
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="for people or programs")
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
        told = asyncio.run(
            examine(settings, timeout=arguments.timeout, progress=progress, assistant=arguments.assistant)
        )
    if arguments.format == "json":
        sys.stdout.write(json.dumps(told.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=True) + "\n")
    else:
        from rich.console import Console  # noqa: PLC0415 - only for people

        console = Console()
        for line in _lines(told):
            console.print(line, soft_wrap=True, highlight=False)
    return told.exit_code


def _lines(told: Examination) -> list["Text"]:
    """Everything in the order in which a person needs it: what is wrong is told with the command that mends it."""
    from rich.text import Text  # noqa: PLC0415 - only for people

    lines = [_row("settings", f"{show(told.settings.path)} ({_how(named=told.settings.named)})")]
    lines.append(_row("identity", _identity(told.identity)))
    for target in told.targets:
        where = f"{target.source} at {target.address}, {show(target.resource)}"
        lines.append(_row("asked", f"{where} ({'practice' if target.practice else 'real'})"))
    if told.clock_skew_seconds is not None:
        lines.append(_row("clock", f"{abs(told.clock_skew_seconds):,.1f} s from Firestore's"))
    lines.append(Text())
    lines += [line for probe in told.probes for line in _probe(probe)]
    if told.not_checked:
        lines += [Text(), *(_row("not tried", f"{each.what}: {each.reason}") for each in told.not_checked)]
    return [_head(told), *lines]


def _head(told: Examination) -> "Text":
    from rich.text import Text  # noqa: PLC0415 - only for people

    bad = [probe for probe in told.probes if probe.result is not PermissionResult.OK]
    worst = (
        PermissionResult.OK
        if not bad
        else next((each.result for each in bad if each.result is not PermissionResult.UNKNOWN), None)
    )
    are = form(len(told.probes), "is", "are")
    counts = f"{len(told.probes) - len(bad)} of {counted(len(told.probes), 'probe')} {are} ok"
    practice = any(target.practice for target in told.targets)
    note = " · PRACTICE: this says nothing about production" if practice else ""
    verdict = Text(
        f" {worst or PermissionResult.UNKNOWN} ", style=f"{_STYLE[worst or PermissionResult.UNKNOWN]} reverse"
    )
    return Text.assemble(verdict, f" {show(told.pipeline)} · {counts}{note}")


def _probe(probe: PermissionCheck) -> list["Text"]:
    from rich.text import Text  # noqa: PLC0415 - only for people

    permission = f"  {probe.permission}" if probe.permission else ""
    lines = [
        Text.assemble(
            (f"{probe.result:<{_COLUMN}}", _STYLE[probe.result]),
            (probe.source, "cyan"),
            f": {probe.what}",
            (permission, "dim"),
        )
    ]
    if probe.reason:
        lines.append(Text(_INDENT + probe.reason))
    if probe.mend:
        lines.append(Text.assemble(_INDENT, ("mend: ", "bold"), probe.mend))
    return lines


def _row(name: str, text: str) -> "Text":
    from rich.text import Text  # noqa: PLC0415 - only for people

    return Text.assemble((f"{name:<{_COLUMN}}", "dim"), text)


def _how(*, named: bool) -> str:
    return "named" if named else "found in the open directory: it grants reads, nothing more"


def _identity(caller: Caller) -> str:
    if caller.kind == "practice":
        return "no credentials needed: only practice addresses are asked"
    if caller.kind in {"none", "unknown"}:
        return caller.kind
    name = caller.name or "whose address the credentials do not tell"
    return f"{caller.kind.replace('-', ' ')} {name}"
