"""Drives a skill without a client of its own: a model, the server's tools, and a report that the code's verdict heads.

The model looks and explains. The verdict is the code's: it is asked for by this module, after the model has ended.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

import anthropic
import httpx2
from anthropic import AsyncAnthropic
from anthropic.lib.tools import BetaAsyncStreamingToolRunner
from anthropic.types.beta import BetaMessage, BetaMessageParam
from mcp.client.client import Client
from mcp.client.session import ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult, Tool
from pydantic import ValidationError

from checks.errors import UsageError
from checks.frozen import inert
from checks.permissions import Agent
from skills import SKILLS, body
from skills.agent_report import AgentReport, Code, Conclusion, Disagreement, Ended, disagreements
from skills.agent_spending import Purse
from skills.agent_tools import PAGE, REPORT, AnyTool, Desk, is_write, strings, tools_for

DAILY: Final = "daily"
"""The question where nobody asks another."""

_PAGES: Final = 40
_CHECK_SECONDS: Final = 180.0
_CONNECT_SECONDS: Final = 60.0
_CALL_SECONDS: Final = 900.0
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
_LIMITS: Final = {
    Ended.TURNS: "[agent] turns",
    Ended.TOKENS: "[agent] tokens",
    Ended.TIME: "[agent] time",
    Ended.DOLLARS: "[agent] dollars",
    Ended.CUT_OFF: "[agent] reply_tokens",
}

_MISTAKES: Final = (anthropic.AuthenticationError, anthropic.PermissionDeniedError, anthropic.NotFoundError)
_NONSENSE: Final = (ValueError, LookupError, AttributeError, TypeError, AssertionError, RuntimeError)
"""What the package raises where a stream is no Messages API's."""

Ask = Callable[[str], Awaitable[str | None]]
"""Shows a person the server's question about a change, and returns what they typed; None is a no."""


class Tell(Protocol):
    """Is told what the run does: words of the model as they come, and each call of a tool."""

    def words(self, text: str) -> None:
        """A piece of what the model writes."""
        ...

    def call(self, tool: str, arguments: object) -> None:
        """It calls a tool."""
        ...

    def answer(self, tool: str, error: str | None) -> None:
        """The tool answered, or failed."""
        ...


@dataclass(frozen=True, slots=True)
class Server:
    """Where the tools are: a command that speaks over stdio, or an address with a token for it."""

    at: StdioServerParameters | str
    token: str | None = None


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


class _Unread(Exception):  # noqa: N818 - it ends a run, and is told
    """A reply that did not come whole, or is none."""

    def __init__(self, ended: Ended, reason: str) -> None:
        super().__init__(reason)
        self.ended = ended


@dataclass(frozen=True, slots=True)
class _End:
    """How the model's part ended, and why."""

    ended: Ended
    reason: str | None = None


