"""How the practice services speak gRPC: bytes in, bytes out, with faults before the answer and a record of every call.

A service is a table of methods. Whatever is in no table answers UNIMPLEMENTED with its name.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import grpc
import grpc.aio

from validate_daily.sandbox.calls import Call, Calls, Side
from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.errors import RefusedError
from validate_daily.sandbox.faults import Fault, Faults

Context = grpc.aio.ServicerContext[bytes, bytes]

CLOCK_HEADER: Final = "practice-clock"
"""Says what the world's clock says, which can be set ahead: nobody takes its answers for old ones."""


@dataclass(frozen=True, slots=True)
class Single:
    """A method with one response. ``answer`` reads the request and fills in the call's record."""

    answer: Callable[[bytes, Call], bytes]


@dataclass(frozen=True, slots=True)
class Awaited:
    """A method with one response that takes its time."""

    answer: Callable[[bytes, Call], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Stream:
    """A method with a response per document. All is decided, and refused, before the first is sent."""

    answer: Callable[[bytes, Call], Iterator[bytes]]


Table = Mapping[str, Single | Awaited | Stream]


class Endpoint(grpc.GenericRpcHandler):
    """The services of one port, by full name. All of them are one side of the practice cloud."""

    def __init__(
        self, side: Side, services: Mapping[str, Table], *, clock: Clock, faults: Faults, calls: Calls
    ) -> None:
        self._side: Side = side
        self._methods = {
            f"/{name}/{short}": method for name, table in services.items() for short, method in table.items()
        }
        self._clock = clock
        self._faults = faults.of(side)
        self._calls = calls

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """The handler of a method, known or not."""
        path = handler_call_details.method
        short = path.rpartition("/")[2]
        match self._methods.get(path):
            case Single() | Awaited() as method:
                return grpc.unary_unary_rpc_method_handler(self._single(short, method))
            case Stream() as method:
                return grpc.unary_stream_rpc_method_handler(self._stream(short, method))
            case None:
                return grpc.stream_stream_rpc_method_handler(self._unknown(path))

    def _single(self, name: str, method: Single | Awaited) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def handle(request: bytes, context: Context) -> bytes:
            call = self._begin(name)
            try:
                with _recorded(call):
                    fault = self._faults.take(name)
                    if fault is None or not fault.after:
                        await _suffer(fault)
                    answer = method.answer(request, call)
                    told = answer if isinstance(answer, bytes) else await answer
                    if fault is not None and fault.after:
                        await _suffer(fault)
                    return told
            except RefusedError as error:
                await context.abort(grpc.StatusCode[error.status], error.message)

        return handle

    def _stream(self, name: str, method: Stream) -> Callable[[bytes, Context], Awaitable[None]]:
        async def handle(request: bytes, context: Context) -> None:
            call = self._begin(name)
            fault = self._faults.take(name)
            try:
                with _recorded(call):
                    await _suffer(fault)
                    await context.send_initial_metadata(((CLOCK_HEADER, self._clock.now().isoformat()),))
                    for place, response in enumerate(method.answer(request, call)):
                        if fault is not None and place == fault.cut_after:
                            raise _refusal(fault)
                        await context.write(response)
            except RefusedError as error:
                await context.abort(grpc.StatusCode[error.status], error.message)

        return handle

    def _unknown(self, path: str) -> Callable[[object, Context], Awaitable[None]]:
        async def handle(_requests: object, context: Context) -> None:
            name = path.rpartition("/")[2]
            call = self._begin(name)
            try:
                with _recorded(call):
                    await _suffer(self._faults.take(name))
                    _refuse_unknown(path)
            except RefusedError as error:
                await context.abort(grpc.StatusCode[error.status], error.message)

        return handle

    def _begin(self, name: str) -> Call:
        call = Call(name, self._clock.now(), service=self._side)
        self._calls.append(call)
        return call


@contextmanager
def _recorded(call: Call) -> Generator[None]:
    """Write down how a call ended: answered, refused, or given up by the client."""
    call.status = "CANCELLED"
    try:
        yield
    except RefusedError as error:
        call.status = error.status
        raise
    except Exception:
        call.status = "UNKNOWN"
        raise
    else:
        call.status = "OK"


async def _suffer(fault: Fault | None) -> None:
    if fault is None:
        return
    await asyncio.sleep(fault.latency)
    if fault.hang:
        await asyncio.Event().wait()
    if fault.status is not None and fault.cut_after is None:
        raise _refusal(fault)


def _refuse_unknown(path: str) -> NoReturn:
    raise RefusedError("UNIMPLEMENTED", f"Method {path.lstrip('/')} is unimplemented")


def _refusal(fault: Fault) -> RefusedError:
    return RefusedError(fault.status or "UNKNOWN", fault.message)
