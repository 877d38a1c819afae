"""Where heartbeats go: Firestore, or whatever else keeps one document per id.

Google's packages are imported by the first write, so that importing this costs a processor nothing and a package that
is missing from its image is told about instead of ending it.
"""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import asyncio

    from google.cloud.firestore import AsyncClient, Client

COLLECTION: Final = "processor_heartbeats"


class HeartbeatStore(Protocol):
    """Keeps one document per id. Must be safe to call from several threads."""

    def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:
        """Replace the document by these fields, within ``timeout`` seconds. Raises whatever went wrong."""
        ...


class AsyncHeartbeatStore(Protocol):
    """The same for asyncio."""

    async def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:  # noqa: ASYNC109 - handed on to gRPC, which tells the server
        """Replace the document by these fields, within ``timeout`` seconds. Raises whatever went wrong."""
        ...


class FirestoreStore:
    """Firestore, through one client that all threads share.

    Args:
        collection: path of the heartbeat collection.
        project: Google Cloud project; None lets Google's client find it, as it finds credentials and the emulator.
        database: Firestore database; None is the default one.
    """

    def __init__(
        self, *, collection: str = COLLECTION, project: str | None = None, database: str | None = None
    ) -> None:
        self._collection = collection
        self._project = project
        self._database = database
        self._lock = threading.RLock()
        self._client: Client | None = None

    def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:
        """Replace the document; the one who calls is the one who retries."""
        document = self._connected().collection(self._collection).document(document_id)
        document.set(dict(fields), retry=None, timeout=timeout)  # pyright: ignore[reportUnknownMemberType] - Google says dict

    def _connected(self) -> "Client":
        with self._lock:
            if self._client is None:
                from google.cloud.firestore import Client  # noqa: PLC0415 - loaded by the first write, see above

                self._client = Client(project=self._project, database=self._database)
            return self._client


class AsyncFirestoreStore:
    """Firestore for asyncio, through one client per event loop: a gRPC channel cannot leave the loop it was made in.

    Args:
        collection: path of the heartbeat collection.
        project: Google Cloud project; None lets Google's client find it, as it finds credentials and the emulator.
        database: Firestore database; None is the default one.
    """

    def __init__(
        self, *, collection: str = COLLECTION, project: str | None = None, database: str | None = None
    ) -> None:
        self._collection = collection
        self._project = project
        self._database = database
        self._lock = threading.RLock()
        self._client: AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:  # noqa: ASYNC109 - handed on to gRPC, which tells the server
        """Replace the document; the one who calls is the one who retries."""
        import asyncio  # noqa: PLC0415 - a processor without asyncio never pays for it

        client = await asyncio.to_thread(self._connected, asyncio.get_running_loop())
        document = client.collection(self._collection).document(document_id)
        await document.set(dict(fields), retry=None, timeout=timeout)  # pyright: ignore[reportUnknownMemberType] - Google says dict

    def _connected(self, loop: "asyncio.AbstractEventLoop") -> "AsyncClient":
        with self._lock:
            if self._client is None or self._loop is not loop:
                from google.cloud.firestore import AsyncClient  # noqa: PLC0415 - loaded by the first write, see above

                self._client, self._loop = AsyncClient(project=self._project, database=self._database), loop
            return self._client
