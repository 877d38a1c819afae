"""Both clouds behind one fixture: a test that takes ``cloud`` is a claim about the sandbox and the official emulator."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

import grpc.aio
import pytest
from google.cloud import firestore
from google.cloud.firestore_v1 import types as t
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport

from sandbox import Sandbox, build

_T = TypeVar("_T")


@dataclass(frozen=True)
class Cloud:
    """One Firestore, one project: its address and Google's generated client for it."""

    kind: str
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

    async def call(self, method: str, request: object) -> Any:  # noqa: ANN401 - whatever the method answers
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

    async def query(
        self, query: t.StructuredQuery, *, collection: str = "c", read_time: datetime | None = None
    ) -> list[t.RunQueryResponse]:
        query.from_ = [t.StructuredQuery.CollectionSelector(collection_id=collection)]
        request = t.RunQueryRequest(parent=self.root, structured_query=query, read_time=read_time)
        return await self.stream("run_query", request)

    async def ids(self, query: t.StructuredQuery, *, read_time: datetime | None = None) -> list[str]:
        return [
            response.document.name.removeprefix(f"{self.root}/c/")
            for response in await self.query(query, read_time=read_time)
            if response.document.name
        ]

    async def count(
        self, query: t.StructuredQuery, *, up_to: int | None = None, read_time: datetime | None = None
    ) -> int:
        query.from_ = [t.StructuredQuery.CollectionSelector(collection_id="c")]
        kind = t.StructuredAggregationQuery
        aggregation = kind.Aggregation(alias="n", count=kind.Aggregation.Count(up_to=up_to))
        request = t.RunAggregationQueryRequest(
            parent=self.root,
            structured_aggregation_query=kind(structured_query=query, aggregations=[aggregation]),
            read_time=read_time,
        )
        (response,) = await self.stream("run_aggregation_query", request)
        return response.result.aggregate_fields["n"].integer_value


@pytest.fixture(params=["sandbox", pytest.param("emulator", marks=pytest.mark.emulator)])
async def cloud(request: pytest.FixtureRequest, project: str) -> AsyncIterator[Cloud]:
    """The sandbox, then the official emulator."""
    async with AsyncExitStack() as stack:
        if request.param == "sandbox":
            address = (await stack.enter_async_context(Sandbox(build("healthy")))).firestore_address
        else:
            address = str(request.getfixturevalue("emulator"))
        yield await connect(stack, address, project, kind=request.param)


async def connect(stack: AsyncExitStack, address: str, project: str, *, kind: str) -> Cloud:
    channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
    transport = FirestoreGrpcAsyncIOTransport(channel=channel)
    return Cloud(kind, address, project, FirestoreAsyncClient(transport=transport))


@pytest.fixture
async def client(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[firestore.AsyncClient]:
    """Google's high-level client for the same cloud and project."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", cloud.address)
    client = firestore.AsyncClient(project=cloud.project)
    yield client
    await client._firestore_api.transport.close()
