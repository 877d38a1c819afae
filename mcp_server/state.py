"""What a server keeps while it runs: where its settings are, and one way to Google that all calls share."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from mcp.server.mcpserver.exceptions import ToolError

from checks.evidence.snapshot import Snapshot
from checks.settings.file import Settings, load_settings
from checks.settings.pipeline import Pipeline
from checks.settings.sources import SourceName
from checks.sources.shared_connections import SharedLogin
from mcp_server.changes.consent import Refusals

TIMEOUT: Final = 45.0
"""Seconds that one call may look, unless told otherwise: below the minute after which clients give up."""

AT_ONCE: Final = 32
"""Calls to the same sources that run at the same time. A source that hangs holds up only those who ask it."""

_KEPT: Final = 4

WAITING: Final = 512
"""Calls to the same sources that may wait for their turn."""


@dataclass(slots=True)
class ServerState:
    """The state of one server, made inside its event loop.

    Attributes:
        config: the settings file that was named, or None to look for one.
        environment: where addresses and the settings are looked up.
        session: the way to Google that all calls share.
        timeout: seconds that one call may look.
        remote: callers come over HTTP, so that only a token says who they are.
        refusals: what a person said no to.
    """

    config: Path | None
    environment: Mapping[str, str]
    session: SharedLogin
    timeout: float = TIMEOUT
    remote: bool = False
    refusals: Refusals = field(default_factory=Refusals)
    _census: OrderedDict[datetime, Snapshot] = field(default_factory=OrderedDict[datetime, Snapshot])
    _turns: dict[tuple[SourceName, ...], asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
    )
    _waiting: dict[tuple[SourceName, ...], int] = field(default_factory=lambda: defaultdict(int))

    def settings(self) -> Settings:
        """The settings as they are now: mending the file needs no restart.

        Raises:
            SettingsError: there are none, or they are wrong; the text says what to do.
        """
        return load_settings(self.config, self.environment)

    def keep_census(self, snapshot: Snapshot) -> Snapshot:
        """Keep a whole census for the pages that may be asked of it; only the last few."""
        if snapshot.census is not None and snapshot.census.complete:
            self._census[snapshot.taken_at] = snapshot
            while len(self._census) > _KEPT:
                self._census.popitem(last=False)
        return snapshot

    def kept_census(self, pipeline: Pipeline, as_of: datetime | None) -> Snapshot | None:
        """The census of this very read time, which then costs nothing more; None where it is not kept."""
        snapshot = self._census.get(as_of) if as_of else None
        if snapshot is None or snapshot.census is None or snapshot.pipeline != pipeline:
            return None
        return snapshot.model_copy(update={"census": snapshot.census.model_copy(update={"billed_reads": 0})})

    @asynccontextmanager
    async def turn(self, sources: tuple[SourceName, ...]) -> AsyncGenerator[None]:
        """Wait for the turn of a call that asks these sources.

        Raises:
            ToolError: too many calls wait already.
        """
        if self._waiting[sources] >= WAITING:
            raise ToolError(f"{WAITING} calls that ask {', '.join(sources)} wait already; try again in a minute")
        self._waiting[sources] += 1
        try:
            await self._turns[sources].acquire()
        finally:
            self._waiting[sources] -= 1
        try:
            yield
        finally:
            self._turns[sources].release()
