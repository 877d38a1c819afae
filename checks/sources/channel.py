"""The way to one of Google's gRPC APIs: over TLS with the user's credentials, or on loopback without any.

Google's packages load inside the functions here: whoever only wants to know where a source is need not pay for them.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from checks.evidence.snapshot import Target
from checks.sources.credentials import Login

if TYPE_CHECKING:
    import grpc
    import grpc.aio
    from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

C = TypeVar("C")
_OPTIONS: Final = [
    ("grpc.max_receive_message_length", -1),
    # What may be under way unread, in bytes. gRPC's own guess grows to several times this: more memory, no more speed.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 512 * 1_024),
    # A server that was away is seen again within a second or so: a channel may live as long as a server of ours.
    # How long one attempt may take stays gRPC's own: a handshake far away can take more than a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]


_POLLS_FOR_ITSELF: Final = "SingleThreadedUnaryStream"
"""The channel option of ``grpc.experimental.ChannelOptions``, by the name that it has there."""


class ChannelTransport(Protocol):
    """The class of a Google client's transport, as far as a channel needs it."""

    @classmethod
    def create_channel(cls, host: str = ..., credentials: Any = ..., **kwargs: Any) -> "grpc.aio.Channel":  # noqa: ANN401 - Google's
        """A channel over TLS."""
        ...


@asynccontextmanager
async def open_channel(
    target: Target, transport: type[ChannelTransport], login: Login
) -> AsyncGenerator["grpc.aio.Channel"]:
    """A channel to a target, closed at the end unless the login keeps it. Call inside the running loop.

    Raises:
        SourceError: there are no usable credentials.
    """
    async with login.opening(f"grpc {target.address}", lambda: _channel(target, transport, login)) as channel:
        yield channel


@asynccontextmanager
async def _channel(
    target: Target, transport: type[ChannelTransport], login: Login
) -> AsyncGenerator["grpc.aio.Channel"]:
    import grpc.aio  # noqa: PLC0415 - Google's packages load only when they are used

    from checks.sources.readable_channel import ReadableChannel  # noqa: PLC0415 - it loads gRPC

    channel = await _made(target, transport.create_channel, grpc.aio.insecure_channel, login, _OPTIONS)
    try:
        yield ReadableChannel(channel)
    finally:
        await channel.close()


@asynccontextmanager
async def open_polling_channel(
    target: Target, transport: "type[FirestoreGrpcTransport]", login: Login
) -> AsyncGenerator["grpc.Channel"]:
    """A channel of its own whose streams are read in a thread, and poll for themselves; closed at the end.

    Raises:
        SourceError: there are no usable credentials.
    """
    import grpc  # noqa: PLC0415 - Google's packages load only when they are used

    options = [*_OPTIONS, (_POLLS_FOR_ITSELF, 1)]
    with await _made(target, transport.create_channel, grpc.insecure_channel, login, options) as channel:
        yield channel


async def _made(
    target: Target, over_tls: Callable[..., C], plain: Callable[..., C], login: Login, options: list[tuple[str, int]]
) -> C:
    """Plain text goes to practice only, and no credentials go there."""
    if target.practice:
        return plain(target.address, options=options)
    return over_tls(target.address, credentials=await login.credentials(), options=options)
