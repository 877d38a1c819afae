"""Walks the closed loop step by step as far as it holds, records each fact, and ends with the whole check."""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
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
    from validate_daily.repairs.loop.closed_loop import LoopState, Step
    from validate_daily.repairs.loop.watch import WaitFunction

S = TypeVar("S")
Agree = Callable[[Plan], Approval]
"""Asks somebody about a plan."""
_WORST_FIRST: Final = (1, 3, 2, 0)
"""How exit codes rank: P0 and P1 outrank unknown, unknown outranks P2."""


def _on_terminal(report: Report) -> None:
    print_report(report, "terminal")


@dataclass(frozen=True, slots=True)
class LoopRun:
    """How the loop is walked.

    Attributes:
        settings: whose pipeline.
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


@dataclass(frozen=True, slots=True)
class LoopResult:
    """How a walk ended.

    Attributes:
        loop: how the loop itself would exit: 0 every step holds, 1 one does not, 3 that is not known.
        report: the whole check afterwards.
    """

    loop: int
    report: Report

    @property
    def exit_code(self) -> int:
        """The check's, or the loop's where that is worse."""
        return min(int(self.report.exit_code), self.loop, key=_WORST_FIRST.index)


async def walk(how: LoopRun) -> LoopResult:
    """Walk the loop as far as it holds, and then check everything: what the loop did not repair is told, too.

    Raises:
        UsageError: an address is refused.
    """
    try:
        loop = await _walk_loop(how)
    except RepairError as error:
        how.tell(f"validate-daily: {error}")
        loop = 1 if error.exit_code == ExitCode.USAGE else error.exit_code
    how.tell("Now the whole check:")
    report = await check(how.settings.pipeline, environment=how.environment, progress=how.progress)
    how.show(report)
    left = [finding for finding in report.findings if finding.cause is None]
    if left:
        how.tell("NOT REPAIRED by this loop; the report above says what to do:")
    for finding in left:
        how.tell(f"    {finding.severity} {finding.rule} {show(finding.subject, limit=200)}")
    return LoopResult(loop, report)


async def _walk_loop(how: LoopRun) -> int:
    """Walk the loop, and return how it exits.

    Raises:
        RepairError: a plan was not agreed to, or something could not be read or written down.
    """
    from validate_daily.repairs.loop.closed_loop import apply_plan, read_loop, record_step  # noqa: PLC0415 - Google's packages load when used

    shown: set[tuple[str, str]] = set()
    async with AsyncExitStack() as stack:
        audit = await stack.enter_async_context(open_audit(how.settings, environment=how.environment))
        while True:
            async with AsyncExitStack() as reading:
                state = await read_loop(*await _sessions(how, reading, writing=False), audit)
            for step in state.steps:
                if (step.name, step.subject) not in shown or not step.holds:
                    _tell(how, step)
                if step.holds and (step.name, step.subject) not in shown and how.agree:
                    await record_step(audit, how.settings, local_principal(), step)
                if step.holds:
                    shown.add((step.name, step.subject))
            if state.plan is None or how.agree is None:
                break
            approval, token = how.agree(state.plan), Seal(plan_key(how.environment)).seal(state.plan)
            async with AsyncExitStack() as writing:
                sessions = await _sessions(how, writing, writing=True)
                result = await apply_plan(*sessions, state.plan, approval, audit, token=token)
            how.tell("\n".join(f"    {line}" for line in result_lines(result)))
            if result.exit_code:
                return result.exit_code
        return await _watch_growth(how, state, audit)


async def _watch_growth(how: LoopRun, state: "LoopState", audit: Audit) -> int:
    """The last step, where all others hold: a watch."""
    if not state.holds:
        if state.plan is not None:
            how.tell("next: validate-daily repair --apply")
        return ExitCode.UNKNOWN if state.holds is None else 1
    from validate_daily.repairs.loop.closed_loop import Step, record_step  # noqa: PLC0415 - Google's packages load when used
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
        how.tell(f"next: {step.next_step}")
