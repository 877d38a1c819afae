"""A check over MCP against the same check in this process, and what a model is sent: of the tools, of each answer."""

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Final

from mcp import Client, StdioServerParameters

from checks import check
from checks.formats.json import render_json
from checks.judge.rules import rules_of
from checks.settings.file import load_settings, parse_settings
from validate_daily.sandbox import Fault, Sandbox, build

from support.mcp_world import ARGUMENTS, environment_of, text_of
from support.paths import EXAMPLE

ROUNDS: Final = 15
LATENCY: Final = 0.02
SERVER: Final = str(Path(sys.executable).parent / "validate-daily")


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure both, in turn, with a little latency in every call to Google, and print medians."""
    over_mcp, inside, tokens = asyncio.run(_measure(rounds))
    asked, plain = statistics.median(over_mcp), statistics.median(inside)
    print(f"a heartbeat check, {LATENCY * 1_000:.0f} ms in every call, medians of {rounds} rounds")
    print(f"{'over MCP, s':<36}{asked:>8.3f}")
    print(f"{'the command line without its start, s':<38}{plain:>6.3f}")
    print(f"{'ratio':<36}{asked / plain:>8.2f}")
    print("tokens (characters / 4) that a model is sent: of all tools, and of each default answer")
    for name, answers in tokens.items():
        print(f"{name:<36}" + "".join(f"{scenario:>16} {count:>6,.0f}" for scenario, count in answers.items()))
    return {"over_mcp_s": asked, "inside_s": plain, "ratio": asked / plain, "tokens": tokens}


async def _measure(rounds: int) -> tuple[list[float], list[float], dict[str, dict[str, float]]]:
    over_mcp: list[float] = []
    inside: list[float] = []
    world = build("healthy")
    world.faults.add(Fault(latency=LATENCY))
    async with Sandbox(world) as cloud:
        server = StdioServerParameters(command=SERVER, args=["mcp"], env=environment_of(cloud))
        async with Client(server) as client:
            await client.call_tool("check_heartbeats", {})
            await _look(cloud)
            for _ in range(rounds):
                over_mcp.append(await _timed(client.call_tool("check_heartbeats", {})))
                inside.append(await _timed(_look(cloud)))
    return over_mcp, inside, await _tokens()


async def _look(cloud: Sandbox) -> str:
    """What the command line does once it has started."""
    parse_settings.cache_clear()
    pipeline = load_settings(EXAMPLE, {}).pipeline
    return render_json(await check(pipeline, rules=rules_of("0.2"), environment=cloud.environment()))


async def _timed(work: Any) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def _tokens() -> dict[str, dict[str, float]]:
    told: dict[str, dict[str, float]] = {}
    for scenario in ("healthy", "proliferation"):
        async with Sandbox(build(scenario)) as cloud:
            server = StdioServerParameters(command=SERVER, args=["mcp"], env=environment_of(cloud))
            async with Client(server) as client:
                tools = (await client.list_tools()).tools
                sent = [{"name": t.name, "description": t.description, "input_schema": t.input_schema} for t in tools]
                told["all tools"] = {"always": len(json.dumps(sent)) / 4}
                for name, arguments in ARGUMENTS.items():
                    answer = await client.call_tool(name, arguments)
                    told.setdefault(name, {})[scenario] = len(text_of(answer)) / 4
    return told


if __name__ == "__main__":
    print(run(), file=sys.stderr)
