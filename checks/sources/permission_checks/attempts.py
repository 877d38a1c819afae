"""Tries one read. What comes of it is a permission check, which names the permission and the command that mends it.

A refusal's text decides what kind of refusal it is, and never what a command says.
"""

import asyncio
import re
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from google.api_core.exceptions import GoogleAPICallError

from checks.evidence.permission_checks import SIGN_IN, Caller, Permission, PermissionCheck, PermissionResult
from checks.sources.budget import Budget, persist
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.google_errors import explain
from checks.sources.progress import Progress
from checks.text.redact import excerpt
from checks.text.show import show

T = TypeVar("T")

_DISABLED: Final = re.compile(r"SERVICE_DISABLED|has not been used in project|is disabled")
_NO_SUCH_PLACE: Final = re.compile(r"'locations/[a-z0-9-]{1,50}' \(or it may not exist\)")
_NO_TOKEN: Final = "Getting metadata from plugin failed"  # noqa: S105 - how gRPC says that credentials failed
_UNTOLD: Final = frozenset(
    {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "INTERNAL", "ABORTED", "CANCELLED", "UNKNOWN"}
)


@dataclass(frozen=True, slots=True)
class PermissionAttempt(Generic[T]):
    """What came of one read, and what it brought if it was answered."""

    check: PermissionCheck
    answer: T | None = None


@dataclass(slots=True)
class PermissionChecker:
    """Tries reads for one caller, each with a time of its own.

    Attributes:
        caller: whom a mend is for.
        login: whose credentials.
        seconds: what one read may take.
        progress: told how many reads are done.
    """

    caller: Caller
    login: Login
    seconds: float
    progress: Progress
    _done: int = 0

    def budget(self) -> Budget:
        """A time that begins now."""
        return Budget(self.seconds)

    async def attempt(self, want: Permission, call: Callable[[Budget], Awaitable[T]]) -> PermissionAttempt[T]:
        """Make one read. Never raises for what a server does.

        Args:
            want: what is tried.
            call: makes the read, with nothing retried; given what is left of the time.
        """
        budget = self.budget()
        try:
            async with asyncio.timeout(self.seconds):
                return PermissionAttempt(
                    PermissionCheck.of(want, PermissionResult.OK), await persist(lambda: call(budget), budget)
                )
        except GoogleAPICallError as error:
            return PermissionAttempt(refused(want, error, self.caller))
        except SourceError as error:
            return PermissionAttempt(PermissionCheck.of(want, PermissionResult.FAILED, str(error), error.next_step))
        except TimeoutError:
            reason, step = f"no answer within {self.seconds:g} s", "try again, with a longer --timeout"
            return PermissionAttempt(PermissionCheck.of(want, PermissionResult.UNKNOWN, reason, step))
        finally:
            self._done += 1
            self.progress("reads tried", self._done, None)


def refused(want: Permission, error: GoogleAPICallError, caller: Caller) -> PermissionCheck:
    """What a failed call says of a permission."""
    code = error.grpc_status_code
    status = code.name if code is not None else type(error).__name__
    message = error.message or "no message"
    shown = show(excerpt(message))
    result, mend = _judged(want, status, f"{error.reason or ''} {message}", caller)
    return PermissionCheck.of(want, result, f"{status}: {shown}", mend or explain(error, role=want.role).next_step)


def grant(want: Permission, caller: Caller) -> str:
    """The command that gives a caller the smallest role."""
    binding = (f"--member={caller.member}", f"--role={want.role}")
    return shlex.join(["gcloud", "projects", "add-iam-policy-binding", want.project, *binding])


def enable(want: Permission) -> str:
    """The command that enables an API."""
    return shlex.join(["gcloud", "services", "enable", want.api, "--project", want.project])


def _judged(want: Permission, status: str, text: str, caller: Caller) -> tuple[PermissionResult, str | None]:
    """The result and what mends it; None where only the status tells that."""
    if status == "UNAUTHENTICATED" or _NO_TOKEN in text:
        return PermissionResult.FAILED, SIGN_IN
    if status == "PERMISSION_DENIED" and _DISABLED.search(text):
        return PermissionResult.DISABLED, enable(want)
    if status == "NOT_FOUND" or _NO_SUCH_PLACE.search(text):
        return PermissionResult.FAILED, want.elsewhere
    if status == "PERMISSION_DENIED":
        return PermissionResult.DENIED, grant(want, caller)
    return PermissionResult.UNKNOWN if status in _UNTOLD else PermissionResult.FAILED, None
