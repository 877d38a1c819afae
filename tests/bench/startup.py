"""From starting a server over stdio to its list of tools: ours against one that has a single tool and nothing else."""

import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Final

from mcp import Client, StdioServerParameters

ROUNDS: Final = 7
SERVERS: Final = {
    "ours": StdioServerParameters(command=str(Path(sys.executable).parent / "validate-daily"), args=["mcp"]),
    "bare": StdioServerParameters(command=sys.executable, args=[str(Path(__file__).with_name("bare_server.py"))]),
}


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure both, in turn, and print medians."""
    runs: dict[str, list[float]] = {name: [] for name in SERVERS}
    for _ in range(rounds):
        for name, server in SERVERS.items():
            runs[name].append(asyncio.run(_listed(server)))
    ours, bare = (statistics.median(runs[name]) for name in SERVERS)
    print(f"start over stdio to the list of tools, medians of {rounds} rounds")
    print(f"{'ours, s':<28}{ours:>8.2f}")
    print(f"{'one bare tool, s':<28}{bare:>8.2f}")
    print(f"{'ratio':<28}{ours / bare:>8.2f}")
    return {"ours_s": ours, "bare_s": bare, "ratio": ours / bare}


async def _listed(server: StdioServerParameters) -> float:
    began = time.perf_counter()
    async with Client(server) as client:
        await client.list_tools()
        return time.perf_counter() - began


if __name__ == "__main__":
    print(run(), file=sys.stderr)
