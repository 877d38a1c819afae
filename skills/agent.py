"""Drives a skill without a client of its own: a model, the server's tools, and a report that the code's verdict heads.

The model looks and explains. The verdict is the code's: it is asked for by this module, after the model has ended.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

import httpx2
from anthropic import AsyncAnthropic, CredentialsError
from anthropic.lib.tools import BetaAsyncStreamingToolRunner
from anthropic.types.beta import BetaMessage, BetaMessageParam

from checks.evidence.base import inert
from checks.settings.errors import UsageError
from checks.settings.named_file_only import Agent
from skills import SKILLS, body
from skills.agent_budget import Spending
from skills.agent_end import FAILURES, End, Ended, UnreadError, failed, reached, stopped, unusable
from skills.agent_report import AgentReport, CodeVerdict, Conclusion, Disagreement, disagreements
from skills.agent_server import Ask, Server, connect, read_verdict
from skills.agent_tools import PAGE, REPORT, AnyTool, RunRecord, is_write, tools_for

DAILY: Final = "daily"
"""The question where nobody asks another."""

_SAID: Final = 500
_HEADLESS: Final = f"""\
You run without a person to talk to. The skill below says how; where it names a page (references/…), read it with \
{PAGE}. When you have looked at everything that the skill asks for, call {REPORT} once: it is the only way to end. \
Verdict, rules and subjects are copied from the tools' answers, character for character; a program compares them with \
the code's own verdict and shows every difference. What you could not see stands in not_checked. Never call anything \
healthy that no answer shows to be.\
"""
_NUDGE: Final = (
    f"Nobody reads this. Call {REPORT} now, with what you know, and with what you do not know in not_checked."
)
_NONSENSE: Final = (ValueError, LookupError, AttributeError, TypeError, AssertionError, RuntimeError)
"""What the package raises where a stream is no Messages API's."""


class Listener(Protocol):
    """Hears what the run does: words of the model as they come, and each call of a tool."""

    def words(self, text: str) -> None:
        """A piece of what the model writes."""
        ...

    def call(self, tool: str, arguments: object) -> None:
        """It calls a tool."""
        ...

    def answer(self, tool: str, error: str | None) -> None:
        """The tool answered, or failed."""
        ...


class SilentListener:
    """Hears nothing."""

    def words(self, text: str) -> None:
        """Nothing."""

    def call(self, tool: str, arguments: object) -> None:
        """Nothing."""

    def answer(self, tool: str, error: str | None) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a run is to do.

    Attributes:
        question: the argument of the skill.
        skill: which one.
        limits: the model, and what may be spent.
        ask: how a person is asked about a change; None offers no tool that can change anything.
    """

    question: str = DAILY
    skill: str = SKILLS[0]
    limits: Agent = field(default_factory=Agent)
    ask: Ask | None = None


async def investigate(server: Server, assignment: Assignment, listener: Listener) -> AgentReport:
    """Let a model follow a skill, and report what it concludes beside the code's verdict.

    Base address and key of the Messages API are the environment's, as the ``anthropic`` package reads them.

    Args:
        server: where the tools are.
        assignment: what to do.
        listener: hears what happens.

    Raises:
        UsageError: there is no key or it is refused, the model or the server is not there, or a limit cannot be held.
    """
    spending, record, began = Spending.of(assignment.limits), RunRecord(), time.monotonic()
    end: End | UsageError
    async with _messages(assignment.limits) as api, connect(server, assignment.ask) as (client, offered):
        chosen = [each for each in offered if assignment.ask or not is_write(each)]
        ends = asyncio.get_running_loop().time() + assignment.limits.time.total_seconds()
        writes = frozenset(each.name for each in chosen if is_write(each))
        end = await _run_model(
            _Run(api, assignment, tools_for(chosen, client, record), writes, record, spending, listener, ends)
        )
        code, unseen = (None, None) if isinstance(end, UsageError) else await read_verdict(client, record)
    if isinstance(end, UsageError):  # raised here, because a connection that is being closed wraps what passes it
        raise end
    conclusion = record.conclusion
    spent = spending.spent.model_copy(update={"seconds": round(time.monotonic() - began, 3)})
    return AgentReport(
        question=inert(assignment.question, _SAID),
        skill=assignment.skill,
        model=assignment.limits.model,
        ended=end.ended,
        reason=end.reason,
        code=code,
        unseen=unseen,
        conclusion=conclusion,
        disagreements=tuple(_compare(conclusion, code, record)) if conclusion else (),
        calls=tuple(record.calls),
        spent=spent,
        writes_allowed=assignment.ask is not None,
    )


@dataclass(slots=True)
class _Run:
    """Everything that the model's part works with.

    Attributes:
        writes: the tools that may change something. What they do is never cut off: a person may be thinking, and a
            change under way is better ended than broken off. Their time does not count.
        ends: when the time is up, by the running loop's clock.
    """

    api: AsyncAnthropic
    assignment: Assignment
    tools: list[AnyTool]
    writes: frozenset[str]
    record: RunRecord
    spending: Spending
    listener: Listener
    ends: float

    def in_time(self) -> asyncio.Timeout:
        """A timeout around what the model or a reading tool does."""
        return asyncio.timeout_at(self.ends)


async def _run_model(run: _Run) -> End | UsageError:
    """The model's part, until it concludes, fails, or has spent what it may."""
    try:
        return await _converse(run)
    except FAILURES as error:
        return failed(error, run.assignment.limits, begun=run.spending.spent.turns > 0)


