"""A gRPC server of one's own: for each method a function of the request; what it raises is the status of the call."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NoReturn

import grpc
import grpc.aio

Answer = Callable[[bytes], Awaitable[bytes]]

STATUSES = [
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "INTERNAL",
    "UNAUTHENTICATED",
]
"""How Google's services fail."""


class StatusError(Exception):
    """Ends a call with this status."""

    def __init__(self, status: str, message: str = "a fault on purpose") -> None:
        super().__init__(message)
        self.status = status


@asynccontextmanager
async def stand_in(answers: Mapping[str, Answer]) -> AsyncGenerator[str]:
    """Serve ``package.Service/Method`` by these functions, and yield ``host:port``."""
    tables: dict[str, dict[str, grpc.RpcMethodHandler[bytes, bytes]]] = {}
    for path, answer in answers.items():
        service, _, method = path.partition("/")
        tables.setdefault(service, {})[method] = grpc.unary_unary_rpc_method_handler(_handler(answer))
    handlers = [grpc.method_handlers_generic_handler(service, table) for service, table in tables.items()]
    server = grpc.aio.server(handlers=handlers)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(grace=None)


def fails(status: str) -> Answer:
    """Always this status."""

    async def answer(request: bytes) -> NoReturn:
        raise StatusError(status)

    return answer


async def hangs(request: bytes) -> NoReturn:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def garbage(request: bytes) -> bytes:
    """No message of anybody's."""
    return b"\xff\xff\xff\xff garbage"


def _handler(answer: Answer) -> Callable[[bytes, grpc.aio.ServicerContext[bytes, bytes]], Awaitable[bytes]]:
    async def handle(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        try:
            return await answer(request)
        except StatusError as error:
            await context.abort(grpc.StatusCode[error.status], str(error))

    return handle
