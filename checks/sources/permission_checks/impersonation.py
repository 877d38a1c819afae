"""Whether credentials can act as the account that changes things: an assistant's must not."""

import asyncio
from collections.abc import Mapping
from typing import Final

from google.auth import impersonated_credentials
from google.auth.transport import Response
from google.auth.transport.requests import Request

from checks.evidence.permission_checks import PermissionCheck, PermissionResult
from checks.sources.credentials import Login, aside
from checks.sources.errors import SourceError
from checks.sources.permission_checks.identity import caller_of
from checks.sources.permission_checks.token_refusal import PERMISSION, TokenResponse, read_refusal
from checks.text.redact import excerpt
from checks.text.show import show

_SOURCE: Final = "writes"
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_SHORTEST: Final = 60
"""Seconds that the token would live which is asked for, and thrown away."""
_PATIENCE: Final = 120
"""Seconds after which a thread that nobody waits for any more ends."""


async def try_acting(
    login: Login, account: str, seconds: float, *, assistant: bool, endpoint: str | None = None
) -> PermissionCheck:
    """Ask for a token of an account, and throw it away.

    Args:
        login: the credentials that read.
        account: the one of ``[writes] impersonate``.
        seconds: what it may take.
        assistant: whether these are an assistant's credentials, which must not be able to.
        endpoint: another address than Google's to ask.

    Returns:
        OK where a person can, or where Google denies an assistant this very permission on this very account; any other
        refusal leaves it unknown. Never raises for what a server does.
    """
    asking = _Asking(endpoint or f"/serviceAccounts/{account}:generateAccessToken")
    try:
        async with asyncio.timeout(seconds):
            credentials = await login.credentials()
            if caller_of(credentials).name == account:
                return _can(account, assistant=assistant)
            acting = impersonated_credentials.Credentials(
                credentials, account, target_scopes=[_SCOPE], lifetime=_SHORTEST, iam_endpoint_override=endpoint
            )
            await aside(lambda: acting.refresh(asking))
    except TimeoutError:
        return _check(
            account, PermissionResult.UNKNOWN, f"no answer within {seconds:g} s", "try again, with a longer --timeout"
        )
    except SourceError as error:
        return _check(account, PermissionResult.UNKNOWN, str(error), error.next_step)
    except Exception as error:  # noqa: BLE001 - Google's library lets answers through that it cannot read
        return _refused(account, error, asking.answer, assistant=assistant)
    return _can(account, assistant=assistant)


def _can(account: str, *, assistant: bool) -> PermissionCheck:
    if not assistant:
        return _check(account, PermissionResult.OK)
    reason = f"the assistant's credentials can act as {account}: whatever it runs may change things unasked"
    mend = "give the assistant's environment credentials of its own that only read"
    return _check(account, PermissionResult.FAILED, reason, mend)


def _refused(account: str, error: Exception, answer: TokenResponse | None, *, assistant: bool) -> PermissionCheck:
    if answer is None:
        reason, mend = show(excerpt(str(error)), limit=300), "can these credentials be used at all? is the network up?"
        return _check(account, PermissionResult.UNKNOWN, reason, mend)
    refusal = read_refusal(answer)
    if not refusal.proves(account):
        return _check(account, PermissionResult.UNKNOWN, refusal.shown, refusal.step(account))
    if assistant:
        return _check(account, PermissionResult.OK)
    mend = f"grant roles/iam.serviceAccountTokenCreator on {account} to the person who applies repairs, and to no other"
    return _check(account, PermissionResult.DENIED, f"these credentials cannot act as {account}", mend)


class _Asking(Request):
    """Asks, and keeps what was answered about the account: other tokens may have to be asked for first."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self.answer: TokenResponse | None = None

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride] - the type that it gives is Google's own
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: int = _PATIENCE,
        **more: object,
    ) -> Response:
        response = super().__call__(url, method, body, headers, timeout, **more)
        if url.endswith(self._address):
            self.answer = TokenResponse(response.status, bytes(response.data))
        return response


def _check(
    account: str, result: PermissionResult, reason: str | None = None, mend: str | None = None
) -> PermissionCheck:
    what = f"act as {account}, which changes things"
    return PermissionCheck(source=_SOURCE, what=what, permission=PERMISSION, result=result, reason=reason, mend=mend)
