"""Reads a long answer of a server in a thread of its own, and hands it to the event loop in batches.

gRPC's asyncio stream wakes the loop twice for each message: a hundred thousand of them took seven seconds on two cores.
Its blocking stream that polls for itself took three and a half, and a quarter of the processor's time.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from google.api_core import exceptions
from grpc import RpcError

_MOST: Final = 4_096
"""Messages that may wait to be taken: the thread reads on only when there are fewer."""


class Stream(Protocol):
    """A call under way, as gRPC's blocking stubs return it."""

    def __iter__(self) -> "Stream":
        """It is its own iterator."""
        ...

    def __next__(self) -> Any:  # noqa: ANN401 - whatever message it is of
        """The next message; waits for it."""
        ...

    def cancel(self) -> bool:
        """Give it up; whoever waits for a message is told."""
        ...


async def batches(
    start: Callable[[], Stream], read: Callable[[Any], Any] = lambda message: message
) -> AsyncGenerator[list[Any]]:
    """The messages of a blocking call as they come, as many at once as have come meanwhile.

    Left early, or cancelled, it gives the call up.

    Args:
        start: begins the call; runs in the thread.
        read: makes a message of what comes; runs in the thread.

    Raises:
        exceptions.GoogleAPICallError: the call failed; what came before was handed over.
    """
    pipe = _Pipe(asyncio.get_running_loop())
    threading.Thread(target=pipe.pump, args=(start, read), name="long stream", daemon=True).start()
    try:
        while not pipe.done:
            await pipe.changed.wait()
            if batch := pipe.take():
                yield batch
    finally:
        pipe.close()
    if isinstance(pipe.failure, RpcError):
        raise exceptions.from_grpc_error(pipe.failure) from pipe.failure
    if pipe.failure is not None:
        raise pipe.failure


@dataclass(slots=True)
class _Pipe:
    """What the thread and the loop share. Only the thread puts messages in, only the loop takes them out.

    Attributes:
        loop: the loop that takes.
        told: set when there is something to take, or nothing more will come.
        failure: why nothing more comes, where it is an error.
    """

    loop: asyncio.AbstractEventLoop
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None
    _waiting: deque[Any] = field(default_factory=deque[Any])
    _room: threading.Event = field(default_factory=threading.Event)
    _call: Stream | None = None
    _called: bool = False
    _ended: bool = False
    _closed: bool = False

    @property
    def done(self) -> bool:
        """Nothing more comes, and all was taken."""
        return self._ended and not self._waiting

    def pump(self, start: Callable[[], Stream], read: Callable[[Any], Any]) -> None:
        """In the thread: read until the end, an error, or nobody wants more."""
        try:
            self._call = start()
            for message in self._call:
                self._waiting.append(read(message))
                self._signal()
                if not self._go_on():
                    break
        except Exception as error:  # noqa: BLE001 - raised again by whoever takes
            self.failure = error
        finally:
            self._ended = True
            self._called = False
            self._signal()

    def take(self) -> list[Any]:
        """In the loop: all that waits."""
        self.changed.clear()
        self._called = False  # whatever is put in from here on tells again
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        self._room.set()
        if self.done:
            self.changed.set()
        return batch

    def close(self) -> None:
        """In the loop: nobody wants more."""
        self._closed = True
        self._room.set()
        if self._call is not None and not self._ended:
            self._call.cancel()

    def _go_on(self) -> bool:
        """Wait until there is room; whether to read on."""
        if len(self._waiting) >= _MOST:
            self._room.clear()
            if len(self._waiting) >= _MOST and not self._closed:
                self._room.wait()
        return not self._closed

    def _signal(self) -> None:
        if not self._called:
            self._called = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
                self.loop.call_soon_threadsafe(self.changed.set)
