"""The practice cloud on loopback: Firestore, Cloud Run, Cloud Logging and the registry, each on a port of its own.

One more port is for gcloud, which asks Cloud Run and Cloud Logging over HTTP.
"""

import asyncio
import contextlib
import threading
from collections.abc import Generator, Mapping
from types import TracebackType
from typing import Final, Self

import grpc
import grpc.aio

from validate_daily.sandbox.calls import Side
from validate_daily.sandbox.firestore.methods.table import FIRESTORE, firestore_methods
from validate_daily.sandbox.genesis import build
from validate_daily.sandbox.logging.service import LOGGING, logging_methods
from validate_daily.sandbox.registry.server import serve_registry
from validate_daily.sandbox.rest.environment import gcloud_environment
from validate_daily.sandbox.rest.server import serve_rest
from validate_daily.sandbox.rpc import Endpoint, Table
from validate_daily.sandbox.run.service import run_tables
from validate_daily.sandbox.scenario import Scenario
from validate_daily.sandbox.world import World

_MAX_MESSAGE: Final = 4 * 1024 * 1024
_TICK: Final = 0.25


class Sandbox:
    """Serves a world while it is entered; its processors go on working.

    Args:
        world: what is served.
        host: where to listen.
        port: the port for Firestore; a free one unless given. All other services have free ports.
    """

    def __init__(self, world: World, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.world = world
        self._host = host
        self._ports: dict[Side, int] = {"firestore": port}
        self._rest_address = ""
        self._stack = contextlib.AsyncExitStack()

    @property
    def firestore_address(self) -> str:
        """``host:port`` of Firestore."""
        return self.address("firestore")

    @property
    def run_address(self) -> str:
        """``host:port`` of Cloud Run."""
        return self.address("run")

    @property
    def logging_address(self) -> str:
        """``host:port`` of Cloud Logging."""
        return self.address("logging")

    @property
    def registry_address(self) -> str:
        """``host:port`` of the registry."""
        return self.address("registry")

    def address(self, side: Side) -> str:
        """``host:port`` of a service."""
        return f"{self._host}:{self._ports.get(side, 0)}"

    def environment(self) -> dict[str, str]:
        """What to set in a process's environment, so that its clients come here."""
        return {
            "FIRESTORE_EMULATOR_HOST": self.firestore_address,
            "VALIDATE_DAILY_RUN_ENDPOINT": self.run_address,
            "VALIDATE_DAILY_LOGGING_ENDPOINT": self.logging_address,
            "VALIDATE_DAILY_REGISTRY_ENDPOINT": self.registry_address,
        }

    def gcloud_environment(self) -> dict[str, str]:
        """What to set in gcloud's environment, so that it comes here. CLOUDSDK_CONFIG is the caller's."""
        return gcloud_environment(
            self._rest_address, project=self.world.pipeline.project, region=self.world.pipeline.region
        )

    async def __aenter__(self) -> Self:
        world = self.world
        logs = logging_methods(world.logs)
        async with contextlib.AsyncExitStack() as stack:
            await self._serve(stack, "firestore", {FIRESTORE: firestore_methods(world.firestore)})
            await self._serve(stack, "run", run_tables(world.run, world.tick))
            await self._serve(stack, "logging", {LOGGING: logs})
            registry = serve_registry(
                world.registry,
                clock=world.clock,
                faults=world.faults.of("registry"),
                calls=world.calls,
                host=self._host,
            )
            address = await stack.enter_async_context(registry)
            self._ports["registry"] = int(address.rpartition(":")[2])
            rest = serve_rest(
                world.run,
                logs,
                settle=world.tick,
                clock=world.clock,
                faults=world.faults,
                calls=world.calls,
                host=self._host,
            )
            self._rest_address = await stack.enter_async_context(rest)
            ticking = asyncio.create_task(self._tick())
            stack.push_async_callback(_cancel, ticking)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _serve(self, stack: contextlib.AsyncExitStack, side: Side, services: Mapping[str, Table]) -> None:
        """Serve one side on a port of its own."""
        world = self.world
        endpoint = Endpoint(side, services, clock=world.clock, faults=world.faults, calls=world.calls)
        options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", _MAX_MESSAGE)]
        server = grpc.aio.server(handlers=[endpoint], options=options)
        self._ports[side] = server.add_insecure_port(self.address(side))
        await server.start()
        stack.push_async_callback(server.stop, None)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self.world.tick()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


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
