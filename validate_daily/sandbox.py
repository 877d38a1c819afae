"""``validate-daily sandbox serve``: a practice cloud in the foreground, until Ctrl-C."""

import argparse
import asyncio
from contextlib import suppress
from typing import Final

from checks.errors import UsageError

SUMMARY: Final = "serve a practice cloud on loopback"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``sandbox``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    serve = actions.add_parser("serve", help="serve one scenario until Ctrl-C", description="serve one scenario")
    serve.add_argument("--scenario", default="healthy", metavar="NAME", help="see `sandbox list` (default healthy)")
    serve.add_argument("--port", type=int, default=0, metavar="N", help="the Firestore port (default: a free one)")
    serve.add_argument("--speed", type=float, default=1.0, metavar="X", help="how fast the world's clock runs")
    serve.add_argument("--debug", action="store_true", help="show the traceback of an internal error")
    actions.add_parser("list", help="name the scenarios", description="name the scenarios")


def run(arguments: argparse.Namespace) -> int:
    """Serve, or list the scenarios.

    Raises:
        UsageError: there is no such scenario, or the port is taken.
    """
    from sandbox import load_scenario, scenario_names  # noqa: PLC0415 - grpc loads only to serve

    if arguments.action == "list":
        for name in scenario_names():
            print(f"{name:<24}{load_scenario(name).title}")
        return 0
    if arguments.scenario not in scenario_names():
        raise UsageError(f"no scenario {arguments.scenario!r}: there are {', '.join(scenario_names())}")
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments))
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    from sandbox import Clock, Sandbox, build  # noqa: PLC0415

    world = build(arguments.scenario, clock=Clock(speed=arguments.speed))
    try:
        async with Sandbox(world, port=arguments.port) as served:
            for name, value in practice_environment(served.environment()).items():
                print(f"export {name}={shlex.quote(value)}", flush=True)
            print(f"serving {arguments.scenario}; Ctrl-C ends it", file=sys.stderr, flush=True)
            await asyncio.Event().wait()
    except OSError as error:
        raise UsageError(f"port {arguments.port}: {error}; name another with --port") from error


def practice_environment(endpoints: dict[str, str]) -> dict[str, str]:
    """What to export, so that ``validate-daily check`` looks at the practice cloud."""
    example = resources.files("validate_daily").joinpath("settings", "example.toml")
    return {**endpoints, CONFIG_VARIABLE: str(example)}
