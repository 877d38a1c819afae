"""``validate-daily handoff``: write one from measurements, measure somebody's again, refuse what nothing proves."""

import argparse
import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.ask.snapshot import DEFAULT_TIMEOUT
from checks.cli.console import add_format_argument, add_time_arguments, progress_on_terminal, seconds
from checks.cli.new_file import refuse_existing, write_new
from checks.formats.format import Format, format_named
from checks.judge.verdict import ExitCode
from checks.settings.errors import UsageError
from checks.settings.file import CONFIG_VARIABLE, load_settings
from checks.text.plural import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from validate_daily.handoff.lint import UnprovedSentence
    from validate_daily.handoff.verification import HandoffReport

SUMMARY: Final = "hand over what was measured, and measure what somebody handed over"
_DAY: Final = 86_400.0
_MOST: Final = (1 << 20) + 1
_VERIFY: Final = """\
Every claim is measured again with checks that only read, of services, jobs and processors that the settings name; what
the document names beyond them is looked up nowhere.

exit codes: 0 all is confirmed, and nothing is wrong that the document does not name; 1 a claim is contradicted, or P0
or P1 is not named; 3 a claim cannot be verified; 2 a claim has expired, or P2 is not named; 64 wrong usage or settings,
70 internal error, 130 interrupted
"""
_WRITE: Final = """\
exit codes: 0 written, whatever it says; 1 the notes say "deployed" or "fixed" and no measured claim proves it;
64 wrong usage or settings, 70 internal error, 130 interrupted
"""

FORMATS: Final["tuple[Format[[HandoffReport]], ...]"] = (
    Format("terminal", "for people", "text/plain", "validate_daily.handoff.terminal:render_handoff"),
    Format("json", "for programs", "application/json", "validate_daily.handoff.terminal:render_handoff_json"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions of ``handoff``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    what = "measure everything, and write it down"
    write = _shaped(actions.add_parser("write", help=what, description=what), _WRITE)
    write.add_argument("--output", type=Path, metavar="FILE", help="a new file; else it is printed")
    write.add_argument("--notes", type=Path, metavar="FILE", help="text to add, set apart as not measured (- reads it)")
    write.add_argument("--since", type=seconds, default=_DAY, metavar="T", help="repairs of so long (default 24h)")
    what = "measure the claims of a document again"
    verify = _shaped(actions.add_parser("verify", help=what, description=what), _VERIFY)
    verify.add_argument(
        "file", metavar="FILE", help="any document in Markdown or plain text; - reads it from standard input"
    )
    add_format_argument(verify, FORMATS)
    what = 'refuse "deployed" and "fixed" that no claim in the document proves'
    lint = _shaped(actions.add_parser("lint", help=what, description=what), None)
    lint.add_argument("file", metavar="FILE", help="a document; - reads it from standard input")


def _shaped(parser: argparse.ArgumentParser, epilogue: str | None) -> argparse.ArgumentParser:
    """What every action takes."""
    parser.epilog = epilogue
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE})")
    add_time_arguments(parser, DEFAULT_TIMEOUT)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Write, verify or lint.

    Raises:
        UsageError: the settings or a file cannot be used.
    """
    return {"write": _write, "verify": _verify, "lint": _lint}[arguments.action](arguments)


def _verify(arguments: argparse.Namespace) -> int:
    from validate_daily.handoff.verification import verify  # noqa: PLC0415 - loads only when used

    pipeline = load_settings(arguments.config).pipeline
    raw, origin = _read(arguments.file)
    with progress_on_terminal() as progress:
        report = asyncio.run(verify(pipeline, raw, origin, timeout=arguments.timeout, progress=progress))
    sys.stdout.write(format_named(arguments.format, FORMATS).write(report))
    return report.exit_code


def _write(arguments: argparse.Namespace) -> int:
    from validate_daily.handoff.writer import Notes, write_handoff  # noqa: PLC0415 - loads only when used

    settings = load_settings(arguments.config)
    raw, origin = _read(str(arguments.notes)) if arguments.notes else (b"", "the notes")
    if arguments.output:
        refuse_existing(arguments.output)
    with progress_on_terminal() as progress:
        written = asyncio.run(
            write_handoff(
                settings,
                Notes(raw, origin),
                since=timedelta(seconds=arguments.since),
                timeout=arguments.timeout,
                progress=progress,
            )
        )
    if written.refused:
        return _refuse(origin, written.refused)
    if arguments.output is None:
        sys.stdout.write(written.text)
    else:
        write_new(arguments.output, written.text)
        again = f"measure it again with validate-daily handoff verify {arguments.output}"
        print(f"{arguments.output}: written; {again}", file=sys.stderr)
    return ExitCode.HEALTHY


def _lint(arguments: argparse.Namespace) -> int:
    from validate_daily.handoff.lint import lint  # noqa: PLC0415 - loads only when used

    raw, origin = _read(arguments.file)
    found = lint(raw, load_settings(arguments.config).pipeline, origin)
    if found:
        return _refuse(origin, found)
    print(f"{origin}: nothing is said to be deployed or fixed that no measured claim proves")
    return ExitCode.HEALTHY


def _refuse(origin: str, found: "Sequence[UnprovedSentence]") -> int:
    from validate_daily.handoff.terminal import render_lint  # noqa: PLC0415 - loads only when used

    print(render_lint(found))
    say = counted(len(found), "sentence says", "sentences say")
    print(
        f"validate-daily: {origin}: {say} deployed or fixed without a claim "
        "that proves it at digest level or better: measure it, or say what was done instead",
        file=sys.stderr,
    )
    return ExitCode.P0_OR_P1


def _read(name: str) -> tuple[bytes, str]:
    """A file, or standard input; as much of it as shows that it is too large."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(_MOST), "standard input"
        with Path(name).open("rb") as file:
            return file.read(_MOST), name
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from error
