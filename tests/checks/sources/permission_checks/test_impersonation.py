"""Credentials are asked whether they can act as the account that changes things; the token is dropped."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import impersonated_credentials
from google.auth.credentials import Credentials
from google.oauth2 import service_account

from checks.ask.doctor import examine
from checks.evidence.permission_checks import PermissionCheck, PermissionResult
from checks.settings.file import Settings, parse_settings
from checks.settings.template import settings_text
from checks.sources.credentials import Login
from checks.sources.permission_checks.impersonation import try_acting
from validate_daily.sandbox import Sandbox, build

from support.registry_world import Asked, Reply, registry

VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
WRITER = "writer@demo-nba.iam.gserviceaccount.com"
OTHER = "other@demo-nba.iam.gserviceaccount.com"
GRANTED = {"accessToken": "hunter2-hunter2", "expireTime": "2099-01-01T00:00:00Z"}
PERMISSION = "iam.serviceAccounts.getAccessToken"
TYPE = "type.googleapis.com/google.rpc.ErrorInfo"


def info(reason: str, **metadata: object) -> dict[str, object]:
    """How Google tells a reason."""
    return {"@type": TYPE, "reason": reason, "domain": "iam.googleapis.com", "metadata": metadata}


def refusal(
    message: str, *details: object, status: str = "PERMISSION_DENIED", code: int = 403
) -> dict[str, dict[str, object]]:
    """How Google says no."""
    return {"error": {"code": code, "status": status, "message": message, "details": list(details)}}


WORDS = f"Permission '{PERMISSION}' denied on resource (or it may not exist)."
DENIED = refusal(WORDS, info("IAM_PERMISSION_DENIED", permission=PERMISSION))
BROKEN = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "later"}}


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


class ByWayOf(Login):
    """A login whose credentials act as an account themselves."""

    def __init__(self, acting: Credentials) -> None:
        super().__init__()
        self._acting = acting

    async def credentials(self) -> Credentials:
        return self._acting


async def tried(
    answer: object,
    status: int,
    folder: Path,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    assistant: bool,
    by_way_of: str | None = None,
    reader: str = "reader@demo-nba.iam.gserviceaccount.com",
) -> PermissionCheck:
    """What comes of it where Google answers so; the credentials may be another account's, that others act as."""

    async def reply(asked: Asked) -> Reply:
        kind = {"Content-Type": "application/json"}
        if "token" in asked.path and "generate" not in asked.path:
            told: object = {"access_token": "practice", "expires_in": 3_600, "token_type": "Bearer"}
            return Reply(200, kind, json.dumps(told).encode())
        if f"/{OTHER}:" in asked.path:  # the credentials that read are themselves another account's
            return Reply(403, kind, json.dumps(DENIED).encode())
        return Reply(status, kind, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    async with registry(reply) as address:
        account = {
            "type": "service_account",
            "private_key": key,
            "private_key_id": "1",
            "client_email": reader,
            "token_uri": f"http://{address}/token",
        }
        path = folder / "account.json"
        path.write_text(json.dumps(account))
        monkeypatch.setenv(VARIABLE, str(path))
        endpoint = f"http://{address}/generateAccessToken"
        login = Login()
        if by_way_of is not None:
            first = f"http://{address}/v1/projects/-/serviceAccounts/{by_way_of}:generateAccessToken"
            login = ByWayOf(
                impersonated_credentials.Credentials(
                    service_account.Credentials.from_service_account_info(account),
                    by_way_of,
                    target_scopes=["https://www.googleapis.com/auth/cloud-platform"],
                    iam_endpoint_override=first,
                )
            )
        return await try_acting(login, WRITER, 5.0, assistant=assistant, endpoint=endpoint)


@pytest.mark.parametrize(
    ("answer", "status", "assistant", "result", "says"),
    [
        (DENIED, 403, True, PermissionResult.OK, ""),
        (GRANTED, 200, True, PermissionResult.FAILED, "the assistant's credentials can act as writer@"),
        (GRANTED, 200, False, PermissionResult.OK, ""),
        (DENIED, 403, False, PermissionResult.DENIED, "cannot act as writer@"),
        (BROKEN, 503, True, PermissionResult.UNKNOWN, ""),
        ({"odd": 1}, 403, True, PermissionResult.UNKNOWN, ""),
        ({"odd": 1}, 200, True, PermissionResult.UNKNOWN, ""),
    ],
    ids=["kept out", "let in", "a person", "a person kept out", "unavailable", "no reason", "no token"],
)
async def test_an_assistant_must_be_kept_out_and_a_person_let_in(
    answer: object,
    status: int,
    assistant: bool,  # noqa: FBT001 - a case of the table
    result: PermissionResult,
    says: str,
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = await tried(answer, status, tmp_path, key, monkeypatch, assistant=assistant)

    assert told.result is result, told
    assert says in (told.reason or "")
    assert "hunter2" not in told.model_dump_json()
    assert told.mend if result is not PermissionResult.OK else True


PROVED = {
    "reason and words": DENIED,
    "reason alone": refusal(
        "The caller does not have permission", info("IAM_PERMISSION_DENIED", permission=PERMISSION)
    ),
    "reason without metadata, and words": refusal(WORDS, info("IAM_PERMISSION_DENIED")),
    "words alone": refusal(WORDS),
    "words without details": {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": WORDS}},
    "words of another year": refusal(
        f"Permission {PERMISSION} is required to perform this operation on service account "
        f"projects/-/serviceAccounts/{WRITER}."
    ),
    "words that name the account": refusal(f"Permission '{PERMISSION}' denied for {WRITER}"),
    "words that miss it": refusal(f"The caller does not have permission {PERMISSION}."),
    "a resource that is the account": refusal(
        WORDS,
        info("IAM_PERMISSION_DENIED", permission=PERMISSION, resource=f"projects/-/serviceAccounts/{WRITER}"),
    ),
    "details of other kinds beside it": refusal(
        WORDS,
        {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "1"},
        info("IAM_PERMISSION_DENIED", permission=PERMISSION),
    ),
}
"""Refusals that prove that these credentials cannot act as the account."""

QUOTA = (
    "Your application is authenticating by using local Application Default Credentials. The "
    "iamcredentials.googleapis.com API requires a quota project, which is not set by default."
)
UNUSED = (
    "IAM Service Account Credentials API has not been used in project 123 before or it is disabled. "
    "Enable it by visiting https://console.developers.google.com/apis/api/iamcredentials.googleapis.com"
)
NOT_PROVED: dict[str, tuple[object, int, str]] = {
    "the API is disabled": (
        refusal(UNUSED, info("SERVICE_DISABLED", service="iamcredentials.googleapis.com", consumer="projects/123")),
        403,
        "gcloud services enable iamcredentials.googleapis.com",
    ),
    "the API is disabled, in words": (refusal(UNUSED), 403, "gcloud services enable iamcredentials.googleapis.com"),
    "no quota project": (
        refusal(QUOTA, info("SERVICE_DISABLED", consumer="projects/764086051850")),
        403,
        "gcloud auth application-default set-quota-project",
    ),
    "the quota project is denied": (
        refusal(
            "Caller does not have required permission to use project team-quota-7. Grant the caller the "
            "roles/serviceusage.serviceUsageConsumer role",
            info("USER_PROJECT_DENIED", consumer="projects/team-quota-7"),
        ),
        403,
        "roles/serviceusage.serviceUsageConsumer",
    ),
    "a service perimeter": (
        refusal(
            "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: abc",
            info("SECURITY_POLICY_VIOLATED", uid="abc"),
        ),
        403,
        "VPC Service Controls",
    ),
    "an organization policy": (
        refusal("Operation denied by org policy: constraints/iam.x", info("ORG_POLICY_VIOLATED")),
        403,
        "organization policy",
    ),
    "a policy while the permission is named": (
        refusal(f"Permission '{PERMISSION}' denied: organization policy constraints/iam.x applies"),
        403,
        "organization policy",
    ),
    "too few scopes": (
        refusal(
            "Request had insufficient authentication scopes.",
            info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", method="GenerateAccessToken"),
        ),
        403,
        "scope",
    ),
    "billing": (refusal("This API method requires billing to be enabled.", info("BILLING_DISABLED")), 403, "billing"),
    "another permission": (
        refusal(
            "Permission 'iam.serviceAccounts.signBlob' denied on resource (or it may not exist).",
            info("IAM_PERMISSION_DENIED", permission="iam.serviceAccounts.signBlob"),
        ),
        403,
        "another permission",
    ),
    "another permission, in words": (
        refusal("Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource"),
        403,
        "another permission",
    ),
    "a permission that begins alike": (refusal(f"Permission '{PERMISSION}s' denied on resource"), 403, "permission"),
    "a permission that ends alike": (refusal(f"Permission 'my.{PERMISSION}' denied on resource"), 403, "permission"),
    "the reason names one, the words another": (
        refusal("Permission 'iam.roles.get' denied", info("IAM_PERMISSION_DENIED", permission=PERMISSION)),
        403,
        "another permission",
    ),
    "another account, in the metadata": (
        refusal(
            WORDS, info("IAM_PERMISSION_DENIED", permission=PERMISSION, resource=f"projects/-/serviceAccounts/{OTHER}")
        ),
        403,
        "another account",
    ),
    "another account, as account": (
        refusal(WORDS, info("IAM_PERMISSION_DENIED", permission=PERMISSION, serviceAccount=OTHER)),
        403,
        "another account",
    ),
    "another account, in words": (
        refusal(f"Permission '{PERMISSION}' denied on resource projects/-/serviceAccounts/{OTHER}"),
        403,
        "another account",
    ),
    "another account, by address": (refusal(f"Permission '{PERMISSION}' denied for {OTHER}"), 403, "another account"),
    "an account that ends alike": (refusal(f"Permission '{PERMISSION}' denied for x-{WRITER}"), 403, "another account"),
    "disabled, and the permission in words": (
        refusal(WORDS, info("SERVICE_DISABLED", permission=PERMISSION)),
        403,
        "gcloud services enable iamcredentials.googleapis.com",
    ),
    "two reasons": (
        refusal(WORDS, info("IAM_PERMISSION_DENIED", permission=PERMISSION), info("USER_PROJECT_DENIED")),
        403,
        "roles/serviceusage.serviceUsageConsumer",
    ),
    "a reason of tomorrow": (refusal(WORDS, info("SOMETHING_NEW")), 403, "get-iam-policy"),
    "the permission is only mentioned": (refusal(f"see the docs of {PERMISSION}"), 403, "get-iam-policy"),
    "words alone that tell nothing": (refusal("The caller does not have permission"), 403, "get-iam-policy"),
    "no words": (refusal(""), 403, "get-iam-policy"),
    "reason alone, without a permission": (refusal("no", info("IAM_PERMISSION_DENIED")), 403, "get-iam-policy"),
    "a status that is no refusal": (refusal(WORDS, status="UNAUTHENTICATED", code=401), 401, "sign in"),
    "a code that contradicts": (refusal(WORDS, code=500), 403, "get-iam-policy"),
    "an answer that contradicts": (DENIED, 500, "run again later"),
    "no such account": (refusal("Not found; Gaia id not found", status="NOT_FOUND", code=404), 404, "impersonate"),
    "metadata that is none": (
        refusal(WORDS, {"@type": TYPE, "reason": "IAM_PERMISSION_DENIED", "metadata": [PERMISSION]}),
        403,
        "get-iam-policy",
    ),
    "a reason that is none": (refusal(WORDS, {"@type": TYPE, "reason": ["SERVICE_DISABLED"]}), 403, "get-iam-policy"),
    "details that are none": (
        {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": WORDS, "details": "SERVICE_DISABLED"}},
        403,
        "get-iam-policy",
    ),
    "a page of a proxy": (b"<html><title>403 Forbidden</title>" + WORDS.encode() + b"</html>", 403, "proxy"),
    "a page in another encoding": ("<html>Zugriff verweigert: ungültig</html>".encode("latin-1"), 403, "proxy"),
    "an empty answer": (b"", 403, "proxy"),
    "half an answer": (json.dumps(DENIED).encode()[:-20], 403, "proxy"),
    "a list": ([DENIED], 403, "proxy"),
    "an error as text": ({"error": "access_denied", "error_description": WORDS}, 403, "proxy"),
    "brackets without end": (b"[" * 20_000, 403, "proxy"),
    "a list where a token should be": ([1], 200, "proxy"),
    "a page of a proxy that says 200": (b"<html>sign in</html>", 200, "proxy"),
    "bytes where a token should be": (b"\xff\xfe", 200, "proxy"),
}
"""Refusals that prove nothing about the account, and what the next step is about."""


@pytest.mark.parametrize("answer", PROVED.values(), ids=PROVED)
async def test_a_refusal_of_the_permission_proves_it(
    answer: object, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_out = await tried(answer, 403, tmp_path, key, monkeypatch, assistant=True)
    person = await tried(answer, 403, tmp_path, key, monkeypatch, assistant=False)

    assert (kept_out.result, person.result) == (PermissionResult.OK, PermissionResult.DENIED), (kept_out, person)
    assert "roles/iam.serviceAccountTokenCreator" in (person.mend or "")


@pytest.mark.parametrize("assistant", [True, False], ids=["assistant", "person"])
@pytest.mark.parametrize(("answer", "status", "step"), NOT_PROVED.values(), ids=NOT_PROVED)
async def test_any_other_refusal_leaves_it_unknown_and_has_a_step_of_its_own(
    answer: object,
    status: int,
    step: str,
    assistant: bool,  # noqa: FBT001 - a case of the table
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = await tried(answer, status, tmp_path, key, monkeypatch, assistant=assistant)

    assert told.result is PermissionResult.UNKNOWN, told
    assert told.reason
    assert len(told.reason) < 700
    assert told.reason.isprintable()
    assert step in (told.mend or ""), told
    assert "serviceAccountTokenCreator" not in told.model_dump_json()


@pytest.mark.parametrize("assistant", [True, False], ids=["assistant", "person"])
async def test_credentials_that_are_refused_another_account_first_prove_nothing_of_this_one(
    assistant: bool,  # noqa: FBT001 - a case of the table
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = await tried(DENIED, 403, tmp_path, key, monkeypatch, assistant=assistant, by_way_of=OTHER)

    assert told.result is PermissionResult.UNKNOWN, told
    assert "serviceAccountTokenCreator" not in told.model_dump_json()


async def test_the_account_itself_may_be_denied_its_own_token_and_can_act_all_the_same(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await tried(DENIED, 403, tmp_path, key, monkeypatch, assistant=True, reader=WRITER)

    assert told.result is PermissionResult.FAILED, told
    assert "can act as writer@" in (told.reason or "")


async def test_nothing_is_asked_of_a_practice_cloud() -> None:
    text = settings_text("example") + f"\n[writes]\nenabled = true\nimpersonate = '{WRITER}'\n"
    settings = Settings(parse_settings(text, origin="F"), Path("F"), named=True)
    async with Sandbox(build("healthy")) as cloud:
        told = await examine(settings, assistant=True, environment=cloud.environment())

    assert "writes" not in {probe.source for probe in told.probes}
