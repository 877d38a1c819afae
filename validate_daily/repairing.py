"""What the commands that change things share: their arguments, the question to a person, and how it all is told."""

import argparse
import asyncio
import json
import os
import shlex
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from checks.console import progress_on_terminal, seconds
from checks.progress import Progress
from checks.report import ExitCode
from checks.settings import CONFIG_VARIABLE, Settings, load_settings
from checks.text import show
from repairs.approval import Approval
from repairs.audit import Audit, open_audit
from repairs.errors import RefusedError, RepairError
from repairs.outcome import Result
from repairs.plan import Plan
from repairs.session import DEFAULT_TIMEOUT, Session, local_principal, open_session
from repairs.telling import command_of, plan_lines, result_lines

EPILOGUE: Final = """\
exit codes: 0 done or nothing to do, 1 not or only partly done, 3 something could not be seen,
64 wrong usage or settings, 70 internal error, 130 interrupted
"""
ASSISTANT_VARIABLE: Final = "CLAUDECODE"
_TERMINAL: Final = "/dev/tty"

Make = Callable[[Session], Awaitable[Plan]]
Apply = Callable[[Session, Plan, Approval, Audit, str], Awaitable[Result]]
Open = Callable[[str, Settings], Plan]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what these commands have in common."""
    parser.epilog = EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE})")
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="for people or programs")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--apply", action="store_true", help="plan, ask the person at the terminal, and apply")
    way.add_argument(
        "--approve", metavar="PLAN", help="apply this sealed plan unasked: needs [writes] unattended = true"
    )
    parser.add_argument(
        "--max", type=_count, metavar="N", help="let the plan touch more documents than the settings say"
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=DEFAULT_TIMEOUT,
        metavar="S",
        help=f"seconds that all reading and writing may take (default {DEFAULT_TIMEOUT:g})",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace, make: Make, unseal: Open, apply: Apply) -> int:
    """Plan, and apply what somebody agrees to.

    Args:
        arguments: those of the command.
        make: plans.
        unseal: opens a sealed plan.
        apply: applies.

    Raises:
        UsageError: the settings or an argument cannot be used.
    """
    settings = load_settings(arguments.config)
    try:
        with progress_on_terminal() as progress:
            plan = asyncio.run(_planned(arguments, settings, make, unseal, progress))
        token = arguments.approve or _sealed(plan)
        if not (arguments.apply or arguments.approve):
            _tell_plan(plan, token, arguments.format)
            return ExitCode.HEALTHY
        approval = _approval(arguments, plan)
        with progress_on_terminal() as progress:
            outcome = asyncio.run(_applied(arguments, settings, plan, approval, token, apply, progress))
    except RepairError as error:
        print(f"validate-daily: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(
            "validate-daily: interrupted; what was moved is whole, in one place or the other: run again to finish",
            file=sys.stderr,
        )
        return ExitCode.INTERRUPTED
    _tell_outcome(outcome, arguments.format)
    return outcome.exit_code


async def _planned(
    arguments: argparse.Namespace, settings: Settings, make: Make, unseal: Open, progress: Progress
) -> Plan:
    if arguments.approve:
        _refuse_assistant()
        return unseal(arguments.approve, settings)
    async with _session(arguments, settings, progress, writing=False) as session:
        return await make(session)


async def _applied(
    arguments: argparse.Namespace,
    settings: Settings,
    plan: Plan,
    approval: Approval,
    token: str,
    apply: Apply,
    progress: Progress,
) -> Result:
    async with (
        _session(arguments, settings, progress, writing=True) as session,
        open_audit(settings) as audit,
    ):
        return await apply(session, plan, approval, audit, token)


@asynccontextmanager
async def _session(
    arguments: argparse.Namespace, settings: Settings, progress: Progress, *, writing: bool
) -> AsyncGenerator[Session]:
    async with open_session(
        settings, local_principal(), writing=writing, timeout=arguments.timeout, progress=progress
    ) as session:
        yield session


def _sealed(plan: Plan) -> str:
    from repairs.seal import Seal, plan_key  # noqa: PLC0415 - the key is made where it is first needed

    return Seal(plan_key()).seal(plan)


def _approval(arguments: argparse.Namespace, plan: Plan) -> Approval:
    if arguments.approve:
        return Approval.given(plan, "unattended", plan.principal)
    _refuse_assistant()
    return Approval.given(plan, "terminal", plan.principal, ask(plan))


def _refuse_assistant(environment: Mapping[str, str] = os.environ) -> None:
    """An assistant's own shell is no person.

    Raises:
        RefusedError: this is one.
    """
    if ASSISTANT_VARIABLE in environment:
        raise RefusedError(
            f"{ASSISTANT_VARIABLE} is set: an assistant cannot approve what it proposes",
            "let a person apply the plan in a terminal of their own",
        )


def ask(plan: Plan) -> str:
    """Show a plan to the person at the controlling terminal, and have them type what it is about.

    Returns:
        What they typed.

    Raises:
        RefusedError: there is nobody to ask, or they typed something else.
    """
    question = f"Type {show(plan.words)} to {plan.repair}, anything else to stop: "
    try:
        with Path(_TERMINAL).open("w", encoding="utf-8", errors="replace") as person:
            person.write("\n".join([*plan_lines(plan), question]))
        with Path(_TERMINAL).open(encoding="utf-8", errors="replace") as person:
            typed = person.readline().rstrip("\n")
    except OSError as error:
        raise RefusedError(
            "there is no terminal to ask a person at",
            f"run {shlex.join(('validate-daily', *command_of(plan)))} --apply in one",
        ) from error
    if typed != plan.words:
        raise RefusedError("not approved: something else was typed", "nothing was changed")
    return typed


def _command(plan: Plan) -> str:
    return shlex.join(["validate-daily", *command_of(plan)])


def _tell_plan(plan: Plan, token: str, form: str) -> None:
    if form == "json":
        told = plan.model_dump(mode="json") | {"plan": token, "expires_at": plan.expires_at.isoformat()}
        _print_json(told)
        return
    print("\n".join(plan_lines(plan)))
    print(f"Nothing was changed. To do it: {_command(plan)} --apply")


def _tell_outcome(result: Result, form: str) -> None:
    if form == "json":
        _print_json(result.model_dump(mode="json") | {"complete": result.complete})
    else:
        print("\n".join(result_lines(result)))


def _print_json(told: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=True) + "\n")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:  # noqa: PLR2004 - the settings' own bound
        raise argparse.ArgumentTypeError(f"{text!r} is no number of documents from 1 to 1000000")
    return int(text)
