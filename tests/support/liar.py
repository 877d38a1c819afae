"""A server that speaks Firestore's protocol and lies: every answer is what the test says it is."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc.aio
from google.cloud.firestore_v1.types import (
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    RunQueryRequest,
    RunQueryResponse,
)


@asynccontextmanager
async def liar(
    counts: Sequence[RunAggregationQueryResponse], documents: Sequence[RunQueryResponse]
) -> AsyncGenerator[dict[str, str]]:
    """Serve these two answers to whoever counts and lists; yields the environment that leads there."""

    async def count(request: bytes, context: object) -> AsyncIterator[bytes]:
        RunAggregationQueryRequest.deserialize(request)
        for response in counts:
            yield RunAggregationQueryResponse.serialize(response)

    async def listing(request: bytes, context: object) -> AsyncIterator[bytes]:
        RunQueryRequest.deserialize(request)
        for response in documents:
            yield RunQueryResponse.serialize(response)

    handlers = {
        "RunAggregationQuery": grpc.unary_stream_rpc_method_handler(count),
        "RunQuery": grpc.unary_stream_rpc_method_handler(listing),
    }
    server = grpc.aio.server(handlers=[grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield {"FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{port}"}
    finally:
        await server.stop(grace=None)
