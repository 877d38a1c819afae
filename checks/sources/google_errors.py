"""Google's errors, classified once: why a call failed, and what to do about it."""

from typing import Final

from google.api_core import exceptions

from checks.sources.errors import SourceError
from checks.text.redact import excerpt
from checks.text.show import show

_BY_HTTP: Final[dict[int, type[exceptions.GoogleAPICallError]]] = {
    401: exceptions.Unauthenticated,
    403: exceptions.PermissionDenied,
    429: exceptions.ResourceExhausted,
    500: exceptions.InternalServerError,
    502: exceptions.ServiceUnavailable,
    503: exceptions.ServiceUnavailable,
    504: exceptions.DeadlineExceeded,
}

_NEXT_STEP: Final = {
    "UNAVAILABLE": "is the address right and the network up? try again in a minute",
    "DEADLINE_EXCEEDED": "try again, with a longer --timeout",
    "RESOURCE_EXHAUSTED": "a quota is used up: see the project's quotas page, and try again later",
    "DATA_LOSS": "check that the address is Google's, or its emulator's: something else answered, or changed it",
    "INTERNAL": "a fault on the server's side: try again in a minute",
    "UNAUTHENTICATED": "sign in: gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
    "NOT_FOUND": "check project, region and database in the settings",
    "FAILED_PRECONDITION": "check project, region and database in the settings",
}


def by_http_status(status: int, message: str) -> exceptions.GoogleAPICallError:
    """The error of Google's clients that means the same as an HTTP status."""
    kind = _BY_HTTP.get(status)
    return kind(message) if kind else exceptions.from_http_status(status, message)


def explain(error: exceptions.GoogleAPICallError, *, role: str) -> SourceError:
    """A failed call as a sentence with a next step.

    Args:
        error: what Google's client raised.
        role: the role that would permit it.
    """
    code = error.grpc_status_code
    status = code.name if code is not None else type(error).__name__
    step = _NEXT_STEP.get(status, "look the status up in Google's error reference, and try again")
    if status == "PERMISSION_DENIED":
        step = f"grant {role} to the identity that runs this check (gcloud auth list shows it)"
    return SourceError(f"{status}: {show(excerpt(error.message or 'no message'), limit=300)}", step)
