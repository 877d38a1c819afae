"""Walks the closed loop step by step as far as it holds, records each fact, and ends with the whole check."""

import asyncio
import os
import re
import shlex
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from checks.ask.snapshot import check
from checks.cli.check import print_report
from checks.judge.report import Report
from checks.judge.verdict import ExitCode
from checks.settings.file import Settings
from checks.sources.progress import Progress, quiet
from checks.text.show import show
from validate_daily.repairs.cloud_run.session import RunSession, open_run_session
from validate_daily.repairs.documents.session import DocumentSession, open_session
from validate_daily.repairs.loop.remedies import FoundWork, command_for, work_of
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import Audit
from validate_daily.repairs.plans.errors import RepairError
from validate_daily.repairs.plans.plan import Plan
from validate_daily.repairs.plans.seal import Seal, plan_key
from validate_daily.repairs.plans.session import DEFAULT_TIMEOUT, local_principal
from validate_daily.repairs.stores.audit import open_audit
from validate_daily.repairs.words import result_lines
from validate_daily.repairs.words.documents import watch_lines

if TYPE_CHECKING:
    from validate_daily.repairs.loop.state import LoopState, Step
    from validate_daily.repairs.loop.watch import WaitFunction

S = TypeVar("S")
Agree = Callable[[Plan], Approval]
"""Asks somebody about a plan."""
_COMMAND: Final = re.compile(r"\bvalidate-daily (?:audit|check|cleanup|jobs|probe|redeploy|repair|restore|rollback)\b")
_WORST_FIRST: Final = (1, 3, 2, 0)
"""How exit codes rank: P0 and P1 outrank unknown, unknown outranks P2."""


def _on_terminal(report: Report) -> None:
    print_report(report, "terminal")


@dataclass(frozen=True, slots=True)
class LoopRun:
    """How the loop is walked.

    Attributes:
        settings: whose pipeline.
        config: the settings file as the user named it, for the commands that are printed; None where they named none.
        agree: asks about each plan; None only looks where the loop stands.
        watch: how long growth is watched at the end.
        timeout: seconds that each step may take.
        environment: where addresses are looked up.
        progress: told how far the long steps are.
        waiting: waits between two looks of the watch.
        tell: prints a line.
        show: prints the report of the check at the end.
    """

    settings: Settings
    agree: Agree | None
    watch: timedelta
    timeout: float = DEFAULT_TIMEOUT
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    progress: Progress = quiet
    waiting: "WaitFunction" = asyncio.sleep
    tell: Callable[[str], None] = print
    show: Callable[[Report], None] = _on_terminal
    config: Path | None = None

    def say(self, line: str) -> None:
        """Print a line; a command of ours in it names the same settings file."""
        self.tell(_with_config(line, self.config))


@dataclass(frozen=True, slots=True)
class LoopResult:
    """How a walk ended.

    Attributes:
        loop: how the loop itself would exit: 0 every step holds, 1 one does not, 3 that is not known.
        report: the whole check afterwards.
        before: the whole check before.
    """

    loop: int
    report: Report
    before: Report

    @property
    def exit_code(self) -> int:
        """The check's, or the loop's where that is worse."""
        return min(int(self.report.exit_code), self.loop, key=_WORST_FIRST.index)


async def walk(how: LoopRun) -> LoopResult:
    """Check everything, walk the loop as far as it holds, and check everything again: what is left is told, too.

    Raises:
        UsageError: an address is refused.
    """
    before = await _check(how)
    try:
        loop = await _walk_loop(how, work_of(before, how.settings.pipeline))
    except RepairError as error:
        how.say(f"validate-daily: {error}")
        loop = 1 if error.exit_code == ExitCode.USAGE else error.exit_code
        if error.exit_code == ExitCode.USAGE and how.agree is None:
            loop = 0  # nothing was asked of it that it refused
    how.tell("Now the whole check:")
    report = await _check(how)
    how.show(report)
    _tell_left(how, report)
    return LoopResult(loop, report, before)


async def _check(how: LoopRun) -> Report:
    return await check(how.settings.pipeline, environment=how.environment, progress=how.progress)


