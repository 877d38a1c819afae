"""``validate-daily mcp`` and ``python -I -m mcp_server``: serve the tools over stdio, or over HTTP."""

import argparse
import logging
import sys
from pathlib import Path

from checks.cli.console import seconds
from checks.settings.file import CONFIG_VARIABLE
from mcp_server.http.address import address

SUMMARY = "serve the checks to an assistant, over the Model Context Protocol"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the server."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE}, then validate-daily.toml)"
    )
    parser.add_argument(
        "--http",
        type=address,
        metavar="HOST:PORT",
        help="serve over HTTP instead of stdio: loopback without a token, any other address as [http] allows",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=45.0,
        metavar="S",
        help="seconds that one call may look (default 45); what is not seen by then is unknown",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Serve until the client goes away; over HTTP, until SIGTERM or Ctrl-C.

    Raises:
        UsageError: over HTTP: the settings do not allow it, or the address cannot be had.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(levelname)s: %(message)s")
    if arguments.http is not None:
        from mcp_server.http.server import serve_http  # noqa: PLC0415 - uvicorn loads only to serve

        serve_http(arguments.config, arguments.http, timeout=arguments.timeout)
        return 0
    from mcp_server.app import build_server  # noqa: PLC0415 - whoever asks for --help need not wait for it

    build_server(arguments.config, timeout=arguments.timeout).run()
    return 0
