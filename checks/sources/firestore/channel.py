"""The way to Firestore: Google over TLS with the user's credentials, or an emulator on loopback without any.

``FIRESTORE_EMULATOR_HOST`` is honoured as Google's own clients do, but on loopback only: plain text goes no further.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from checks.evidence.snapshot import Target
from checks.settings.address import plain_text
from checks.settings.errors import UsageError
from checks.settings.pipeline import Pipeline
from checks.sources.channel import open_channel, open_polling_channel
from checks.sources.credentials import Login

if TYPE_CHECKING:
    from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
    from google.cloud.firestore_v1.types import RunQueryRequest

EMULATOR_VARIABLE: Final = "FIRESTORE_EMULATOR_HOST"
GOOGLE: Final = "firestore.googleapis.com"


@dataclass(frozen=True, slots=True)
class Connection:
    """An open way to one Firestore database.

    Attributes:
        api: Google's own client.
        run_query: its RunQuery, but with raw messages: wrapping a hundred thousand of them takes seconds. It wants
            ``metadata`` and ``timeout``, and raises what the client does.
        run_long_query: the same for a long answer, in batches, over a channel of its own that is opened for it.
        metadata: what every call must carry.
        target: who answers, for the report.
    """

    api: "FirestoreAsyncClient"
    run_query: Callable[..., Awaitable[AsyncIterable[Any]]]
    run_long_query: Callable[..., AsyncGenerator[list[Any]]]
    metadata: tuple[tuple[str, str], ...]
    target: Target


def firestore_target(database: str, environment: Mapping[str, str]) -> Target:
    """Where a census of this database would be read, without going there.

    Raises:
        UsageError: the emulator's address is not ``host:port`` on loopback.
    """
    emulator = environment.get(EMULATOR_VARIABLE)
    if not emulator:
        return Target(source="firestore", address=GOOGLE, resource=database, practice=False)
    try:
        address = plain_text(emulator)
    except ValueError as error:
        raise UsageError(f"{EMULATOR_VARIABLE}: {error}") from error
    return Target(source="firestore", address=address, resource=database, practice=True)


def heartbeats_target(pipeline: Pipeline, environment: Mapping[str, str]) -> Target:
    """Where a pipeline's heartbeats would be read. Errors as for ``firestore_target``."""
    return firestore_target(pipeline.database, environment)


@asynccontextmanager
async def connect(target: Target, login: Login) -> AsyncGenerator[Connection]:
    """Open one channel to a target, and close it at the end. Call inside the running loop.

    Raises:
        SourceError: there are no usable credentials.
    """
    from google.api_core.grpc_helpers_async import wrap_errors  # noqa: PLC0415 - Google's packages load when used
    from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient  # noqa: PLC0415
    from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport  # noqa: PLC0415

    metadata = (("google-cloud-resource-prefix", target.resource),)
    if target.practice:
        metadata = (*metadata, ("authorization", "Bearer owner"))
    async with open_channel(target, FirestoreGrpcAsyncIOTransport, login) as channel:
        transport = FirestoreGrpcAsyncIOTransport(channel=channel)
        run_query: Any = wrap_errors(_run_query_on(channel))  # Google types it for every kind of call at once
        yield Connection(
            FirestoreAsyncClient(transport=transport),
            run_query,
            partial(_run_long_query, target, login),
            metadata,
            target,
        )


async def _run_long_query(
    target: Target, login: Login, request: "RunQueryRequest", **terms: object
) -> AsyncGenerator[list[Any]]:
    """The raw messages of a long answer, in batches; errors as of the client."""
    from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport  # noqa: PLC0415

    from checks.sources.firestore.long_stream import batches  # noqa: PLC0415 - it loads gRPC
    from checks.sources.readable_channel import readable  # noqa: PLC0415 - it loads gRPC

    async with open_polling_channel(target, FirestoreGrpcTransport, login) as channel:
        run_query, read = _run_query_on(channel, raw=True), readable(_read_answer())
        async with aclosing(batches(lambda: run_query(request, **terms), read)) as found:
            async for batch in found:
                yield batch


def _run_query_on(channel: Any, *, raw: bool = False) -> Any:  # noqa: ANN401 - gRPC's two kinds of channel share no type
    """RunQuery with raw messages, or with bytes that nobody took apart, on either kind of channel."""
    from google.cloud.firestore_v1.types import RunQueryRequest  # noqa: PLC0415 - Google's packages load when used

    return channel.unary_stream(
        "/google.firestore.v1.Firestore/RunQuery",
        request_serializer=RunQueryRequest.serialize,
        response_deserializer=None if raw else _read_answer(),
    )


def _read_answer() -> Callable[[bytes], Any]:
    """What takes an answer of RunQuery apart."""
    from google.cloud.firestore_v1.types import RunQueryResponse  # noqa: PLC0415 - Google's packages load when used

    return RunQueryResponse.pb().FromString
