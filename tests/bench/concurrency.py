"""Two hundred concurrent calls over HTTP, fifty of which ask an upstream that never answers."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import psutil
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from checks.settings.template import settings_text
from validate_daily.sandbox import Fault, Sandbox, build

from support.http_server import started

HANGING: Final = 50
OTHERS: Final = 150
NOBODY: Final = httpx2.Limits(max_connections=None)


@dataclass(frozen=True, slots=True)
class AnsweredClaim:
    """One call: when it was answered, and how."""

    seconds: float
    verdict: str


def run() -> dict[str, Any]:
    """Measure with and without the hanging calls, and print a table."""
    quiet, _, _ = asyncio.run(_ask(0))
    others, hung, memory = asyncio.run(_ask(HANGING))
    print(f"{HANGING + OTHERS} concurrent calls over HTTP, {HANGING} of them of an upstream that hangs")
    rows = {"others alone": quiet, "others beside hanging ones": others, "hanging ones": hung}
    print(f"{'':<30}{'answered':>10}{'median, s':>12}{'last, s':>10}  verdicts")
    for name, calls in rows.items():
        seconds = [call.seconds for call in calls]
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in Counter(c.verdict for c in calls).items())
        print(f"{name:<30}{len(calls):>10}{statistics.median(seconds):>12.1f}{max(seconds):>10.1f}  {verdicts}")
    print(f"{'memory above idle at most, MB':<30}{memory / 1e6:>10.0f}")
    return {
        "answered": len(others) + len(hung),
        "last_alone_s": max(call.seconds for call in quiet),
        "last_beside_s": max(call.seconds for call in others),
        "last_hanging_s": max(call.seconds for call in hung),
        "memory_bytes": memory,
    }


async def _ask(hanging: int) -> tuple[list[AnsweredClaim], list[AnsweredClaim], int]:
    world = build("healthy")
    world.faults.add(Fault(hang=True, service="logging"))
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "settings.toml"
        config.write_text(settings_text("example"))
        async with (
            Sandbox(world) as cloud,
            started(config, environment=cloud.environment()) as server,
            httpx2.AsyncClient(limits=NOBODY, timeout=300) as http,
            Client(streamable_http_client(server.url, http_client=http)) as client,
        ):
            await client.list_tools()
            await _call(client, "check_heartbeats")  # loads Google's packages
            process = psutil.Process(server.process.pid)
            idle = process.memory_info().rss
            first = [asyncio.create_task(_call(client, "search_logs")) for _ in range(hanging)]
            others = await asyncio.gather(*(_call(client, "check_heartbeats") for _ in range(OTHERS)))
            hung = [await each for each in first]
            return others, hung, _peak(process.pid) - idle


async def _call(client: Client, tool: str) -> AnsweredClaim:
    began = time.perf_counter()
    result = await client.call_tool(tool, {})
    seconds = time.perf_counter() - began
    if result.is_error or result.structured_content is None:
        return AnsweredClaim(seconds, "error")
    told: dict[str, Any] = result.structured_content
    return AnsweredClaim(seconds, told.get("verdict") or ("complete" if told["complete"] else "incomplete"))


def _peak(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) * 1_024 for line in status.splitlines() if line.startswith("VmHWM:"))


if __name__ == "__main__":
    print(run(), file=sys.stderr)
