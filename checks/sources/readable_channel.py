"""A gRPC channel whose answers can be read, or fail as a call fails: what is no message is an error with a status.

gRPC's own asyncio channel logs a traceback for such bytes and hands None to the caller. Here they are taken apart
outside of gRPC, for every method of every client that uses the channel.
"""

from collections.abc import AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING, Any, Final, Self

import grpc
import grpc.aio
from google.api_core import exceptions

Grpc = Any
"""What gRPC takes and returns: its two kinds of stubs share no type, and the messages are made at run time."""

Read = Callable[[bytes], Any]
"""From an answer's bytes to a message; raises whatever it likes for bytes that are none."""

if TYPE_CHECKING:
    _UnaryBase = grpc.aio.UnaryUnaryMultiCallable[Any, Any]
    _StreamBase = grpc.aio.UnaryStreamMultiCallable[Any, Any]
else:  # there, they take no types
    _UnaryBase, _StreamBase = grpc.aio.UnaryUnaryMultiCallable, grpc.aio.UnaryStreamMultiCallable

_UNREADABLE: Final = "the answer is no message of this service"


class UnreadableAnswerError(exceptions.DataLoss):
    """A server answered with bytes that are no message."""

    def __init__(self) -> None:
        super().__init__(_UNREADABLE)


def readable(read: Read) -> Read:
    """A reader whose only error is ``UnreadableAnswerError``."""

    def checked(answer: bytes) -> Grpc:
        try:
            return read(answer)
        except Exception as error:  # a reader's errors are of many kinds; the caller gets one, so it is a gap
            raise UnreadableAnswerError from error

    return checked


class ReadableChannel(grpc.aio.Channel):
    """Another channel, whose answers are taken apart here."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    @property
    def _unary_unary_interceptors(self) -> list[Grpc]:
        """Google's clients add an interceptor to this list, which would log calls: nobody asks for that here."""
        return []

    def unary_unary(  # noqa: D102 - gRPC's own
        self, method: str, request_serializer: Grpc = None, response_deserializer: Grpc = None, **more: Grpc
    ) -> Grpc:
        call = self._channel.unary_unary(method, request_serializer, None, **more)
        return _UnaryMethod(call, response_deserializer)

    def unary_stream(  # noqa: D102 - gRPC's own
        self, method: str, request_serializer: Grpc = None, response_deserializer: Grpc = None, **more: Grpc
    ) -> Grpc:
        call = self._channel.unary_stream(method, request_serializer, None, **more)
        return _StreamMethod(call, response_deserializer)

    def stream_unary(self, *arguments: Grpc, **more: Grpc) -> Grpc:  # noqa: D102 - gRPC's own, which no source uses
        return self._channel.stream_unary(*arguments, **more)

    def stream_stream(self, *arguments: Grpc, **more: Grpc) -> Grpc:  # noqa: D102 - gRPC's own, which no source uses
        return self._channel.stream_stream(*arguments, **more)

    async def close(self, grace: float | None = None) -> None:  # noqa: D102 - gRPC's own
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: D102, FBT001, FBT002
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:  # noqa: D102
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:  # noqa: D102 - gRPC's own
        await self._channel.channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()


class _UnaryMethod(_UnaryBase):
    def __init__(self, call: Grpc, read: Read | None) -> None:
        self._call, self._read = call, readable(read or bytes)

    def __call__(self, *arguments: Grpc, **terms: Grpc) -> Grpc:
        return _Answer(self._call(*arguments, **terms), self._read)


class _StreamMethod(_StreamBase):
    def __init__(self, call: Grpc, read: Read | None) -> None:
        self._call, self._read = call, readable(read or bytes)

    def __call__(self, *arguments: Grpc, **terms: Grpc) -> Grpc:
        return _Answers(self._call(*arguments, **terms), self._read)


class _Call:
    """A call under way; all but its answers are the other channel's."""

    def __init__(self, call: Grpc, read: Read) -> None:
        self._call, self._read = call, read

    def __getattr__(self, name: str) -> Grpc:
        return getattr(self._call, name)


class _Answer(_Call):
    def __await__(self) -> Generator[Grpc, None, Grpc]:
        answer = yield from self._call.__await__()
        return self._read(answer)


class _Answers(_Call):
    async def __aiter__(self) -> AsyncIterator[Grpc]:
        read = self._read
        try:
            async for answer in self._call:
                yield read(answer)
        except UnreadableAnswerError:
            self._call.cancel()
            raise
