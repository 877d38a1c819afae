"""The way to Firestore: Google over TLS with the user's credentials, or an emulator on loopback without any.

``FIRESTORE_EMULATOR_HOST`` is honoured as Google's own clients do, but on loopback only: plain text goes no further.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checks.endpoint import plain_text
from checks.errors import SourceError, UsageError
from checks.evidence import Target
from checks.text import show

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient

EMULATOR_VARIABLE: Final = "FIRESTORE_EMULATOR_HOST"
GOOGLE: Final = "firestore.googleapis.com"
_SCOPES: Final = ("https://www.googleapis.com/auth/datastore", "https://www.googleapis.com/auth/cloud-platform")
_SIZES: Final = [("grpc.max_receive_message_length", -1)]


@dataclass(frozen=True, slots=True)
class Connection:
    """An open way to one Firestore database.

    Attributes:
        api: Google's own client.
        metadata: what every call must carry.
        target: who answers, for the report.
    """

    api: "FirestoreAsyncClient"
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


@asynccontextmanager
async def connect(target: Target) -> AsyncGenerator[Connection]:
    """Open one channel to a target, and close it at the end. Call inside the running loop.

    Raises:
        SourceError: there are no usable credentials.
    """
    import grpc.aio  # noqa: PLC0415 - Google's packages load only when they are used
    from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient  # noqa: PLC0415
    from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport  # noqa: PLC0415

    metadata = (("google-cloud-resource-prefix", target.resource),)
    if target.practice:
        channel = grpc.aio.insecure_channel(target.address, options=_SIZES)
        metadata = (*metadata, ("authorization", "Bearer owner"))
    else:
        credentials = await asyncio.to_thread(_credentials)
        channel = FirestoreGrpcAsyncIOTransport.create_channel(target.address, credentials=credentials, options=_SIZES)
    try:
        transport = FirestoreGrpcAsyncIOTransport(channel=channel)
        yield Connection(FirestoreAsyncClient(transport=transport), metadata, target)
    finally:
        await channel.close()


def _credentials() -> "Credentials":
    import google.auth  # noqa: PLC0415 - Google's packages load only when they are used
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    try:
        return google.auth.default(scopes=_SCOPES)[0]
    except GoogleAuthError as error:
        raise SourceError(
            f"no usable credentials: {show(str(error), limit=300)}",
            "sign in with gcloud auth application-default login, set GOOGLE_APPLICATION_CREDENTIALS, "
            "or try everything without a cloud: validate-daily demo",
        ) from error
