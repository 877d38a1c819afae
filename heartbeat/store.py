"""Where heartbeats go: Firestore, or whatever else keeps one document per id.

The first write imports Google's packages, so importing this costs a processor nothing, and a package that is missing
from its image is reported instead of ending it.
"""

import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from heartbeat.background import Promise, in_background, in_time
from heartbeat.fork import renew_after_fork, whole_in_a_fork

if TYPE_CHECKING:
    from google.cloud.firestore import Client

COLLECTION: Final = "processor_heartbeats"

_SHORTEST: Final = 0.001
_GRPC_SHARE: Final = 0.95
"""How much of a timeout gRPC gets, so that its own report of a deadline arrives within it."""


class HeartbeatStore(Protocol):
    """Keeps one document per id. Must be safe to call from several threads."""

    def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:
        """Replace the document by these fields, within ``timeout`` seconds. Raises whatever went wrong."""
        ...


class AsyncHeartbeatStore(Protocol):
    """The same for asyncio. While a run lasts it is called on event loops of the heartbeat's own, in another thread."""

    async def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:  # noqa: ASYNC109 - handed on to gRPC, which tells the server
        """Replace the document by these fields, within ``timeout`` seconds. Raises whatever went wrong."""
        ...


class FirestoreStore:
    """Firestore, through one client that all threads share. A forked child connects anew.

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
        self._lock = threading.RLock()  # a signal handler may write while its own thread is here
        self._client: Promise[Client] | None = None
        renew_after_fork(self)

    def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:
        """Replace the document; the one who calls is the one who retries."""
        deadline = time.monotonic() + timeout
        document = self._connected(timeout).collection(self._collection).document(document_id)
        with whole_in_a_fork(max(deadline - time.monotonic(), _SHORTEST)) as left:
            document.set(dict(fields), retry=None, timeout=max(left * _GRPC_SHARE, _SHORTEST))  # pyright: ignore[reportUnknownMemberType] - Google says dict

    def after_fork(self) -> None:
        """Connect anew in a forked child."""
        self._lock = threading.RLock()
        if self._client is not None:
            _parents_clients.append(self._client)
            self._client = None

    def _connected(self, timeout: float) -> "Client":
        client = self._client
        if client is None or client.has_failed:
            with self._lock:
                if self._client is None or self._client.has_failed:
                    self._client = in_background(self._connect, "heartbeat-connect")
                client = self._client
        try:
            return client.result(timeout)
        except TimeoutError:
            if client.is_given:
                raise
            raise TimeoutError(f"no client of Firestore after {timeout:.3g} s: it is still being made") from None

    def _connect(self) -> "Client":
        with whole_in_a_fork(threading.TIMEOUT_MAX):
            from google.cloud.firestore import Client  # noqa: PLC0415 - loaded by the first write, see above
        return Client(project=self._project, database=self._database)


class AsyncFirestoreStore:
    """Firestore for asyncio. It writes in threads of its own, and leaves the event loop and its executor alone.

    Args:
        collection: path of the heartbeat collection.
        project: Google Cloud project; None lets Google's client find it, as it finds credentials and the emulator.
        database: Firestore database; None is the default one.
    """

    def __init__(
        self, *, collection: str = COLLECTION, project: str | None = None, database: str | None = None
    ) -> None:
        self.blocking = FirestoreStore(collection=collection, project=project, database=database)

    async def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:  # noqa: ASYNC109 - handed on to gRPC, which tells the server
        """Replace the document; the one who calls is the one who retries."""
        write = partial(self.blocking.write, document_id, fields, timeout=timeout)
        await in_background(write, "heartbeat-write").result_async(timeout)


class BlockingStore:
    """A store for asyncio, as a thread without an event loop calls it: each write has a loop of its own."""

    def __init__(self, store: AsyncHeartbeatStore) -> None:
        self._store = store

    def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:
        """Replace the document; the one who calls is the one who retries."""
        import asyncio  # noqa: PLC0415 - a processor without asyncio never pays for it

        asyncio.run(in_time(self._store.write(document_id, fields, timeout=timeout), timeout))


_parents_clients: Final[list["Promise[Client]"]] = []
"""Clients that a child inherited. It must neither use nor close them: their connections are the parent's."""
