"""What every command shares: how it reads its arguments, how it fails, and how it shows that it works."""

import argparse
import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from checks.formats.format import Format
from checks.judge.verdict import ExitCode
from checks.settings.errors import UsageError
from checks.sources.progress import Progress, quiet
from checks.text.duration import parse_duration
from checks.text.show import show


class Parser(argparse.ArgumentParser):
    """An argument parser that exits as all commands here do on wrong usage."""

    def error(self, message: str) -> NoReturn:
        """Print usage and the error, and exit with 64."""
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {show(message)}\n")


def guarded(command: Callable[[], int], *, debug: bool) -> int:
    """Run a command and turn whatever stops it into one line and an exit code.

    Args:
        command: returns the exit code.
        debug: let a defect's traceback through.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what matters of a connection is in a report or an error
    try:
        code = command()
        sys.stdout.flush()
    except UsageError as error:
        print(f"validate-daily: {error}", file=sys.stderr)
        return ExitCode.USAGE
    except KeyboardInterrupt:
        print("validate-daily: interrupted; nothing was changed", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone; the interpreter's own flush at exit must not complain about it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.INTERNAL
    except Exception as error:
        if debug:
            raise
        print(f"validate-daily: internal error: {type(error).__name__}: {show(str(error), limit=500)}", file=sys.stderr)
        print("validate-daily: run again with --debug for the traceback, and report it", file=sys.stderr)
        return ExitCode.INTERNAL
    return code


def add_format_argument(parser: argparse.ArgumentParser, formats: Sequence[Format[...]]) -> None:
    """Declare ``--format`` of a command; without it, the first is written."""
    *others, last = (each.about for each in formats)
    parser.add_argument(
        "--format",
        choices=[each.name for each in formats],
        default=formats[0].name,
        help=f"{', '.join(others)}, or {last}",
    )


def add_time_arguments(parser: argparse.ArgumentParser, default: float) -> None:
    """Declare ``--timeout`` and ``--debug`` of a command that looks at everything within one time."""
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=default,
        metavar="S",
        help=f"seconds for all reading together (default {default:g}); what is not seen by then is unknown",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def seconds(text: str) -> float:
    """An argument such as ``30``, ``2.5`` or ``90s``, in seconds.

    Raises:
        argparse.ArgumentTypeError: anything else, or nothing above 0.
    """
    try:
        value = float(text)
    except ValueError:
        try:
            return parse_duration(text).total_seconds()
        except ValueError:
            raise argparse.ArgumentTypeError(f'{text!r} is no time: give seconds, or a duration as "90s"') from None
    if not 0 < value <= 86_400:  # noqa: PLR2004 - a day
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0 and within a day")
    return value


@contextmanager
def progress_on_terminal() -> Generator[Progress]:
    """A progress that a person sees on standard error, and that is silent where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield quiet
        return
    from rich.console import Console  # noqa: PLC0415 - only for people

    with Console(stderr=True).status("asking") as status:

        def show_progress(what: str, done: int, total: int | None) -> None:
            count = f": {done:,}" + (f" of {total:,}" if total is not None else "") if done else ""
            status.update(f"{what}{count}")

        yield show_progress
