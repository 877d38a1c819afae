"""What the commands that change things share: their arguments, the question to a person, and how it all is told."""

import argparse
import asyncio
import os
import shlex
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Generic, TypeVar

from checks.cli.console import progress_on_terminal, seconds
from checks.formats.json import json_text
from checks.judge.verdict import ExitCode
from checks.settings.file import CONFIG_VARIABLE, Settings, load_settings
from checks.sources.progress import Progress
from checks.text.duration import parse_duration
from checks.text.show import show
from validate_daily.repairs.plans.application import Apply
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.errors import RefusedError, RepairError, TokenError
from validate_daily.repairs.plans.outcome import RepairResult
from validate_daily.repairs.plans.plan import Plan
from validate_daily.repairs.plans.seal import Binding, Seal, plan_key
from validate_daily.repairs.plans.session import DEFAULT_TIMEOUT, RepairSession, local_principal
from validate_daily.repairs.stores.audit import open_audit
from validate_daily.repairs.words import command_of, plan_lines, result_lines

EPILOGUE: Final = """\
exit codes: 0 done or nothing to do, 1 not or only partly done, 3 something could not be seen,
64 wrong usage or settings, 70 internal error, 130 interrupted
"""
ASSISTANT_VARIABLE: Final = "CLAUDECODE"
TERMINAL: Final = "/dev/tty"
_LONGEST: Final = timedelta(hours=2)

S = TypeVar("S", bound=RepairSession)
P = TypeVar("P", bound=Plan)


