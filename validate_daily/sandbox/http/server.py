"""A site on a loopback port, with faults before its answers and a record of every call."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Protocol

from validate_daily.sandbox.calls import Call, Calls, Side
from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.errors import RefusedError
from validate_daily.sandbox.faults import Fault, Faults
from validate_daily.sandbox.http import messages
from validate_daily.sandbox.http.messages import Request, Response


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request leads.

    Attributes:
        side: which of the practice cloud's services answers.
        method: the name that faults and the record of calls use.
        answer: what the answer is; a RefusedError is told in the site's own words.
    """

    side: Side
    method: str
    answer: Callable[[Call], Response]


class Site(Protocol):
    """What answers at a port."""

    def route(self, request: Request) -> Route:
        """Where a request leads; every request leads somewhere."""
        ...

    def refusal(self, status: str, message: str) -> Response:
        """How the site says a gRPC status."""
        ...


@asynccontextmanager
async def serve(
    site: Site, *, clock: Clock, faults: Faults, calls: Calls, host: str = "127.0.0.1", port: int = 0
) -> AsyncGenerator[str]:
    """Serve a site while entered, on a free port unless one is given; gives ``host:port``.

    A fault's ``cut_after`` counts bytes of the body here.
    """
    conversations: set[asyncio.Task[None]] = set()
    door = _Door(site, clock, faults, calls)

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.ensure_future(door.talk(reader, writer))
        conversations.add(conversation)
        conversation.add_done_callback(conversations.discard)
        conversation.add_done_callback(lambda _: writer.transport.abort())  # cancelled before its first step, too

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

    def __init__(self, site: Site, clock: Clock, faults: Faults, calls: Calls) -> None:
        self._site = site
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
            request = await messages.read(reader)
        except messages.NoRequestError as error:
            response = Response(HTTPStatus.BAD_REQUEST, str(error).encode(), "text/plain")
            return await messages.write(writer, response, head_only=False, keeps=False)
        if request is None:
            return False
        response = await self._answer(request, reader)
        if response is None:
            return False
        return await messages.write(writer, response, head_only=request.method == "HEAD", keeps=request.keeps)

    async def _answer(self, request: Request, reader: asyncio.StreamReader) -> Response | None:
        """The response, or None if there is to be none."""
        route = self._site.route(request)
        call = Call(route.method, self._clock.now(), f"{request.method} {request.path}", service=route.side)
        self._calls.append(call)
        fault = self._faults.of(route.side).take(route.method)
        with _recorded(call):
            if fault is not None:
                await asyncio.sleep(fault.latency)
                if fault.hang:
                    await _until_gone(reader)
                    return None
            try:
                response = _respond(route, fault, call)
            except RefusedError as error:
                call.status = error.status
                return self._site.refusal(error.status, error.message)
            call.status = _status(response, fault)
            return response


@contextmanager
def _recorded(call: Call) -> Generator[None]:
    """A call ends as CANCELLED unless something else is written down."""
    try:
        yield
    finally:
        call.status = call.status or "CANCELLED"


async def _until_gone(reader: asyncio.StreamReader) -> None:
    while await reader.read(1024):
        pass


def _respond(route: Route, fault: Fault | None, call: Call) -> Response:
    if fault is None:
        return route.answer(call)
    if fault.status is not None and fault.cut_after is None:
        raise RefusedError(fault.status, fault.message)
    return replace(route.answer(call), cut_after=fault.cut_after)


def _status(response: Response, fault: Fault | None) -> str:
    if fault is not None and fault.cut_after is not None and fault.status is not None:
        return fault.status
    return "OK" if response.status == HTTPStatus.OK else response.status.name
