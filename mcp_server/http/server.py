"""Serves the tools over streamable HTTP: to this machine, or to a team whose members show Google's tokens."""

import logging
import os
import signal
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final, NoReturn

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from sse_starlette.sse import AppStatus
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from checks.settings.file import load_settings
from mcp_server.app import build_server
from mcp_server.http.access import access_of
from mcp_server.http.address import Address, listen
from mcp_server.http.certificates import CertificatesError
from mcp_server.state import TIMEOUT, ServerState

PATH: Final = "/mcp"
MOST_BYTES: Final = 256 << 10
"""Of one request."""

MOST_CONNECTIONS: Final = 1_024
"""At the same time; whoever comes above it is told 503."""

GRACE_SECONDS: Final = 9
"""How long calls that run may take to end: Cloud Run gives ten seconds from SIGTERM on."""

KEEP_ALIVE_SECONDS: Final = 65
"""Longer than clients and proxies keep a connection, so that it is not closed under a call that just comes."""

_RETRY_SECONDS: Final = "10"
_HTTP_PORT: Final = 80


class Door:
    """Stands before everything else: refuses what is stateful, and says when callers cannot be told apart."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] != "POST":
            # A stream that outlives its request would tie a client to one instance, which sends nothing on it.
            await Response("only POST", 405, {"Allow": "POST"})(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except CertificatesError as error:
            body = {"error": "temporarily_unavailable", "error_description": f"{error}; try again in a moment"}
            await JSONResponse(body, 503, {"Retry-After": _RETRY_SECONDS})(scope, receive, send)


def serve_http(
    config: Path | None, at: Address, environment: Mapping[str, str] = os.environ, *, timeout: float = TIMEOUT
) -> None:
    """Serve until SIGTERM or Ctrl-C; calls that run then may end.

    Raises:
        UsageError: the settings do not allow it, or the address cannot be had.
    """
    access = access_of(load_settings(config, environment), loopback=at.loopback)
    signal.signal(signal.SIGTERM, _exit)  # uvicorn raises the signal again when all calls have ended
    with listen(at) as listener:
        real = Address(at.host, listener.getsockname()[1])
        how = "to whom [http] names" if access else "to everybody on this machine, without a token"
        sys.stderr.write(f"listening on http://{real}{PATH}, {how}\n")
        server = build_server(config, environment=environment, timeout=timeout, remote=True, access=access)
        uvicorn_server(server, names(real, access.hosts if access else ())).run(sockets=[listener])


def names(at: Address, hosts: tuple[str, ...]) -> TransportSecuritySettings:
    """Which Host and Origin headers are accepted: a page in a browser must not reach a server by another name.

    Args:
        at: where it listens, with its real port.
        hosts: the names at which callers reach it over TLS.
    """
    here = [str(Address(host, at.port)) for host in dict.fromkeys(("127.0.0.1", "localhost", "::1", at.host))]
    if at.port == _HTTP_PORT:
        here += [host.removesuffix(f":{_HTTP_PORT}") for host in here]
    own = here if at.loopback else []
    return TransportSecuritySettings(
        allowed_hosts=[*own, *hosts],
        allowed_origins=[*(f"http://{host}" for host in own), *(f"https://{host}" for host in hosts)],
    )


def uvicorn_server(server: MCPServer[ServerState], security: TransportSecuritySettings) -> uvicorn.Server:
    """The server as uvicorn runs it: bounded, stateless, quiet.

    Args:
        server: the tools.
        security: which Host and Origin headers are accepted.
    """
    server.custom_route("/health", ["GET"])(_health)
    app = server.streamable_http_app(
        streamable_http_path=PATH, stateless_http=True, transport_security=security, max_request_body_size=MOST_BYTES
    )
    app.add_middleware(Door)
    AppStatus.disable_automatic_graceful_drain()  # else SIGTERM cuts the answers that are on their way
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return uvicorn.Server(config)


def _exit(*_: object) -> NoReturn:
    sys.exit(0)


async def _health(_: Request) -> Response:
    """That this process answers; nothing of the pipeline."""
    return JSONResponse({"status": "ok", "version": version("validate-daily")})
