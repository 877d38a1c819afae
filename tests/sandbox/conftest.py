"""Both clouds behind one fixture: a test with ``cloud`` makes a claim about the sandbox and the official emulator."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

import grpc.aio
import pytest
from google.cloud import firestore
from google.cloud.firestore_v1 import types as t
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.protobuf.timestamp_pb2 import Timestamp

from validate_daily.sandbox import Fault, Sandbox, World, build

from support.cloud_run import Clients, clients

if TYPE_CHECKING:
    from tests.conftest import Serve

# Google's high-level client has no types that a strict checker could use.
Untyped = Any

# Google's messages say Timestamp, and give and take datetimes.
Moment = datetime | Timestamp


@dataclass(frozen=True)
class Cloud:
    """One Firestore, one project: its address and Google's generated client for it."""

    address: str
    project: str
    gapic: FirestoreAsyncClient

    @property
    def database(self) -> str:
        return f"projects/{self.project}/databases/(default)"

    @property
    def root(self) -> str:
        return f"{self.database}/documents"

    @property
    def metadata(self) -> list[tuple[str, str]]:
        return [("authorization", "Bearer owner"), ("google-cloud-resource-prefix", self.database)]

    def name(self, document_id: str, collection: str = "c") -> str:
        return f"{self.root}/{collection}/{document_id}"

    def document(self, document_id: str, **fields: t.Value) -> t.Document:
        return t.Document(name=self.name(document_id), fields=fields)

    def put(self, document_id: str, **fields: t.Value) -> t.Write:
        return t.Write(update=self.document(document_id, **fields))

    async def call(self, method: str, request: object) -> Any:
        """Call a method that has one response."""
        return await cast(
            "Awaitable[Any]",
            getattr(self.gapic, method)(request=request, metadata=self.metadata, retry=None, timeout=20),
        )

    async def stream(self, method: str, request: object) -> list[Any]:
        """Call a method that streams."""
        return [response async for response in cast("AsyncIterable[Any]", await self.call(method, request))]

    async def commit(self, *writes: t.Write) -> t.CommitResponse:
        return cast(
            "t.CommitResponse", await self.call("commit", t.CommitRequest(database=self.database, writes=writes))
        )

    def request(
        self, query: t.StructuredQuery, collection: str = "c", read_time: Moment | None = None
    ) -> t.RunQueryRequest:
        query.from_ = [t.StructuredQuery.CollectionSelector(collection_id=collection)]
        return t.RunQueryRequest(parent=self.root, structured_query=query, read_time=read_time)

    async def query(
        self, query: t.StructuredQuery, *, collection: str = "c", read_time: Moment | None = None
    ) -> list[t.RunQueryResponse]:
        return await self.stream("run_query", self.request(query, collection, read_time))

    async def ids(self, query: t.StructuredQuery, *, read_time: Moment | None = None) -> list[str]:
        return [
            response.document.name.removeprefix(f"{self.root}/c/")
            for response in await self.query(query, read_time=read_time)
            if response.document.name
        ]

    async def count(
        self,
        query: t.StructuredQuery,
        *,
        collection: str = "c",
        up_to: int | None = None,
        read_time: Moment | None = None,
    ) -> int:
        query.from_ = [t.StructuredQuery.CollectionSelector(collection_id=collection)]
        kind = t.StructuredAggregationQuery
        aggregation = kind.Aggregation(alias="n", count=kind.Aggregation.Count(up_to=up_to))
        request = t.RunAggregationQueryRequest(
            parent=self.root,
            structured_aggregation_query=kind(structured_query=query, aggregations=[aggregation]),
            read_time=read_time,
        )
        (response,) = await self.stream("run_aggregation_query", request)
        return response.result.aggregate_fields["n"].integer_value


Connect = Callable[[Sandbox, str], Awaitable[Cloud]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Google's generated client for a sandbox and a project: ``cloud = await connect(sandbox, "project")``."""
    async with AsyncExitStack() as stack:

        async def to(sandbox: Sandbox, project: str) -> Cloud:
            return await _connect(stack, sandbox.firestore_address, project)

        yield to


class Run(Protocol):
    """Serves a world, or the world of a scenario, and gives Google's clients for its Cloud Run."""

    async def __call__(self, told: World | str = "healthy", *faults: Fault) -> Clients: ...


@pytest.fixture
async def run(serve: "Serve") -> AsyncIterator[Run]:
    """Google's clients for a practice cloud: ``cloud = await run("healthy")``."""
    async with AsyncExitStack() as stack:

        async def to(told: World | str = "healthy", *faults: Fault) -> Clients:
            return await stack.enter_async_context(clients(await serve(told, *faults)))

        yield to


@pytest.fixture(params=["sandbox", pytest.param("emulator", marks=pytest.mark.emulator)])
async def cloud(request: pytest.FixtureRequest, project: str) -> AsyncIterator[Cloud]:
    """The sandbox, then the official emulator."""
    async with AsyncExitStack() as stack:
        if request.param == "sandbox":
            address = (await stack.enter_async_context(Sandbox(build("healthy")))).firestore_address
        else:
            address = str(request.getfixturevalue("emulator"))
        yield await _connect(stack, address, project)


async def _connect(stack: AsyncExitStack, address: str, project: str) -> Cloud:
    channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
    transport = FirestoreGrpcAsyncIOTransport(channel=channel)
    return Cloud(address, project, FirestoreAsyncClient(transport=transport))


@pytest.fixture
async def client(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Untyped]:
    """Google's high-level client for the same cloud and project."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", cloud.address)
    client: Untyped = firestore.AsyncClient(project=cloud.project)
    yield client
    await client._firestore_api.transport.close()
