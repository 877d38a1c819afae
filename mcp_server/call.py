"""One tool call's look at the pipeline: its settings as they are now, the shared way to Google, and a time to keep."""

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict

from mcp.server.mcpserver.context import Context
from mcp.server.mcpserver.exceptions import ToolError

from checks.ask.snapshot import check, collect, target_of
from checks.evidence.snapshot import Snapshot
from checks.judge.report import Report
from checks.judge.rule import Rule
from checks.settings.pipeline import Pipeline
from checks.settings.sources import SourceName
from checks.sources.progress import Progress
from checks.sources.shared_connections import SharedLogin
from mcp_server.answers.answer import Searched
from mcp_server.progress import client_progress
from mcp_server.state import ServerState


class Means(TypedDict):
    """What every question takes: the shared session, seconds, and where addresses are looked up."""

    session: SharedLogin
    timeout: float
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What one call looks at, and with what.

    Attributes:
        pipeline: the settings.
        state: what the server keeps.
        progress: told how far a long read is.
        now: when the call began, by this machine's clock.
    """

    pipeline: Pipeline
    state: ServerState
    progress: Progress
    now: datetime

    @property
    def means(self) -> Means:
        """How to look."""
        return {"session": self.state.session, "timeout": self.state.timeout, "environment": self.state.environment}

    async def report(self, rules: Iterable[Rule]) -> Report:
        """A check by these rules."""
        return await check(self.pipeline, rules=rules, progress=self.progress, **self.means)

    async def collect(self, sources: Collection[SourceName]) -> Snapshot:
        """What these sources tell."""
        return await collect(self.pipeline, sources=sources, progress=self.progress, **self.means)

    def need(self, source: SourceName) -> None:
        """Make sure that a source may be asked.

        Raises:
            ToolError: the settings leave it out.
        """
        if why := self.pipeline.unasked.get(source):
            raise ToolError(f"{source} is not looked at: {why}")

    async def census(self, as_of: datetime | None) -> Snapshot:
        """The heartbeats alone, now or as of an earlier read time."""
        kept = self.state.kept_census(self.pipeline, as_of)
        if kept is not None:
            return kept
        snapshot = await collect(
            self.pipeline, sources=("firestore",), as_of=as_of, progress=self.progress, **self.means
        )
        return self.state.keep_census(snapshot)

    def practice(self, source: SourceName) -> bool:
        """Whether a source is an emulator or a sandbox."""
        return target_of(self.pipeline, source, self.state.environment).practice

    def searched(self, source: SourceName, since: datetime | None = None, until: datetime | None = None) -> Searched:
        """Where a source was asked, and in which window."""
        target = target_of(self.pipeline, source, self.state.environment)
        return Searched(source=source, where=target.resource, since=since, until=until or self.now)


@asynccontextmanager
async def tool_call(ctx: Context[ServerState, Any], *sources: SourceName) -> AsyncGenerator[ToolCall]:
    """Begin a look at these sources, when its turn has come.

    Raises:
        SettingsError: there are no usable settings; the text says what to do.
        ToolError: too many calls wait for the same sources.
    """
    state = ctx.request_context.lifespan_context
    pipeline = state.settings().pipeline
    async with state.turn(sources), client_progress(ctx) as progress:
        yield ToolCall(pipeline, state, progress, datetime.now(UTC))
