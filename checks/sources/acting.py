"""Whether credentials can act as the account that changes things: an assistant's must not."""

import asyncio
import json
from typing import Final

from google.auth import impersonated_credentials
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport.requests import Request

from checks.errors import SourceError
from checks.probe import Probe, Result
from checks.redact import excerpt
from checks.sources.login import Login, aside
from checks.text import show

_SOURCE: Final = "writes"
_PERMISSION: Final = "iam.serviceAccounts.getAccessToken"
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_SHORTEST: Final = 60
"""Seconds that the token would live which is asked for, and thrown away."""


async def try_acting(
    login: Login, account: str, seconds: float, *, assistant: bool, endpoint: str | None = None
) -> Probe:
    """Ask for a token of an account, and throw it away.

    Args:
        login: the credentials that read.
        account: the one of ``[writes] impersonate``.
        seconds: what it may take.
        assistant: whether these are an assistant's credentials, which must not be able to.
        endpoint: another address than Google's to ask.

    Returns:
        OK where an assistant cannot, or a person can; never raises for what a server does.
    """
    try:
        async with asyncio.timeout(seconds):
            credentials = await login.credentials()
            acting = impersonated_credentials.Credentials(
                credentials, account, target_scopes=[_SCOPE], lifetime=_SHORTEST, iam_endpoint_override=endpoint
            )
            await aside(lambda: acting.refresh(Request()))
    except TimeoutError:
        return _probe(account, Result.UNKNOWN, f"no answer within {seconds:g} s", "try again, with a longer --timeout")
    except SourceError as error:
        return _probe(account, Result.UNKNOWN, str(error), error.next_step)
    except GoogleAuthError as error:
        return _refused(account, error, assistant=assistant)
    return _can(account, assistant=assistant)


def _can(account: str, *, assistant: bool) -> Probe:
    if not assistant:
        return _probe(account, Result.OK)
    reason = f"the assistant's credentials can act as {account}: whatever it runs may change things unasked"
    mend = "give the assistant's environment credentials of its own that only read"
    return _probe(account, Result.FAILED, reason, mend)


def _refused(account: str, error: GoogleAuthError, *, assistant: bool) -> Probe:
    told = show(excerpt(str(error)), limit=300)
    if not (isinstance(error, RefreshError) and _is_denial(error)):
        return _probe(account, Result.UNKNOWN, told, "is the network up? is iamcredentials.googleapis.com enabled?")
    if assistant:
        return _probe(account, Result.OK)
    mend = f"grant roles/iam.serviceAccountTokenCreator on {account} to the person who applies repairs, and to no other"
    return _probe(account, Result.DENIED, f"these credentials cannot act as {account}", mend)


def _is_denial(error: RefreshError) -> bool:
    """Whether Google said that it is not permitted, and not something else."""
    try:
        return json.loads(error.args[1])["error"]["status"] == "PERMISSION_DENIED"
    except (IndexError, KeyError, TypeError, ValueError):
        return False


def _probe(account: str, result: Result, reason: str | None = None, mend: str | None = None) -> Probe:
    what = f"act as {account}, which changes things"
    return Probe(source=_SOURCE, what=what, permission=_PERMISSION, result=result, reason=reason, mend=mend)
