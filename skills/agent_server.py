"""The server at the other end of a run: its tools, the questions that it asks a person, and the code's own verdict."""

import asyncio
import site
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self, cast

import httpx2
from mcp.client.client import Client
from mcp.client.session import ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult, Tool
from pydantic import ValidationError

from checks.evidence.base import inert
from checks.settings.errors import UsageError
from skills.agent_report import CodeVerdict
from skills.agent_tools import RunRecord, strings

_PAGES: Final = 40
_CHECK_SECONDS: Final = 180.0
_CONNECT_SECONDS: Final = 60.0
_CALL_SECONDS: Final = 900.0
_SAID: Final = 500
_ALONE: Final = ("-E", "-P", "-m") if __file__.startswith(site.getusersitepackages()) else ("-I", "-m")
"""Python without the open directory and the caller's variables; the user's packages count only where we are one."""

_KEPT_BACK: Final = ("ANTHROPIC_", "PYTHON")

Ask = Callable[[str], Awaitable[str | None]]
"""Shows a person the server's question about a change, and returns what they typed; None is a no."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the tools are: a command that speaks over stdio, or an address with a token for it."""

    at: StdioServerParameters | str
    token: str | None = None

    @classmethod
    def of_our_own(cls, *arguments: str, environment: Mapping[str, str]) -> Self:
        """The installed server, over stdio: neither the open directory nor PYTHONPATH decides what runs.

        It knows no key for a model, and hands nothing on that leads Python elsewhere.
        """
        kept = {name: value for name, value in environment.items() if not name.startswith(_KEPT_BACK)}
        return cls(StdioServerParameters(command=sys.executable, args=[*_ALONE, "mcp_server", *arguments], env=kept))


@asynccontextmanager
async def connect(server: Server, ask: Ask | None) -> AsyncGenerator[tuple[Client, list[Tool]]]:
    """The server, and the tools that it offers.

    Raises:
        UsageError: it cannot be reached, or it is none.
    """

    async def elicit(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
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
        connection = Client(
            at, read_timeout_seconds=_CALL_SECONDS, elicitation_callback=elicit if ask is not None else None
        )
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                client = await stack.enter_async_context(connection)
                tools = (await client.list_tools()).tools
        except (MCPError, OSError, ExceptionGroup, httpx2.HTTPError) as error:
            where = server.at if isinstance(server.at, str) else server.at.command
            raise UsageError(
                f"{inert(where, _SAID)}: no MCP server answers there: {inert(_first(error), _SAID)}: "
                "try validate-daily doctor, or name another with --server"
            ) from error
        yield client, tools


async def read_verdict(client: Client, record: RunRecord) -> tuple[CodeVerdict | None, str | None]:
    """The code's verdict now, with all of its findings; and what is missing of that, and why.

    The first page has the verdict of the whole: where a later one fails, it stands, and is told to be incomplete.
    """
    first, why = await _page(client, record, None)
    findings: list[Any] = list(first.get("findings", []))
    cursor, pages = first.get("next_cursor"), 1
    while cursor is not None and why is None:
        page, why = await _page(client, record, cursor)
        findings += page.get("findings", [])
        cursor, pages = page.get("next_cursor"), pages + 1
        if cursor is not None and pages >= _PAGES:
            why = f"there are more findings than {_PAGES} pages hold"
    if not first:
        return None, f"check_heartbeats: {why}"
    try:
        code = CodeVerdict.model_validate(first | {"findings": findings})
    except ValidationError as error:
        return None, inert(f"check_heartbeats: its answer is none: {error.errors()[0]['msg']}", _SAID)
    return code, None if why is None else f"check_heartbeats: not all findings were read: {why}"


async def _page(client: Client, record: RunRecord, cursor: str | None) -> tuple[dict[str, Any], str | None]:
    """One page of the check; an empty one, and why, where there is no answer."""
    asked = {"phase": "all"} | ({"cursor": cursor} if cursor else {})
    try:
        result = await client.call_tool("check_heartbeats", asked, read_timeout_seconds=_CHECK_SECONDS)
    except MCPError as error:
        return {}, inert(str(error), _SAID)
    page: dict[str, Any] = result.structured_content or {}
    if result.is_error or not page:
        why = " ".join(getattr(each, "text", "") for each in result.content)
        return {}, inert(why or "no answer that can be read", _SAID)
    record.seen.update(strings(page))
    return page, None


def _first(error: BaseException) -> str:
    """The first error of a group, in its own words."""
    at = error
    while isinstance(at, BaseExceptionGroup):
        at = cast("BaseExceptionGroup[BaseException]", at).exceptions[0]
    return str(at) or type(at).__name__
