"""``validate-daily agent``: a model follows the skill over the tools, for cron, CI and chat bots."""

import argparse
import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.cli.console import seconds
from checks.judge.verdict import ExitCode
from checks.settings.errors import UsageError
from checks.settings.file import CONFIG_VARIABLE, Settings, load_settings
from checks.text.show import show
from skills import SKILLS
from skills.agent_limits import limits_of
from validate_daily.commands.shared.repair_command import TERMINAL, refuse_assistant
from validate_daily.repairs.plans.errors import RefusedError

if TYPE_CHECKING:
    from skills.agent_server import Server

SUMMARY: Final = "let a model follow the skill over the tools, and report beside the code's verdict"
TOKEN_VARIABLE: Final = "VALIDATE_DAILY_MCP_TOKEN"  # noqa: S105 - its name
_EPILOGUE: Final = f"""\
The key is in ANTHROPIC_API_KEY; ANTHROPIC_BASE_URL names another address. Standard output has the report, standard
error what the model does. The verdict is the code's, whatever the model says; where they disagree, the report shows it.
A server over HTTP gets the token in {TOKEN_VARIABLE}.

exit codes: as check: 0 healthy, 1 P0 or P1, 2 P2, 3 unknown; never 0 or 2 where the model did not conclude; 64 wrong
usage, settings, key or model, 70 internal error, 130 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("question", nargs="?", default="daily", metavar="QUESTION", help="the skill's argument")
    parser.add_argument("--skill", choices=SKILLS, default=SKILLS[0], help=f"which one to follow (default {SKILLS[0]})")
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE})")
    parser.add_argument("--server", metavar="URL", help="a server over HTTP instead of one of its own over stdio")
    parser.add_argument("--model", metavar="NAME", help="instead of [agent] model")
    parser.add_argument("--turns", type=int, metavar="N", help="instead of [agent] turns")
    parser.add_argument("--tokens", type=int, metavar="N", help="instead of [agent] tokens")
    parser.add_argument("--dollars", type=float, metavar="D", help="instead of [agent] dollars; 0 sets no limit")
    parser.add_argument("--time", type=seconds, metavar="T", help="instead of [agent] time")
    parser.add_argument(
        "--allow-writes", action="store_true", help="offer the tools that change things: each asks at this terminal"
    )
    parser.add_argument(
        "--format", choices=("terminal", "json"), default="terminal", help="for people, or for programs"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Let the model follow the skill.

    Raises:
        UsageError: the settings, the key, the model or the server cannot be used, or there is nobody to ask.
    """
    settings = load_settings(arguments.config)
    if arguments.allow_writes:
        _there_is_a_person(settings, remote=arguments.server is not None)
    named: dict[str, object] = {name: getattr(arguments, name) for name in ("model", "turns", "tokens", "dollars")}
    named["time"] = None if arguments.time is None else timedelta(seconds=arguments.time)
    limits = limits_of(settings.agent, named)
    from skills.agent import Assignment, investigate  # noqa: PLC0415 - loads only when used
    from validate_daily.commands.shared.agent_terminal import TerminalListener, ask, render, render_json  # noqa: PLC0415 - the same

    assignment = Assignment(arguments.question, arguments.skill, limits, ask if arguments.allow_writes else None)
    try:
        report = asyncio.run(investigate(_server(arguments, settings), assignment, TerminalListener(sys.stderr)))
    except KeyboardInterrupt:
        changed = "validate-daily audit tells what was changed" if arguments.allow_writes else "nothing was changed"
        print(f"validate-daily: interrupted; {changed}", file=sys.stderr)
        return ExitCode.INTERRUPTED
    (render_json if arguments.format == "json" else render)(report)
    return report.exit_code


def _server(arguments: argparse.Namespace, settings: Settings) -> "Server":
    from skills.agent_server import Server  # noqa: PLC0415 - loads only when used

    if arguments.server is not None:
        if not arguments.server.startswith(("https://", "http://")):
            raise UsageError(f"--server: {show(arguments.server)}: an address begins with https:// or http://")
        return Server(arguments.server, os.environ.get(TOKEN_VARIABLE))
    config = ["--config", str(settings.path)] if settings.named else []
    return Server.of_our_own(*config, environment=os.environ)


def _there_is_a_person(settings: Settings, *, remote: bool) -> None:
    """Writes are asked about, one by one: refuse them where nobody can be.

    Raises:
        UsageError: nothing may be changed, or through no client, or there is no terminal.
    """
    if not remote and settings.no_writes:
        raise UsageError(f"--allow-writes: {settings.no_writes}")
    if not remote and settings.writes.approval != "client":
        raise UsageError(
            f'--allow-writes: {settings.path}: [writes] approval is "terminal": the tools only hand back commands: '
            'set approval = "client" to be asked here, or run validate-daily repair'
        )
    try:
        refuse_assistant()
        with Path(TERMINAL).open("r+b", buffering=0):
            pass
    except RefusedError as error:
        raise UsageError(f"--allow-writes: {error}") from error
    except OSError as error:
        raise UsageError(
            "--allow-writes: there is no terminal to ask a person at: leave it out, or run this in one"
        ) from error
