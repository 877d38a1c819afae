"""Writes down what a client is told of the tools, for the test that compares every word of it."""

import asyncio
import json

from support.mcp_world import client_of
from support.paths import TOOLS as SNAPSHOT


async def snapshot() -> str:
    """All tools as they go over the wire."""
    async with client_of({}) as client:
        tools = (await client.list_tools()).tools
    told = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    return json.dumps(told, indent=2) + "\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(asyncio.run(snapshot()), "utf-8")