async def investigate(server: Server, assignment: Assignment, tell: Tell) -> AgentReport:
    """Let a model follow a skill, and report what it concludes beside the code's verdict.

    Base address and key of the Messages API are the environment's, as the ``anthropic`` package reads them.

    Args:
        server: where the tools are.
        assignment: what to do.
        tell: told what happens.

    Raises:
        UsageError: there is no key or it is refused, the model or the server is not there, or a limit cannot be held.
    """
    purse, desk, began = Purse.of(assignment.limits), Desk(), time.monotonic()
    end: _End | UsageError
    async with _messages(assignment.limits) as api, _connected(server, assignment.ask) as (client, offered):
        chosen = [each for each in offered if assignment.ask or not is_write(each)]
        ends = asyncio.get_running_loop().time() + assignment.limits.time.total_seconds()
        writes = frozenset(each.name for each in chosen if is_write(each))
        end = await _driven(_Run(api, assignment, tools_for(chosen, client, desk), writes, desk, purse, tell, ends))
        code, unseen = (None, None) if isinstance(end, UsageError) else await _judged(client, desk)
    if isinstance(end, UsageError):  # raised here, because a connection that is being closed wraps what passes it
        raise end
    told = desk.conclusion
    spent = purse.spent.model_copy(update={"seconds": round(time.monotonic() - began, 3)})
    return AgentReport(
        question=inert(assignment.question, _SAID),
        skill=assignment.skill,
        model=assignment.limits.model,
        ended=end.ended,
        reason=end.reason,
        code=code,
        unseen=unseen,
        conclusion=told,
        disagreements=tuple(_compared(told, code, desk)) if told else (),
        calls=tuple(desk.calls),
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
    desk: Desk
    purse: Purse
    tell: Tell
    ends: float

    def in_time(self) -> asyncio.Timeout:
        """A timeout around what the model or a reading tool does."""
        return asyncio.timeout_at(self.ends)


async def _driven(run: _Run) -> _End | UsageError:
    """The model's part, until it concludes, fails, or has spent what it may."""
    limits = run.assignment.limits
    try:
        return await _talked(run)
    except TimeoutError:
        return _reached(Ended.TIME, limits)
    except _Unread as error:
        return _End(error.ended, str(error))
    except anthropic.CredentialsError as error:
        return UsageError(f"the credentials for the Messages API cannot be used: {inert(str(error), _SAID)}")
    except anthropic.APIError as error:
        mistake = isinstance(error, _MISTAKES) and not run.purse.spent.turns
        return UsageError(_mistake(error, limits)) if mistake else _failed(error, limits)


async def _talked(run: _Run) -> _End:
    """The talk, and once more where it ends without a report."""
    history: list[BetaMessageParam] = [{"role": "user", "content": run.assignment.question}]
    end = await _turns(run, history)
    if end is None:
        history.append({"role": "user", "content": _NUDGE})
        end = await _turns(run, history)
    return end or _End(Ended.NO_REPORT, "the model ended twice without a report")


async def _turns(run: _Run, history: list[BetaMessageParam]) -> _End | None:
    """Reply by reply; None where the model stops by itself and has not reported.

    Args:
        run: what the model's part works with.
        history: the talk so far; what is said is added to it.
    """
    limits, left = run.assignment.limits, run.assignment.limits.turns - run.purse.spent.turns
    if left < 1:
        return _reached(Ended.TURNS, limits)
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
        return await _followed(run, runner, history)
    finally:
        await runner.close()


async def _followed(
    run: _Run, runner: BetaAsyncStreamingToolRunner[None], history: list[BetaMessageParam]
) -> _End | None:
    """The replies of one runner, as ``_turns`` returns them."""
    limits = run.assignment.limits
    while (message := await _reply(run, runner)) is not None:
        run.purse.pay(message.usage)
        history.append(message.to_param())
        if message.stop_reason != "tool_use":
            return _stopped(message, limits)
        if run.purse.empty:
            return _reached(Ended(run.purse.empty), limits)
        answers = await _answered(run, message, runner.generate_tool_call_response)
        if run.desk.conclusion:
            return _End(Ended.CONCLUDED)
        if answers is not None:
            history.append(answers)
    return _reached(Ended.TURNS, limits)


async def _reply(run: _Run, runner: BetaAsyncStreamingToolRunner[None]) -> BetaMessage | None:
    """The next reply, told as it comes; None where the runner makes no more."""
    try:
        async with run.in_time():
            stream = await anext(runner, None)
            if stream is None:
                return None
            async for event in stream:
                if event.type == "text":
                    run.tell.words(event.text)
            return await stream.get_final_message()
    except httpx2.HTTPError as error:
        raise _Unread(Ended.UNREACHABLE, f"the Messages API broke off: {inert(str(error), _SAID)}") from error
    except _NONSENSE as error:
        raise _Unread(Ended.API_ERROR, f"the Messages API's answer cannot be read: {type(error).__name__}") from error


async def _answered(
    run: _Run, message: BetaMessage, answer: Callable[[], Awaitable[BetaMessageParam | None]]
) -> BetaMessageParam | None:
    """Let the tools answer that a reply calls."""
    calls = [block for block in message.content if block.type == "tool_use"]
    for block in calls:
        run.tell.call(block.name, block.input)
    done = len(run.desk.calls)
    if any(block.name in run.writes for block in calls):
        began = asyncio.get_running_loop().time()
        answers = await answer()
        run.ends += asyncio.get_running_loop().time() - began
    else:
        async with run.in_time():
            answers = await answer()
    for each in run.desk.calls[done:]:
        run.tell.answer(each.tool, each.error)
    return answers


def _stopped(message: BetaMessage, limits: Agent) -> _End | None:
    """Why a reply that calls nothing ends the run; None where the model merely stopped."""
    if message.stop_reason == "max_tokens":
        return _reached(Ended.CUT_OFF, limits)
    if message.stop_reason == "model_context_window_exceeded":
        return _End(Ended.CONTEXT, "the talk is longer than the model can read: ask about less")
    if message.stop_reason == "refusal":
        return _End(Ended.REFUSED, "the model would not answer: look yourself, with validate-daily check")
    return None


def _reached(ended: Ended, limits: Agent) -> _End:
    name = _LIMITS[ended].rpartition(" ")[2]
    told = getattr(limits, name)
    return _End(ended, f"{_LIMITS[ended]} = {told} is reached before a report: raise it, or ask about less")


def _mistake(error: anthropic.APIError, limits: Agent) -> str:
    """What somebody has to mend before anything works: the key, or the model's name."""
    told = inert(error.message, _SAID)
    if isinstance(error, anthropic.NotFoundError):
        return f"{limits.model}: the Messages API does not have it: {told}: set [agent] model"
    return f"the key for the Messages API is refused: {told}: check ANTHROPIC_API_KEY"


def _failed(error: anthropic.APIError, limits: Agent) -> _End:
    """What the API's error means for a run."""
    told = inert(error.message, _SAID)
    if isinstance(error, anthropic.APIConnectionError):
        return _End(Ended.UNREACHABLE, f"the Messages API could not be reached: {told}")
    status = error.status_code if isinstance(error, anthropic.APIStatusError) else 0
    if status in {408, 409, 429} or status >= 500:  # noqa: PLR2004 - what the package tries again
        tries = f"{limits.retries + 1} tries"
        return _End(Ended.OVERLOADED, f"the Messages API took none of {tries} ({status}): {told}: try again later")
    if isinstance(error, anthropic.RequestTooLargeError) or "too long" in error.message:
        return _End(Ended.CONTEXT, f"the talk is longer than the model can read: {told}: ask about less")
    return _End(Ended.API_ERROR, f"the Messages API answered {status or 'with an error'}: {told}")


async def _judged(client: Client, desk: Desk) -> tuple[Code | None, str | None]:
    """The code's verdict now, with all of its findings; else why it could not be had."""
    findings: list[Any] = []
    first: dict[str, Any] = {}
    cursor: str | None = None
    for _ in range(_PAGES):
        asked = {"phase": "all"} | ({"cursor": cursor} if cursor else {})
        try:
            result = await client.call_tool("check_heartbeats", asked, read_timeout_seconds=_CHECK_SECONDS)
        except MCPError as error:
            return None, inert(f"check_heartbeats: {error}", _SAID)
        page: dict[str, Any] = result.structured_content or {}
        if result.is_error or not page:
            why = " ".join(getattr(each, "text", "") for each in result.content)
            return None, inert(f"check_heartbeats: {why or 'no answer that can be read'}", _SAID)
        desk.seen.update(strings(page))
        findings += page.get("findings", [])
        first = first or page
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    try:
        return Code.model_validate(first | {"findings": findings}), None
    except ValidationError as error:
        return None, inert(f"check_heartbeats: its answer is none: {error.errors()[0]['msg']}", _SAID)


def _compared(told: Conclusion, code: Code | None, desk: Desk) -> list[Disagreement]:
    if code is None:
        return [Disagreement(about="verdict", said=told.verdict, code="unknown: it could not be had")]
    return list(disagreements(told, code, desk.seen, desk.answered))


@asynccontextmanager
async def _messages(limits: Agent) -> AsyncGenerator[AsyncAnthropic]:
    async with AsyncAnthropic(max_retries=limits.retries) as api:
        if not (api.api_key or api.auth_token or api.credentials):
            raise UsageError(
                "there is no key for the Messages API: set ANTHROPIC_API_KEY; validate-daily check needs none"
            )
        yield api


@asynccontextmanager
async def _connected(server: Server, ask: Ask | None) -> AsyncGenerator[tuple[Client, list[Tool]]]:
    """The server, and the tools that it offers.

    Raises:
        UsageError: it cannot be reached, or it is none.
    """

    async def elicited(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        del context
        if ask is None or not isinstance(params, ElicitRequestFormParams):
            return ElicitResult(action="decline")
        typed = await ask(params.message)
        return ElicitResult(action="accept", content={"typed": typed}) if typed else ElicitResult(action="decline")

    async with AsyncExitStack() as stack:
        at: Any = server.at
        if isinstance(server.at, str) and server.token:
            headers = {"Authorization": f"Bearer {server.token}"}
            at = streamable_http_client(
                server.at, http_client=await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=300))
            )
        made = Client(
            at, read_timeout_seconds=_CALL_SECONDS, elicitation_callback=elicited if ask is not None else None
        )
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                client = await stack.enter_async_context(made)
                tools = (await client.list_tools()).tools
        except (MCPError, OSError, ExceptionGroup, httpx2.HTTPError) as error:
            where = server.at if isinstance(server.at, str) else server.at.command
            raise UsageError(
                f"{inert(where, _SAID)}: no MCP server answers there: {inert(_first(error), _SAID)}: "
                "try validate-daily doctor, or name another with --server"
            ) from error
        yield client, tools


def _first(error: BaseException) -> str:
    """The first error of a group, in its own words."""
    at = error
    while isinstance(at, BaseExceptionGroup):
        at = cast("BaseExceptionGroup[BaseException]", at).exceptions[0]
    return str(at) or type(at).__name__