async def _converse(run: _Run) -> End:
    """The talk, and once more where it ends without a report."""
    history: list[BetaMessageParam] = [{"role": "user", "content": run.assignment.question}]
    end = await _turns(run, history)
    if end is None:
        history.append({"role": "user", "content": _NUDGE})
        end = await _turns(run, history)
    return end or End(Ended.NO_REPORT, "the model ended twice without a report")


async def _turns(run: _Run, history: list[BetaMessageParam]) -> End | None:
    """Reply by reply; None where the model stops by itself and has not reported.

    Args:
        run: what the model's part works with.
        history: the talk so far; what is said is added to it.
    """
    limits, left = run.assignment.limits, run.assignment.limits.turns - run.spending.spent.turns
    if left < 1:
        return reached(Ended.TURNS, limits)
    runner = run.api.beta.messages.tool_runner(
        model=limits.model,
        max_tokens=limits.reply_tokens,
        system=[
            {
                "type": "text",
                "text": f"{_HEADLESS}\n\n{body(run.assignment.skill)}",
                "cache_control": {"type": "ephemeral"},
            }
        ],
        messages=list(history),
        tools=run.tools,
        cache_control={"type": "ephemeral"},
        max_iterations=left,
        stream=True,
        thread=False,
    )
    try:
        return await _follow_runner(run, runner, history)
    finally:
        await runner.close()


async def _follow_runner(
    run: _Run, runner: BetaAsyncStreamingToolRunner[None], history: list[BetaMessageParam]
) -> End | None:
    """The replies of one runner, as ``_turns`` returns them."""
    limits = run.assignment.limits
    while (message := await _reply(run, runner)) is not None:
        run.spending.pay(message.usage)
        history.append(message.to_param())
        if message.stop_reason != "tool_use":
            return stopped(message, limits)
        if (empty := run.spending.empty) is not None:
            return reached(empty, limits)
        answers = await _run_tools(run, message, runner.generate_tool_call_response)
        if run.record.conclusion:
            return End(Ended.CONCLUDED)
        if answers is not None:
            history.append(answers)
    return reached(Ended.TURNS, limits)


async def _reply(run: _Run, runner: BetaAsyncStreamingToolRunner[None]) -> BetaMessage | None:
    """The next reply, told as it comes; None where the runner makes no more."""
    try:
        async with run.in_time():
            stream = await anext(runner, None)
            if stream is None:
                return None
            async for event in stream:
                if event.type == "text":
                    run.listener.words(event.text)
            return await stream.get_final_message()
    except httpx2.HTTPError as error:
        raise UnreadError(Ended.UNREACHABLE, f"the Messages API broke off: {inert(str(error), _SAID)}") from error
    except _NONSENSE as error:
        raise UnreadError(
            Ended.API_ERROR, f"the Messages API's answer cannot be read: {type(error).__name__}"
        ) from error


async def _run_tools(
    run: _Run, message: BetaMessage, answer: Callable[[], Awaitable[BetaMessageParam | None]]
) -> BetaMessageParam | None:
    """Let the tools answer that a reply calls."""
    calls = [block for block in message.content if block.type == "tool_use"]
    for block in calls:
        run.listener.call(block.name, block.input)
    done = len(run.record.calls)
    if any(block.name in run.writes for block in calls):
        began = asyncio.get_running_loop().time()
        answers = await answer()
        run.ends += asyncio.get_running_loop().time() - began
    else:
        async with run.in_time():
            answers = await answer()
    for each in run.record.calls[done:]:
        run.listener.answer(each.tool, each.error)
    return answers


def _compare(conclusion: Conclusion, code: CodeVerdict | None, record: RunRecord) -> list[Disagreement]:
    if code is None:
        return [Disagreement(about="verdict", said=conclusion.verdict, code="unknown: it could not be had")]
    return list(disagreements(conclusion, code, record.seen, record.answered))


@asynccontextmanager
async def _messages(limits: Agent) -> AsyncGenerator[AsyncAnthropic]:
    """The Messages API.

    Raises:
        UsageError: there is no key, or what is there cannot be used.
    """
    try:
        client = AsyncAnthropic(max_retries=limits.retries)
    except CredentialsError as error:
        raise UsageError(unusable(error)) from error
    async with client as api:
        if not (api.api_key or api.auth_token or api.credentials):
            raise UsageError(
                "there is no key for the Messages API: set ANTHROPIC_API_KEY; validate-daily check needs none"
            )
        yield api
