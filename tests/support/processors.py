"""A processor in a test: its store, its clock, and what it said; for threads or for asyncio."""

import asyncio
import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from heartbeat import AsyncProcessorHeartbeat, ProcessorHeartbeat

NAME = "PlayerGameSummaryProcessor"
NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)


class Memory:
    """A store that fails with the given errors, one after the other, and then keeps what it is given."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures: list[BaseException] = list(failures)
        self.documents: dict[str, dict[str, object]] = {}
        self.timeouts: list[float] = []

    def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:
        self.timeouts.append(timeout)
        if self.failures:
            raise self.failures.pop(0)
        self.documents[document_id] = dict(fields)


class AsyncMemory:
    """The same store for asyncio."""

    def __init__(self, memory: Memory, *, stalled: bool = False) -> None:
        self._memory = memory
        self._open = asyncio.Event()
        if not stalled:
            self._open.set()

    async def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:  # noqa: ASYNC109 - the protocol's own
        await self._open.wait()
        self._memory.write(document_id, fields, timeout=timeout)


class World:
    """One processor, its store, and what it said; for threads or for asyncio."""

    def __init__(self, mode: Literal["threads", "asyncio"]) -> None:
        self.mode = mode
        self.memory = Memory()
        self.said = io.StringIO()

    def processor(self, name: str = NAME, **arguments: Any) -> Callable[..., bool]:
        arguments = {"stream": self.said, "first_pause": 0.001, "clock": lambda: NOON} | arguments
        if self.mode == "threads":
            return ProcessorHeartbeat(name, store=self.memory, **arguments).beat
        beat = AsyncProcessorHeartbeat(name, store=AsyncMemory(self.memory), **arguments).beat
        return lambda *args, **kwargs: asyncio.run(beat(*args, **kwargs))

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said.getvalue().splitlines()]
