"""``validate-daily sandbox serve``: a practice cloud in the foreground, until Ctrl-C."""

import argparse
import asyncio
import shlex
import signal
import sys
from importlib import resources
from typing import Final

from checks.settings.errors import UsageError
from checks.settings.file import CONFIG_VARIABLE

SUMMARY: Final = "serve a practice cloud on loopback"
_FASTEST: Final = 100_000
_LAST_PORT: Final = 65_535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``sandbox``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    serve = actions.add_parser("serve", help="serve one scenario until Ctrl-C", description="serve one scenario")
    serve.add_argument("--scenario", default="healthy", metavar="NAME", help="see `sandbox list` (default healthy)")
    serve.add_argument("--port", type=_port, default=0, metavar="N", help="the Firestore port (default: a free one)")
    serve.add_argument("--speed", type=_speed, default=1.0, metavar="X", help="how fast the world's clock runs")
    serve.add_argument("--debug", action="store_true", help="show the traceback of an internal error")
    actions.add_parser("list", help="name the scenarios", description="name the scenarios")


def run(arguments: argparse.Namespace) -> int:
    """Serve, or list the scenarios.

    Raises:
        UsageError: there is no such scenario, or the port is taken.
    """
    from validate_daily.sandbox import load_scenario, scenario_names  # noqa: PLC0415 - grpc loads only to serve

    if arguments.action == "list":
        for name in scenario_names():
            print(f"{name:<24}{load_scenario(name).title}")
    elif arguments.scenario not in scenario_names():
        raise UsageError(f"no scenario {arguments.scenario!r}: there are {', '.join(scenario_names())}")
    else:
        asyncio.run(_serve(arguments))
    return 0


def practice_environment(endpoints: dict[str, str]) -> dict[str, str]:
    """What to export, so that ``validate-daily check`` looks at the practice cloud."""
    example = resources.files("checks.settings").joinpath("example.toml")
    return {**endpoints, CONFIG_VARIABLE: str(example)}


async def _serve(arguments: argparse.Namespace) -> None:
    from validate_daily.sandbox import Clock, Sandbox, build  # noqa: PLC0415

    world = build(arguments.scenario, clock=Clock(speed=arguments.speed))
    served = Sandbox(world, port=arguments.port)
    try:
        await served.__aenter__()
    except (OSError, RuntimeError) as error:
        raise UsageError(f"port {arguments.port} cannot be had ({error}): name another with --port") from error
    try:
        for name, value in practice_environment(served.environment()).items():
            print(f"export {name}={shlex.quote(value)}", flush=True)
        print(f"serving {arguments.scenario}; Ctrl-C ends it", file=sys.stderr, flush=True)
        await _ended()
    finally:
        await served.__aexit__(None, None, None)


async def _ended() -> None:
    """Wait for Ctrl-C, or to be told to terminate: both are how a practice cloud ends well."""
    ended = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    await ended.wait()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give 0 to {_LAST_PORT:,}")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed <= _FASTEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed: give 0 to {_FASTEST:,}")
    return speed
