"""A way to Firestore that falsifies: it passes every call on to the practice cloud, and changes what comes back."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import grpc.aio
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    RunQueryRequest,
    RunQueryResponse,
)
from google.protobuf.timestamp_pb2 import Timestamp

Answers = list[Any]
"""The messages of one answer, as plain protobuf; bytes among them are sent as they are."""

Lie = Callable[[str, Answers], Answers]
"""What a method's answers become: ``RunQuery`` and all that it said, and what is told instead."""

if TYPE_CHECKING:
    _Context = grpc.aio.ServicerContext[bytes, bytes]  # no class to be asked for at run time

GARBAGE: Final = b"\xff\xff\xff this is no message"
METHODS: Final[dict[str, tuple[Any, Any]]] = {
    "RunQuery": (RunQueryRequest, RunQueryResponse),
    "RunAggregationQuery": (RunAggregationQueryRequest, RunAggregationQueryResponse),
    "BatchGetDocuments": (BatchGetDocumentsRequest, BatchGetDocumentsResponse),
}


def honest(method: str, answers: Answers) -> Answers:
    """No lie."""
    return answers


@asynccontextmanager
async def falsified(
    address: str, lie: Lie = honest, *, shift: timedelta = timedelta(), linger: float = 0.0
) -> AsyncGenerator[str]:
    """Serve the Firestore at an address, falsified; yields the address to ask.

    Args:
        address: the practice cloud's Firestore.
        lie: what becomes of the answers.
        shift: how far every read time is moved; a read time that a request names is moved back.
        linger: seconds that a listing stays open after its last document.
    """
    async with grpc.aio.insecure_channel(address) as honest_way:

        def falsify(method: str) -> "grpc.RpcMethodHandler[bytes, bytes]":
            asked_type, answer_type = (each.pb() for each in METHODS[method])

            async def serve(request: bytes, context: "_Context") -> AsyncIterator[bytes]:
                asked = asked_type.FromString(request)
                if asked.HasField("read_time"):
                    _move(asked.read_time, -shift)
                call: Any = honest_way.unary_stream(f"/google.firestore.v1.Firestore/{method}")
                try:
                    answers = [
                        answer_type.FromString(each)
                        async for each in call(asked.SerializeToString(), metadata=_metadata(context))
                    ]
                except grpc.aio.AioRpcError as error:
                    await context.abort(error.code(), error.details() or "")
                for answer in answers:
                    if answer.HasField("read_time"):
                        _move(answer.read_time, shift)
                for answer in lie(method, answers):
                    yield answer if isinstance(answer, bytes) else answer.SerializeToString()
                if method == "RunQuery":
                    await asyncio.sleep(linger)

            return grpc.unary_stream_rpc_method_handler(serve)

        handlers = {method: falsify(method) for method in METHODS}
        generic = grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", handlers)
        server = grpc.aio.server(handlers=[generic])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            await server.stop(grace=None)


def renamed(old: str, new: str) -> Lie:
    """Every document's name says something else than what was asked for."""

    def lie(method: str, answers: Answers) -> Answers:
        for document in documents(answers):
            document.name = document.name.replace(old, new)
        return answers

    return lie


def twice(method: str, answers: Answers) -> Answers:
    """Every document comes twice, and the count agrees."""
    if method == "RunAggregationQuery":
        for answer in answers:
            answer.result.aggregate_fields["total"].integer_value *= 2
        return answers
    return [again for answer in answers for again in ([answer, answer] if documents([answer]) else [answer])]


def garbage(*methods: str) -> Lie:
    """The answers of these methods are bytes that are no message."""
    return lambda method, answers: [GARBAGE] if method in methods else answers


def documents(answers: Sequence[Any]) -> list[Any]:
    """The documents among these answers, to be changed in place."""
    told = (getattr(answer, "document", None) or getattr(answer, "found", None) for answer in answers)
    return [each for each in told if each is not None and each.name]


def _metadata(context: "_Context") -> tuple[tuple[str, str], ...]:
    kept = {"google-cloud-resource-prefix", "authorization", "x-goog-request-params"}
    return tuple((key, str(value)) for key, value in context.invocation_metadata() or () if key in kept)


def _move(stamp: Timestamp, by: timedelta) -> None:
    stamp.seconds += int(by.total_seconds())
