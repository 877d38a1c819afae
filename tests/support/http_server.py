"""The MCP server over HTTP: inside the test, or in a process of its own as users start it."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from checks.settings.file import load_settings
from mcp_server.app import build_server
from mcp_server.http.access import access_of
from mcp_server.http.address import Address, listen
from mcp_server.http.server import MOST_CONNECTIONS, names, uvicorn_server

from support.commands import COMMAND, interruptible
from support.google_signer import CertificateAddress, certificate_address

ERAS = ("legacy", "2026-07-28")
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
HEADERS = {"Accept": "application/json, text/event-stream"}
PIPELINE = '[pipeline]\nname = "nba"\nproject = "demo-nba"\n'
TEAM = """\
[http]
audience = ["https://validate-daily.example", "32555940559.apps.googleusercontent.com"]
readers = ["Ana@example.com"]
writers = ["ben@example.com"]
"""


@asynccontextmanager
async def serving(
    config: Path,
    *,
    environment: Mapping[str, str] | None = None,
    fetch: CertificateAddress | None = None,
    connections: int = MOST_CONNECTIONS,
    remote: bool = False,
    tools: Sequence[Callable[..., Any]] = (),
) -> AsyncGenerator[str]:
    """Serve on loopback inside the test, and yield the URL; with more tools, if a test brings some."""
    at = Address("127.0.0.1", 0)
    access = access_of(load_settings(config, {}), loopback=True, fetch=fetch or certificate_address())
    with listen(at) as listener:
        real = Address(at.host, listener.getsockname()[1])
        built = build_server(config, environment=environment or {}, access=access, remote=remote)
        for tool in tools:
            built.add_tool(tool)
        server = uvicorn_server(built, names(real, access.hosts if access else ()))
        server.config.limit_concurrency = connections
        served = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://{real}/mcp"
        finally:
            server.should_exit = True
            await served


@dataclass
class Started:
    """A server in a process of its own."""

    process: asyncio.subprocess.Process
    url: str


@asynccontextmanager
async def started(
    config: Path, at: str = "127.0.0.1:0", *, environment: Mapping[str, str] | None = None
) -> AsyncGenerator[Started]:
    """Start ``validate-daily mcp --http``, and end it."""
    with interruptible():
        process = await asyncio.create_subprocess_exec(
            *(COMMAND, "mcp", "--http", at, "--config", str(config)),
            env=os.environ | dict(environment or {}),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    assert process.stderr is not None
    try:
        line = (await asyncio.wait_for(process.stderr.readline(), 120)).decode()
        assert line.startswith("listening on http://"), line
        yield Started(process, line.removeprefix("listening on ").partition(",")[0])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def post(url: str, headers: Mapping[str, str] | None = None, body: object = None) -> httpx2.Response:
    """Ask for the tools, as no client of the SDK's would say it."""
    told = [(name.encode(), value.encode()) for name, value in (HEADERS | dict(headers or {})).items()]
    async with httpx2.AsyncClient() as client:
        return await client.post(url, json=body or LIST, headers=told)


@asynccontextmanager
async def client_of(url: str, era: str, token: str | None = None) -> AsyncGenerator[Client]:
    """A client of the SDK's, of one protocol revision."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=120) as http,
        Client(streamable_http_client(url, http_client=http), mode=era) as client,
    ):
        yield client
