"""Tells a client how far a long read is: the newest word only, in growing order, nothing once the answer is there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from mcp.server.mcpserver.context import Context

from checks.sources.progress import Progress


@asynccontextmanager
async def client_progress(ctx: Context[Any, Any]) -> AsyncGenerator[Progress]:
    """A progress that reaches the client, if it asked for one; what it cannot take in time is left out."""
    words: asyncio.Queue[tuple[str, int, int | None]] = asyncio.Queue(maxsize=1)

    def tell(what: str, done: int, total: int | None) -> None:
        with suppress(asyncio.QueueEmpty):
            words.get_nowait()
        words.put_nowait((what, done, total))

    async def send() -> None:
        step = 0
        while True:
            what, done, total = await words.get()
            step += 1
            count = f": {done:,}" + (f" of {total:,}" if total is not None else "") if done else ""
            await ctx.report_progress(step, None, f"{what}{count}")

    sending = asyncio.create_task(send())
    try:
        yield tell
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