def _tell_left(how: LoopRun, report: Report) -> None:
    """Name what the report still finds; and its command, where one of ours or a known one repairs it."""
    left = [finding for finding in report.findings if finding.cause is None]
    if not left:
        return
    commands = [command_for(finding, report, how.settings.pipeline, how.config) for finding in left]
    can = "" if any(commands) else ", which can repair none of it"
    how.tell(f"NOT REPAIRED by this loop{can}; the report above says what to do:")
    for finding, command in zip(left, commands, strict=True):
        how.tell(
            f"    {finding.severity} {finding.rule} {show(finding.subject, limit=200)}"
            + (f": {command}" if command else "")
        )


def _with_config(line: str, config: Path | None) -> str:
    if config is None or "--config" in line:
        return line
    return _COMMAND.sub(lambda found: f"{found[0]} --config {shlex.quote(str(config))}", line)


async def _walk_loop(how: LoopRun, work: FoundWork) -> int:
    """Walk the loop, and return how it exits.

    Raises:
        RepairError: a plan was not agreed to, or something could not be read or written down.
    """
    from validate_daily.repairs.loop.closed_loop import apply_plan, read_loop, record_step  # noqa: PLC0415 - Google's packages load when used

    shown: set[tuple[str, str]] = set()
    given_up: set[tuple[str, str]] = set()
    async with AsyncExitStack() as stack:
        audit = await stack.enter_async_context(open_audit(how.settings, environment=how.environment))
        while True:
            async with AsyncExitStack() as reading:
                state = await read_loop(*await _sessions(how, reading, writing=False), audit, work, given_up)
            for step in state.steps:
                if step.key in shown and (step.holds or step.key in state.aside):
                    continue
                _tell(how, step)
                if step.holds and how.agree:
                    await record_step(audit, how.settings, local_principal(), step)
                if step.holds or (step.key in state.aside and step is not state.steps[-1]):
                    shown.add(step.key)
            if state.plan is None or how.agree is None:
                break
            approval, token = how.agree(state.plan), Seal(plan_key(how.environment)).seal(state.plan)
            async with AsyncExitStack() as writing:
                sessions = await _sessions(how, writing, writing=True)
                result = await apply_plan(*sessions, state.plan, approval, audit, token=token)
            how.say("\n".join(f"    {line}" for line in result_lines(result)))
            if result.exit_code and state.steps[-1].key not in state.aside:
                return result.exit_code
            if result.exit_code:
                given_up.add(state.steps[-1].key)
        return await _watch_growth(how, state, audit)


async def _watch_growth(how: LoopRun, state: "LoopState", audit: Audit) -> int:
    """The last step, where all others hold: a watch."""
    if not state.holds or state.plan is not None:
        if state.plan is not None:
            how.say("next: validate-daily repair --apply")
        return ExitCode.UNKNOWN if state.holds is None else 1
    from validate_daily.repairs.loop.closed_loop import record_step  # noqa: PLC0415 - Google's packages load when used
    from validate_daily.repairs.loop.state import Step  # noqa: PLC0415 - the same
    from validate_daily.repairs.loop.watch import watch  # noqa: PLC0415 - the same

    seconds_given = how.timeout + how.watch.total_seconds()
    async with open_session(
        how.settings, local_principal(), timeout=seconds_given, environment=how.environment, progress=how.progress
    ) as session:
        watched = await watch(session, how.watch, waiting=how.waiting)
    holds = {0: True, 1: False}.get(watched.exit_code)
    step = Step(
        name="growth has stopped",
        subject=how.settings.pipeline.heartbeats.collection,
        holds=holds,
        told="; ".join(line.strip() for line in watch_lines(watched)),
    )
    _tell(how, step)
    if holds and how.agree:
        await record_step(audit, how.settings, local_principal(), step)
    return watched.exit_code


async def _sessions(how: LoopRun, stack: AsyncExitStack, *, writing: bool) -> tuple[DocumentSession, RunSession]:
    async def enter(opening: Callable[..., AbstractAsyncContextManager[S]]) -> S:
        session = opening(
            how.settings,
            local_principal(),
            writing=writing,
            timeout=how.timeout,
            environment=how.environment,
            progress=how.progress,
        )
        return await stack.enter_async_context(session)

    return await enter(open_session), await enter(open_run_session)


def _tell(how: LoopRun, step: "Step") -> None:
    mark = {True: "holds    ", False: "NOT YET  ", None: "UNKNOWN  "}[step.holds]
    how.tell(f"{mark} {step.name}: {step.subject}: {show(step.told, limit=600)}")
    if step.next_step:
        how.say(f"next: {step.next_step}")
