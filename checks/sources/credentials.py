"""The user's credentials for Google: looked up once per check, and shared by every source."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from checks.sources.errors import SourceError
from checks.text.redact import excerpt
from checks.text.show import show

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

T = TypeVar("T")

Opened = Callable[[], AbstractAsyncContextManager[T]]
"""Opens something, and closes it at the end."""

_SCOPES: Final = ("https://www.googleapis.com/auth/datastore", "https://www.googleapis.com/auth/cloud-platform")
_SIGN_IN: Final = (
    "sign in with gcloud auth application-default login, set GOOGLE_APPLICATION_CREDENTIALS, "
    "or try everything without a cloud: validate-daily demo"
)


@dataclass(slots=True)
class Login:
    """Credentials on demand. Practice never asks for any. Use one inside one running loop.

    Attributes:
        impersonate: the service account to act as, with the default credentials' leave; None acts as these themselves.
    """

    _found: "asyncio.Future[Credentials] | None" = None
    impersonate: str | None = None

    async def credentials(self) -> "Credentials":
        """The application's default credentials.

        Raises:
            SourceError: there are none that can be used.
        """
        if self._found is None:
            self._found = aside(lambda: _acting_as(self.impersonate, _find()))
            self._found.add_done_callback(_retrieve)
        return await asyncio.shield(self._found)

    def opening(self, what: str, opened: "Opened[T]") -> AbstractAsyncContextManager[T]:
        """A connection for one use: opened now, closed after it.

        Args:
            what: names the connection, for whoever keeps it.
            opened: opens it.
        """
        del what
        return opened()

    async def token(self) -> str:
        """An access token as text, for what is no gRPC.

        Raises:
            SourceError: there is none.
        """
        credentials = await self.credentials()
        return await aside(lambda: _token(credentials))


def aside(work: Callable[[], T]) -> "asyncio.Future[T]":
    """Do work in a thread that nobody waits for at the end: what hangs in it must not outlive the budget.

    Google's libraries look for credentials and tokens without a timeout of ours; ``asyncio.to_thread`` would have the
    event loop wait for them when it closes.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - raised again by whoever awaits the future
            _settle(loop, future, lambda error=error: future.set_exception(error))
        else:
            _settle(loop, future, lambda: future.set_result(result))

    threading.Thread(target=run, name="login", daemon=True).start()
    return future


def _settle(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[T]", settle: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
        loop.call_soon_threadsafe(lambda: None if future.done() else settle())


def _retrieve(found: "asyncio.Future[Credentials]") -> None:
    """A failure that every source gave up waiting for is no news to the event loop."""
    if not found.cancelled():
        found.exception()


def _find() -> "Credentials":
    import google.auth  # noqa: PLC0415 - Google's packages load only when they are used
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    try:
        return google.auth.default(scopes=_SCOPES)[0]
    except GoogleAuthError as error:
        raise _unusable(error) from error


def _acting_as(account: str | None, credentials: "Credentials") -> "Credentials":
    if account is None:
        return credentials
    from google.auth import impersonated_credentials  # noqa: PLC0415 - only where it is asked for

    return impersonated_credentials.Credentials(credentials, account, target_scopes=list(_SCOPES))


def _token(credentials: "Credentials") -> str:
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - Google's packages load only when they are used
    from google.auth.transport.requests import Request  # noqa: PLC0415

    try:
        if not credentials.valid:
            credentials.refresh(Request())
    except GoogleAuthError as error:
        raise _unusable(error) from error
    if not credentials.token:
        raise SourceError("no usable credentials: they yield no access token", _SIGN_IN)
    return str(credentials.token)


def _unusable(error: Exception) -> SourceError:
    return SourceError(f"no usable credentials: {show(excerpt(str(error)), limit=300)}", _SIGN_IN)
