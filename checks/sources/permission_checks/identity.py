"""Who the credentials say they are, and whether they can be used: read from the credentials, then proved by a token."""

import asyncio
from typing import TYPE_CHECKING, Final

from google.auth.exceptions import GoogleAuthError, TransportError

from checks.evidence.permission_checks import SIGN_IN, Caller, PermissionCheck, PermissionResult
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.text.show import show

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

_SOURCE: Final = "identity"
_WHAT: Final = "get an access token"
_OF_THE_MACHINE: Final = "default"  # what Google's library calls a machine's service account before it has asked


async def identify(login: Login, seconds: float) -> tuple[Caller, PermissionCheck]:
    """The caller, and whether there is an access token for them. Never raises for what a server does."""
    caller = Caller(kind="none")
    try:
        async with asyncio.timeout(seconds):
            caller = caller_of(await login.credentials())
            await login.token()
            return caller_of(await login.credentials()), _check(PermissionResult.OK)
    except SourceError as error:
        return caller, _unusable(error)
    except TimeoutError:
        if caller.kind == "none":
            caller = Caller(kind="unknown")
        reason = f"no answer within {seconds:g} s"
        return caller, _check(PermissionResult.UNKNOWN, reason, "try again, with a longer --timeout")


def caller_of(credentials: "Credentials") -> Caller:
    """Whose credentials these are, without asking anybody."""
    email = getattr(credentials, "service_account_email", None)
    if isinstance(email, str) and email:
        return Caller(kind="service-account", name=None if email == _OF_THE_MACHINE else show(email, limit=200))
    account = getattr(credentials, "account", None)
    if isinstance(account, str):
        return Caller(kind="user", name=show(account, limit=200) or None)
    return Caller(kind="unknown")


def _unusable(error: SourceError) -> PermissionCheck:
    cause = error.__cause__
    if isinstance(cause, TransportError) or (isinstance(cause, GoogleAuthError) and cause.retryable):
        return _check(PermissionResult.UNKNOWN, str(error), "is the network up? try again in a minute")
    return _check(PermissionResult.FAILED, str(error), SIGN_IN)


def _check(result: PermissionResult, reason: str | None = None, mend: str | None = None) -> PermissionCheck:
    return PermissionCheck(source=_SOURCE, what=_WHAT, result=result, reason=reason, mend=mend)
