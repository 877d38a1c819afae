"""What a server keeps while it runs: where its settings are, and one way to Google that all calls share."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mcp.server.mcpserver.exceptions import ToolError

from checks.settings import Settings, load_settings

AT_ONCE: Final = 32
"""Calls of one tool that run at the same time. A source that hangs holds up only the tools that ask it."""

WAITING: Final = 512
"""Calls of one tool that may wait for their turn."""


@dataclass(slots=True)
class State:
    """The state of one server, made inside its event loop.

    Attributes:
        config: the settings file that was named, or None to look for one.
        environment: where addresses and the settings are looked up.
    """

    config: Path | None
    environment: Mapping[str, str]
    _turns: dict[str, asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
    )
    _waiting: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def settings(self) -> Settings:
        """The settings as they are now: mending the file needs no restart.

        Raises:
            SettingsError: there are none, or they are wrong; the text says what to do.
        """
        return load_settings(self.config, self.environment)

    @asynccontextmanager
    async def turn(self, tool: str) -> AsyncGenerator[None]:
        """Wait for a tool's turn.

        Raises:
            ToolError: too many calls wait already.
        """
        if self._waiting[tool] >= WAITING:
            raise ToolError(f"{tool}: {WAITING} calls wait already; try again in a minute")
        self._waiting[tool] += 1
        try:
            await self._turns[tool].acquire()
        finally:
            self._waiting[tool] -= 1
        try:
            yield
        finally:
            self._turns[tool].release()
