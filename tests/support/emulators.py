"""Fills a Firestore emulator with heartbeats, fast enough for a hundred thousand of them."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

import grpc.aio
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.cloud.firestore_v1.types import BatchWriteRequest, Document, Value, Write

BATCH = 400


async def fill(address: str, collection: str, heartbeats: Iterable[tuple[str, datetime]]) -> None:
    """Write one heartbeat document per id.

    Args:
        address: the emulator's ``host:port``.
        collection: its full resource name.
        heartbeats: ids, and the time of each heartbeat.
    """
    database = collection.partition("/documents/")[0]
    metadata = (("authorization", "Bearer owner"), ("google-cloud-resource-prefix", database))
    async with grpc.aio.insecure_channel(address) as channel:
        client = FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=channel))
        rest = iter(heartbeats)
        while batch := [_write(collection, name, at) for name, at in islice(rest, BATCH)]:
            request = BatchWriteRequest(database=database, writes=batch)
            answer = await client.batch_write(request, retry=None, timeout=60, metadata=metadata)
            assert not any(status.code for status in answer.status)


def _write(collection: str, name: str, at: datetime) -> Write:
    fields = {
        "processor_name": Value(string_value=name.partition("_None_")[0]),
        "last_heartbeat": Value(timestamp_value=at),
        "status": Value(string_value="running"),
        "run_id": Value(string_value=name[-8:]),
        "progress": Value(integer_value=3),
    }
    return Write(update=Document(name=f"{collection}/{name}", fields=fields))