@dataclass(frozen=True, slots=True)
class Repair(Generic[S, P]):
    """What a command that changes things needs to know of what it changes.

    Attributes:
        kind: of its plans.
        opening: opens a session: ``open_session``, or one that takes the same.
        make: plans.
        apply: applies a plan that somebody agreed to.
        subject: what a plan must be about that comes from elsewhere; None where any is good.
    """

    kind: type[P]
    opening: Callable[..., AbstractAsyncContextManager[S]]
    make: Callable[[S], Awaitable[P]]
    apply: Apply[S, P, RepairResult]
    subject: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what these commands have in common."""
    parser.epilog = EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE})")
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="for people or programs")
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=DEFAULT_TIMEOUT,
        metavar="S",
        help=f"seconds that all reading and writing may take (default {DEFAULT_TIMEOUT:g})",
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--apply", action="store_true", help="plan, ask the person at the terminal, and apply")
    way.add_argument(
        "--approve", metavar="PLAN", help="apply this sealed plan unasked: needs [writes] unattended = true"
    )
    way.add_argument(
        "--resume", metavar="ID", help="go on with a plan that was started within the hour, under its approval"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def add_owner(parser: argparse.ArgumentParser) -> None:
    """Declare the argument of the commands that change what another tool may deploy."""
    parser.add_argument(
        "--override-owner",
        action="store_true",
        help="change it although another tool deploys it, whose next run undoes this",
    )


def add_bad(parser: argparse.ArgumentParser) -> None:
    """Declare the argument of the commands that put an image into service."""
    parser.add_argument(
        "--even-if-bad", action="store_true", help="go on although the image is known to be bad: it may be the way back"
    )


def add_limit(parser: argparse.ArgumentParser) -> None:
    """Declare the limit of the commands that move documents."""
    parser.add_argument(
        "--max", type=_count, metavar="N", help="let the plan touch more documents than the settings say"
    )


def duration(text: str) -> timedelta:
    """An argument such as ``2m``.

    Raises:
        argparse.ArgumentTypeError: it is no duration, or above two hours.
    """
    try:
        value = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not timedelta() < value <= _LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0 and within two hours")
    return value


def run(arguments: argparse.Namespace, repair: Repair[S, P]) -> int:
    """Plan, and apply what somebody agrees to.

    Args:
        arguments: those of the command.
        repair: what it changes, and how.

    Raises:
        UsageError: the settings or an argument cannot be used.
    """
    settings = load_settings(arguments.config)
    try:
        with progress_on_terminal() as progress:
            agreed = asyncio.run(_agreed(arguments, settings, repair, progress))
        if agreed is None:
            return ExitCode.HEALTHY
        with progress_on_terminal() as progress:
            outcome = asyncio.run(_applied(arguments, settings, agreed, repair, progress))
    except RepairError as error:
        print(f"validate-daily: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(
            "validate-daily: interrupted; the audit names the plan, if it was started: --resume goes on with it",
            file=sys.stderr,
        )
        return ExitCode.INTERRUPTED
    _tell_outcome(outcome, arguments.format)
    return outcome.exit_code


@dataclass(frozen=True, slots=True)
class _Agreed(Generic[P]):
    """A plan, who agreed to it, and its seal."""

    plan: P
    approval: Approval
    token: str


async def _agreed(
    arguments: argparse.Namespace, settings: Settings, repair: Repair[S, P], progress: Progress
) -> _Agreed[P] | None:
    """A plan that may be applied; None where it was only told."""
    if arguments.approve:
        refuse_assistant()
        plan = _unsealed(arguments.approve, settings, repair)
        return _Agreed(plan, Approval.given(plan, "unattended", plan.principal), arguments.approve)
    if arguments.resume:
        refuse_assistant()
        return await _started(arguments.resume, settings, repair)
    async with _session(arguments, settings, repair, progress, writing=False) as session:
        plan = await repair.make(session)
    token = Seal(plan_key()).seal(plan)
    if not arguments.apply:
        _tell_plan(plan, token, arguments)
        return None
    refuse_assistant()
    if plan.refusal is not None:
        print("\n".join(plan_lines(plan)), file=sys.stderr if arguments.format == "json" else sys.stdout)
        raise plan.refusal
    return _Agreed(plan, Approval.given(plan, "terminal", plan.principal, ask(plan)), token)


def _unsealed(token: str, settings: Settings, repair: Repair[S, P]) -> P:
    plan = Seal(plan_key()).open(token, repair.kind, Binding.of(settings, local_principal()))
    if repair.subject not in {None, plan.subject}:
        raise TokenError(f"the plan is about {plan.subject}, not {repair.subject}", "name what it is about")
    return plan


async def _started(plan: str, settings: Settings, repair: Repair[S, P]) -> _Agreed[P]:
    """A plan that was started and broken off, and the approval that it was started under."""
    async with open_audit(settings) as audit:
        event = await audit.started(plan)
    if event is None or event.token is None or event.approval is None:
        raise RefusedError(
            f"the audit knows of no start of the plan {show(plan, limit=100)}",
            "validate-daily audit shows what it knows",
        )
    return _Agreed(_unsealed(event.token, settings, repair), event.approval, event.token)


async def _applied(
    arguments: argparse.Namespace, settings: Settings, agreed: _Agreed[P], repair: Repair[S, P], progress: Progress
) -> RepairResult:
    async with (
        _session(arguments, settings, repair, progress, writing=True) as session,
        open_audit(settings) as audit,
    ):
        return await repair.apply(session, agreed.plan, agreed.approval, audit, token=agreed.token)


def _session(
    arguments: argparse.Namespace, settings: Settings, repair: Repair[S, P], progress: Progress, *, writing: bool
) -> AbstractAsyncContextManager[S]:
    return repair.opening(settings, local_principal(), writing=writing, timeout=arguments.timeout, progress=progress)


def refuse_assistant(environment: Mapping[str, str] = os.environ) -> None:
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
        with Path(TERMINAL).open("w", encoding="utf-8", errors="replace") as person:
            person.write("\n".join([*plan_lines(plan), question]))
        with Path(TERMINAL).open(encoding="utf-8", errors="replace") as person:
            typed = person.readline().rstrip("\n")
    except OSError as error:
        raise RefusedError(
            "there is no terminal to ask a person at", "let a person run the same command in one"
        ) from error
    if typed != plan.words:
        raise RefusedError("not approved: something else was typed", "nothing was changed")
    return typed


def _tell_plan(plan: Plan, token: str, arguments: argparse.Namespace) -> None:
    if arguments.format == "json":
        payload = plan.model_dump(mode="json") | {"plan": token, "expires_at": plan.expires_at.isoformat()}
        sys.stdout.write(json_text(payload))
        return
    print("\n".join(plan_lines(plan)))
    if plan.refusal is not None:
        print(f"Nothing was changed. {plan.refusal.reason}; next: {plan.refusal.next_step}")
        return
    config = [] if arguments.config is None else ["--config", str(arguments.config)]
    command = shlex.join(["validate-daily", *command_of(plan), *config, "--apply"])
    print(f"Nothing was changed. To do it: {command}")


def _tell_outcome(result: RepairResult, form: str) -> None:
    if form == "json":
        sys.stdout.write(json_text(result.model_dump(mode="json") | {"complete": result.complete}))
    else:
        print("\n".join(result_lines(result)))


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:  # noqa: PLR2004 - the settings' own bound
        raise argparse.ArgumentTypeError(f"{text!r} is no number of documents from 1 to 1000000")
    return int(text)
