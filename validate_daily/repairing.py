"""What the commands that change things share: their arguments, the question to a person, and how it all is told."""

import argparse
import asyncio
import json
import os
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
from repairs.outcome import Outcome
from repairs.plan import Plan
from repairs.session import DEFAULT_TIMEOUT, Session, local_principal, open_session

EPILOGUE: Final = """\
exit codes: 0 done or nothing to do, 1 not or only partly done, 3 something could not be seen,
64 wrong usage or settings, 70 internal error, 130 interrupted
"""
ASSISTANT_VARIABLE: Final = "CLAUDECODE"
_TERMINAL: Final = "/dev/tty"
_SHOWN: Final = 10

Make = Callable[[Session], Awaitable[Plan]]
Apply = Callable[[Session, Plan, Approval, Audit, str], Awaitable[Outcome]]
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
) -> Outcome:
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
    wanted = f"{plan.collection} {plan.count}"
    question = f"Type {show(wanted)} to {plan.repair}, anything else to stop: "
    try:
        with Path(_TERMINAL).open("w", encoding="utf-8", errors="replace") as person:
            person.write("\n".join([*plan_lines(plan), question]))
        with Path(_TERMINAL).open(encoding="utf-8", errors="replace") as person:
            typed = person.readline().rstrip("\n")
    except OSError as error:
        raise RefusedError(
            "there is no terminal to ask a person at", f"run validate-daily {plan.repair} --apply in one"
        ) from error
    if typed != wanted:
        raise RefusedError("not approved: something else was typed", "nothing was changed")
    return typed


def plan_lines(plan: Plan) -> list[str]:
    """What a person needs to agree to a plan, or not."""
    practice = "PRACTICE: " if plan.target.practice else ""
    undo = f"until {plan.undo_until:%Y-%m-%d %H:%M UTC}" if plan.undo_until else "without end: nothing expires"
    cost = plan.expected
    lines = [
        f"{practice}{plan.repair} of {plan.count:,} documents of {show(plan.collection)} in {show(plan.project)}",
        f"why       {plan.reason}",
        f"from      {show(plan.target.address)}, {show(plan.target.resource)}",
        f"as of     {plan.read_time:%Y-%m-%d %H:%M:%S UTC}; start by {plan.expires_at:%H:%M:%S UTC}",
        f"trash     {show(plan.trash)}; undo {undo}",
        f"plan      {plan.id}, {plan.digest}",
        f"costs     at least {cost.reads:,} reads, {cost.writes:,} writes, {cost.deletes:,} deletes",
    ]
    lines += [
        f"          {count:,} of {show(name, limit=200)}" for name, count in list(plan.by_processor.items())[:_SHOWN]
    ]
    if len(plan.by_processor) > _SHOWN:
        lines.append(f"          and of {len(plan.by_processor) - _SHOWN:,} more processors")
    lines += [
        f"sample    {show(each.path, limit=200)} of {each.update_time:%Y-%m-%d %H:%M:%S UTC}" for each in plan.sample
    ]
    lines += [f"not       {each.count:,} {each.what}: {each.why}" for each in plan.untouched]
    return lines


def outcome_lines(outcome: Outcome) -> list[str]:
    """What became of a plan, for people."""
    lines = [f"{outcome.repair} {outcome.plan}: {outcome.moved:,} of {outcome.planned:,} documents moved"]
    for each in outcome.skipped:
        lines.append(f"{each.fate:<10}{each.count:,}: {show(each.why, limit=300)}")
        lines += [f"          {show(path, limit=200)}" for path in each.sample[:_SHOWN]]
    lines.append(f"cost      {outcome.reads:,} reads, {outcome.writes:,} writes, {outcome.deletes:,} deletes")
    if outcome.recount:
        after = outcome.recount
        lines.append(f"now       {after.total:,} documents, {after.remaining:,} left, {after.arrived:,} of them new")
    lines += [f"unseen    {show(each, limit=500)}" for each in outcome.unseen]
    if outcome.repair == "cleanup" and outcome.moved:
        lines.append(f"undo      validate-daily restore {outcome.plan}")
    return lines


def _tell_plan(plan: Plan, token: str, form: str) -> None:
    if form == "json":
        told = plan.model_dump(mode="json") | {"plan": token, "expires_at": plan.expires_at.isoformat()}
        _print_json(told)
        return
    print("\n".join(plan_lines(plan)))
    print(f"Nothing was changed. To do it: validate-daily {plan.repair} --apply")


def _tell_outcome(outcome: Outcome, form: str) -> None:
    if form == "json":
        _print_json(outcome.model_dump(mode="json") | {"complete": outcome.complete})
    else:
        print("\n".join(outcome_lines(outcome)))


def _print_json(told: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=True) + "\n")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:  # noqa: PLR2004 - the settings' own bound
        raise argparse.ArgumentTypeError(f"{text!r} is no number of documents from 1 to 1000000")
    return int(text)
