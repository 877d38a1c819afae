"""The practice registry on a loopback port."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus

from sandbox.calls import Call, Calls
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.registry import http, service
from sandbox.registry.http import Request, Response
from sandbox.registry.store import Registry


@asynccontextmanager
async def serve_registry(
    registry: Registry, *, clock: Clock, faults: Faults, calls: Calls, host: str = "127.0.0.1", port: int = 0
) -> AsyncGenerator[str]:
    """Serve a registry while entered, on a free port unless one is given; gives ``host:port``.

    Its methods, for faults and in the record of calls, are ``GetVersion``, ``GetManifest``, ``GetBlob`` and
    ``ListTags``. A fault's ``cut_after`` counts bytes of the body here.
    """
    conversations: set[asyncio.Task[None]] = set()
    door = _Door(registry, clock, faults, calls)

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.ensure_future(door.talk(reader, writer))
        conversations.add(conversation)
        conversation.add_done_callback(conversations.discard)

    server = await asyncio.start_server(connected, host, port)
    try:
        yield f"{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for conversation in tuple(conversations):
            conversation.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        await server.wait_closed()


class _Door:
    """What all connections share."""

    def __init__(self, registry: Registry, clock: Clock, faults: Faults, calls: Calls) -> None:
        self._registry = registry
        self._clock = clock
        self._faults = faults
        self._calls = calls

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a connection's requests, one after the other, until either side has had enough."""
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(reader, writer):
                    pass
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            request = await http.read(reader)
        except http.NoRequestError as error:
            response = Response(HTTPStatus.BAD_REQUEST, str(error).encode(), "text/plain")
            return await http.write(writer, response, head_only=False, keeps=False)
        if request is None:
            return False
        response = await self._answer(request, reader)
        if response is None:
            return False
        return await http.write(writer, response, head_only=request.method == "HEAD", keeps=request.keeps)

    async def _answer(self, request: Request, reader: asyncio.StreamReader) -> Response | None:
        """The response, or None if there is to be none."""
        method, answer = service.route(request)
        call = Call(method, self._clock.now(), f"{request.method} {request.path}", service="registry")
        self._calls.append(call)
        with _ending(call):
            fault = self._faults.take(method)
            if fault is not None:
                await asyncio.sleep(fault.latency)
                if fault.hang:
                    await _until_gone(reader)
                    return None
                if fault.status is not None and fault.cut_after is None:
                    call.status = fault.status
                    return service.refusal(fault)
            response = answer(self._registry)
            call.status = _status(response, fault)
            return response if fault is None else _cut(response, fault)


@contextmanager
def _ending(call: Call) -> Generator[None]:
    """A call ends as CANCELLED unless something else is written down."""
    try:
        yield
    finally:
        call.status = call.status or "CANCELLED"


async def _until_gone(reader: asyncio.StreamReader) -> None:
    while await reader.read(1024):
        pass


def _cut(response: Response, fault: Fault) -> Response:
    return Response(response.status, response.body, response.media_type, response.headers, fault.cut_after)


def _status(response: Response, fault: Fault | None) -> str:
    if fault is not None and fault.cut_after is not None and fault.status is not None:
        return fault.status
    return "OK" if response.status == HTTPStatus.OK else response.status.name
