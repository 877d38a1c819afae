import asyncio
from collections.abc import Callable

import pytest
from google.api_core.exceptions import GoogleAPICallError, PermissionDenied, ServiceUnavailable
from google.auth import compute_engine
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.oauth2.credentials import Credentials as UserCredentials

from checks.evidence.permission_checks import Caller, Permission, PermissionResult
from checks.sources.credentials import Login
from checks.sources.permission_checks.attempts import grant, refused
from checks.sources.permission_checks.identity import caller_of, identify

ROBOT = "checker@demo-nba.iam.gserviceaccount.com"
ANA = "ana@example.com"
WANT = Permission(
    source="cloud-run",
    what="list the jobs of demo-nba/us-west2",
    permission="run.jobs.list",
    role="roles/run.viewer",
    api="run.googleapis.com",
    project="demo-nba",
)


class Told(Credentials):
    """A machine's credentials, which know their e-mail address once they have been refreshed."""

    def __init__(self, outcome: Callable[[], str], email: str = "default") -> None:
        super().__init__()
        self._outcome = outcome
        self.service_account_email = email

    def refresh(self, request: object) -> None:
        del request
        self.token = self._outcome()
        self.service_account_email = ROBOT


def fails(error: GoogleAuthError) -> Callable[[], str]:
    def outcome() -> str:
        raise error

    return outcome


async def login_of(credentials: Credentials) -> Login:
    async def found() -> Credentials:
        return credentials

    return Login(asyncio.create_task(found()))


async def test_a_machine_is_known_by_name_once_it_has_a_token() -> None:
    caller, probe = await identify(await login_of(Told(lambda: "token")), 5.0)

    assert caller == Caller(kind="service-account", name=ROBOT)
    assert (probe.source, probe.result) == ("identity", "ok")


async def test_credentials_that_were_withdrawn_fail_and_are_still_named() -> None:
    refusal = RefreshError("invalid_grant: Token has been expired or revoked.")
    caller, probe = await identify(await login_of(Told(fails(refusal), ROBOT)), 5.0)

    assert caller == Caller(kind="service-account", name=ROBOT)
    assert probe.result == "failed"
    assert "expired or revoked" in (probe.reason or "")
    assert probe.mend == "gcloud auth application-default login"


async def test_a_network_that_is_down_is_no_fault_of_the_credentials() -> None:
    _, probe = await identify(await login_of(Told(fails(TransportError("no route to host")), ROBOT)), 5.0)

    assert probe.result == "unknown"


async def test_credentials_that_never_come_are_unknown() -> None:
    login = Login(asyncio.create_task(asyncio.Event().wait()))  # pyright: ignore[reportArgumentType] - never told

    caller, probe = await identify(login, 0.05)

    assert (caller.kind, probe.result) == ("unknown", "unknown")
    assert probe.reason == "no answer within 0.05 s"


@pytest.mark.parametrize(
    ("credentials", "caller", "member"),
    [
        (Told(str, ROBOT), Caller(kind="service-account", name=ROBOT), f"serviceAccount:{ROBOT}"),
        (compute_engine.Credentials(), Caller(kind="service-account"), "MEMBER"),
        (
            UserCredentials("t", account="ana@example.com"),
            Caller(kind="user", name="ana@example.com"),
            "user:ana@example.com",
        ),
        (UserCredentials("t"), Caller(kind="user"), "MEMBER"),
        (AnonymousCredentials(), Caller(kind="unknown"), "MEMBER"),
    ],
    ids=["service account", "machine", "user", "user without an address", "nobody"],
)
def test_a_caller_is_read_from_the_credentials_alone(credentials: Credentials, caller: Caller, member: str) -> None:
    assert caller_of(credentials) == caller
    assert caller.member == member


def test_the_mend_of_a_denied_read_names_the_real_identity() -> None:
    probe = refused(WANT, PermissionDenied("no"), Caller(kind="service-account", name=ROBOT))

    assert probe.mend == (
        f"gcloud projects add-iam-policy-binding demo-nba --member=serviceAccount:{ROBOT} --role=roles/run.viewer"
    )


def test_no_name_becomes_syntax_of_a_command() -> None:
    hostile = Caller(kind="user", name="a@b; rm -rf ~")

    assert "'--member=user:a@b; rm -rf ~'" in grant(WANT, hostile)


REFUSALS: dict[str, tuple[GoogleAPICallError, PermissionResult]] = {
    "a reason that says so": (
        PermissionDenied("no", error_info={"reason": "SERVICE_DISABLED"}),  # pyright: ignore[reportArgumentType] - as HTTP has it
        PermissionResult.DISABLED,
    ),
    "credentials that gRPC could not use": (
        ServiceUnavailable("Getting metadata from plugin failed with error: invalid_grant"),
        PermissionResult.FAILED,
    ),
    "a server that is away": (ServiceUnavailable("gone"), PermissionResult.UNKNOWN),
}


@pytest.mark.parametrize(("error", "result"), REFUSALS.values(), ids=REFUSALS)
def test_a_failed_call_says_no_more_than_it_can(error: GoogleAPICallError, result: PermissionResult) -> None:
    assert refused(WANT, error, Caller(kind="unknown")).result is result


def test_a_secret_in_a_refusal_goes_no_further() -> None:
    reason = refused(WANT, PermissionDenied("token=hunter2hunter2"), Caller(kind="unknown")).reason

    assert "hunter2" not in (reason or "")
