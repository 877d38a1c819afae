"""Brings a layer from the event loop into the thread that unpacks it, and holds it to its size and its digest."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError, Future
from typing import TypeVar

from checks.sources.errors import SourceError
from checks.sources.registry.image.manifest import Blob
from checks.sources.registry.tags import NO_REGISTRY

T = TypeVar("T")


class Pipe:
    """One layer on its way. Made inside the running loop; ``read`` is called in the thread that ``through`` starts."""

    def __init__(self, chunks: AsyncIterator[bytes], blob: Blob) -> None:
        self._loop = asyncio.get_running_loop()
        self._chunks = chunks
        self._blob = blob
        self._seen = hashlib.sha256()
        self._count = 0
        self._chunk = b""
        self._at = 0
        self._waiting: Future[bytes] | None = None
        self._stopped = False

    async def through(self, work: Callable[["Pipe"], T]) -> T:
        """Do work in a thread that reads from here; then read on to the end, and verify.

        Raises:
            SourceError: the bytes are not those of the digest; or as ``work`` does.
            GoogleAPICallError, TimeoutError: as reading does.
        """
        try:
            return await asyncio.to_thread(self._work, work)
        finally:
            self._stopped = True
            if self._waiting is not None:
                self._waiting.cancel()

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        if self._at == len(self._chunk):
            self._chunk, self._at = self._next(), 0
        data = self._chunk[self._at : self._at + size]
        self._at += len(data)
        return data

    def _work(self, work: Callable[["Pipe"], T]) -> T:
        done = work(self)
        while self._next():
            pass
        digest = f"sha256:{self._seen.hexdigest()}"
        if self._count != self._blob.size or digest != self._blob.digest:
            raise SourceError(
                f"the bytes that came are not those of {self._blob.digest} ({self._count:,} of {self._blob.size:,})",
                NO_REGISTRY,
            )
        return done

    def _next(self) -> bytes:
        if self._stopped:
            raise SourceError("the reading was stopped", "try again")
        self._waiting = asyncio.run_coroutine_threadsafe(self._receive(), self._loop)
        try:
            chunk = self._waiting.result()
        except CancelledError:
            raise SourceError("the reading was stopped", "try again") from None
        self._seen.update(chunk)
        self._count += len(chunk)
        if self._count > self._blob.size:
            raise SourceError(
                f"{self._blob.digest[:19]} has more bytes than its manifest says ({self._blob.size:,})", NO_REGISTRY
            )
        return chunk

    async def _receive(self) -> bytes:
        async for chunk in self._chunks:
            if chunk:
                return chunk
        return b""
