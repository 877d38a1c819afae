"""One way to Google for many reads: a login whose connections are opened once, shared, and closed at the end."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from typing_extensions import override

from checks.sources.credentials import Login, Opened

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

T = TypeVar("T")


@dataclass(slots=True)
class SharedLogin(Login):
    """A login for as long as it is entered, inside one running loop. Safe for any number of reads at the same time."""

    _kept: dict[str, Any] = field(default_factory=dict[str, Any])
    _opening: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.clear()
        await self._stack.aclose()

    @override
    async def credentials(self) -> "Credentials":
        """The application's default credentials; where there were none, they are looked for again.

        Raises:
            SourceError: there are none that can be used.
        """
        if self._found is not None and self._found.done() and (self._found.cancelled() or self._found.exception()):
            self._found = None
        return await Login.credentials(self)

    @override
    def opening(self, what: str, opened: Opened[T]) -> AbstractAsyncContextManager[T]:
        """The one connection of this name; it stays open until the session ends."""
        return self._shared(what, opened)

    @asynccontextmanager
    async def _shared(self, what: str, opened: Opened[T]) -> AsyncGenerator[T]:
        async with self._opening[what]:
            if what not in self._kept:
                self._kept[what] = await self._stack.enter_async_context(opened())
        yield self._kept[what]
