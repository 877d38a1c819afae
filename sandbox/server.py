"""The practice cloud on a loopback port."""

import asyncio
import contextlib
import threading
from collections.abc import Generator
from types import TracebackType
from typing import Final, Self

import grpc
import grpc.aio

from sandbox.firestore import service as firestore
from sandbox.genesis import build
from sandbox.rpc import Endpoint
from sandbox.scenario import Scenario
from sandbox.world import World

_MAX_MESSAGE: Final = 4 * 1024 * 1024
_TICK: Final = 0.25


class Sandbox:
    """Serves a world while it is entered; its processors go on working.

    Args:
        world: what is served.
        host: where to listen.
        port: the port for Firestore; a free one unless given.
    """

    def __init__(self, world: World, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.world = world
        self._host = host
        self._port = port
        self._server: grpc.aio.Server | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def firestore_address(self) -> str:
        """``host:port`` of Firestore."""
        return f"{self._host}:{self._port}"

    def environment(self) -> dict[str, str]:
        """What to set in a process's environment, so that its clients come here."""
        return {"FIRESTORE_EMULATOR_HOST": self.firestore_address}

    async def __aenter__(self) -> Self:
        services = {firestore.NAME: firestore.methods(self.world.firestore)}
        endpoint = Endpoint(services, clock=self.world.clock, faults=self.world.faults, calls=self.world.calls)
        options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", _MAX_MESSAGE)]
        self._server = grpc.aio.server(handlers=[endpoint], options=options)
        self._port = self._server.add_insecure_port(self.firestore_address)
        await self._server.start()
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticking
        if self._server is not None:
            await self._server.stop(grace=None)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self.world.tick()


@contextlib.contextmanager
def running(told: World | Scenario | str, *, host: str = "127.0.0.1", port: int = 0) -> Generator[Sandbox]:
    """Serve a world, or the world of a scenario, from a thread of its own: for callers without an event loop."""
    sandbox = Sandbox(told if isinstance(told, World) else build(told), host=host, port=port)
    ready, done = threading.Event(), threading.Event()
    failure: list[BaseException] = []

    async def serve() -> None:
        async with sandbox:
            ready.set()
            await asyncio.to_thread(done.wait)

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failure.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work, name="sandbox")
    thread.start()
    ready.wait()
    try:
        if not failure:
            yield sandbox
    finally:
        done.set()
        thread.join()
    if failure:
        raise failure[0]
