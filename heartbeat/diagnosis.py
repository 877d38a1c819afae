"""Why a heartbeat could not be written, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from heartbeat.text import one_line

_MAX_DETAIL: Final = 500


class Reason(StrEnum):
    """The classes of failure. A change from one to another is news; the same one again is not."""

    DISABLED = "disabled"
    WRONG_NAME = "wrong-name"
    PACKAGE_MISSING = "package-missing"
    NO_CREDENTIALS = "no-credentials"
    NO_PERMISSION = "no-permission"
    NO_DATABASE = "no-database"
    REFUSED = "refused"
    OVER_QUOTA = "over-quota"
    UNREACHABLE = "unreachable"
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure to write a heartbeat.

    Attributes:
        reason: its class.
        status_code: the gRPC status such as ``PERMISSION_DENIED``, or the exception's class where there is none.
        detail: what the exception says, as one bounded line.
    """

    reason: Reason
    status_code: str
    detail: str

    @property
    def next_step(self) -> str:
        """What the person who reads this does next."""
        return _NEXT_STEP[self.reason]


_NEXT_STEP: Final = {
    Reason.DISABLED: "remove ENABLE_HEARTBEATS from the environment of this service or job, or set it to true",
    Reason.WRONG_NAME: "give the processor's plain name, without date or run id; pass registered=True only for a name "
    "that the pipeline's settings list",
    Reason.PACKAGE_MISSING: "add google-cloud-firestore to the requirements of this image, rebuild and redeploy it",
    Reason.NO_CREDENTIALS: "let this run as a service account on Google Cloud; elsewhere, run "
    "gcloud auth application-default login and set GOOGLE_CLOUD_PROJECT",
    Reason.NO_PERMISSION: "grant roles/datastore.user to the service account that this revision runs as; if the detail "
    "says that the API is disabled, enable firestore.googleapis.com",
    Reason.NO_DATABASE: "name the project and the database that hold the heartbeats in FirestoreStore(...); the "
    "database must exist and be in native mode",
    Reason.REFUSED: "Firestore refused the heartbeat as it is: check the names of the collection and of the processor",
    Reason.OVER_QUOTA: "beat less often, or ask for a higher Firestore quota",
    Reason.UNREACHABLE: "check that this revision can reach firestore.googleapis.com (VPC egress, DNS) and that "
    "FIRESTORE_EMULATOR_HOST is not set in production",
    Reason.UNEXPECTED: "read the detail: this is a fault in the store, in the clock or in this library",
}

_BY_STATUS: Final = {
    "PERMISSION_DENIED": Reason.NO_PERMISSION,
    "UNAUTHENTICATED": Reason.NO_CREDENTIALS,
    "NOT_FOUND": Reason.NO_DATABASE,
    "FAILED_PRECONDITION": Reason.NO_DATABASE,
    "INVALID_ARGUMENT": Reason.REFUSED,
    "RESOURCE_EXHAUSTED": Reason.OVER_QUOTA,
    "UNAVAILABLE": Reason.UNREACHABLE,
    "DEADLINE_EXCEEDED": Reason.UNREACHABLE,
    "INTERNAL": Reason.UNREACHABLE,
    "ABORTED": Reason.UNREACHABLE,
}
_TRANSIENT: Final = frozenset({Reason.OVER_QUOTA, Reason.UNREACHABLE})
_GIVEN_UP: Final = "RetryError"


def diagnose(error: BaseException) -> Failure:
    """Read an exception from a store. Never fails, and needs none of Google's packages."""
    cause = getattr(error, "cause", None)
    if type(error).__name__ == _GIVEN_UP and isinstance(cause, BaseException):
        return diagnose(cause)
    status = getattr(getattr(error, "grpc_status_code", None), "name", None) or type(error).__name__
    return Failure(_reason(error, status), one_line(status, _MAX_DETAIL), one_line(error, _MAX_DETAIL))


def is_transient(error: BaseException) -> bool:
    """Whether the same write may succeed a moment later."""
    return diagnose(error).reason in _TRANSIENT


def _reason(error: BaseException, status: str) -> Reason:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if isinstance(error, ImportError):
        return Reason.PACKAGE_MISSING
    if isinstance(error, ConnectionError | TimeoutError):
        return Reason.UNREACHABLE
    if _is_about_credentials(error):
        return Reason.NO_CREDENTIALS
    return Reason.UNEXPECTED


def _is_about_credentials(error: BaseException) -> bool:
    """Google's own authentication errors by name, and the bare OSError for a project that nothing names."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return "GoogleAuthError" in names or (type(error) is OSError and "Project was not passed" in str(error))
