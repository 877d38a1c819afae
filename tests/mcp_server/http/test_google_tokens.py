import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest
from google.auth.exceptions import TransportError
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.shared.exceptions import MCPError

from checks.settings.named_file_only import Http
from mcp_server.http.certificates import Certificates
from mcp_server.http.google_tokens import GoogleTokens

from support.google_signer import AUDIENCE, CertificateAddress, Signer, certificate_address, encoded, part, signer
from support.http_server import ERAS, PIPELINE, TEAM, client_of, post, serving

GCLOUD = "32555940559.apps.googleusercontent.com"


@pytest.fixture
def team(tmp_path: Path) -> Path:
    path = tmp_path / "team.toml"
    path.write_text(PIPELINE + TEAM)
    return path


@pytest.fixture
async def url(team: Path) -> AsyncIterator[str]:
    async with serving(team) as address:
        yield address


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def nested() -> str:
    return f"{encoded(b'[' * 1_400)}.{part({})}.{part({})}"


def changed() -> str:
    """Ana's token with Ben's claims."""
    header, _, signature = signer().token().split(".")
    return ".".join((header, signer().token(email="ben@example.com").split(".")[1], signature))


REFUSED: dict[str, Callable[[], str]] = {
    "expired": lambda: signer().token(iat=int(time.time()) - 7_200, exp=int(time.time()) - 3_600),
    "not yet issued": lambda: signer().token(iat=int(time.time()) + 600, exp=int(time.time()) + 4_200),
    "not yet valid": lambda: signer().token(nbf=int(time.time()) + 600),
    "without an end": lambda: signer().token(exp=None),
    "of another audience": lambda: signer().token(aud="https://elsewhere.example"),
    "of an audience that only begins like ours": lambda: signer().token(aud=f"{AUDIENCE}.evil.example"),
    "of several audiences": lambda: signer().token(aud=[AUDIENCE, "https://elsewhere.example"]),
    "without an audience": lambda: signer().token(aud=None),
    "of another issuer": lambda: signer().token(iss="https://accounts.evil.example"),
    "without an issuer": lambda: signer().token(iss=None),
    "of an unverified email": lambda: signer().token(email_verified=False),
    "of an email that is verified in words": lambda: signer().token(email_verified="true"),
    "that does not say whether the email is verified": lambda: signer().token(email_verified=None),
    "without an email": lambda: signer().token(email=None),
    "without a subject": lambda: signer().token(sub=None),
    "not signed": lambda: signer().token(header={"alg": "none"}),
    "signed with the public key as a secret": lambda: signer().token(header={"alg": "HS256"}),
    "signed by a key that is not Google's": lambda: Signer().token(),
    "of an unknown key": lambda: signer().token(header={"kid": "key-2"}),
    "of a key by a list of names": lambda: signer().token(header={"kid": ["key-1"]}),
    "of an algorithm that is no text": lambda: signer().token(header={"alg": ["RS256"]}),
    "for another algorithm": lambda: signer().token(header={"alg": "ES256"}),
    "garbage": lambda: "garbage",
    "garbage in three parts": lambda: "a.b.c",
    "no ASCII": lambda: "\u00e4.\u00e4.\u00e4",
    "no objects": lambda: f"{part([])}.{part([])}.{part('')}",
    "a thousand brackets": nested,
    "whose claims were changed": changed,
    "20 KB": lambda: signer().token(padding="x" * 20_000),
}


async def test_a_bad_token_is_unauthorized_and_the_answer_says_where_to_get_a_good_one(url: str) -> None:
    told = {name: await post(url, bearer(make())) for name, make in REFUSED.items()}

    assert {name: answer.status_code for name, answer in told.items()} == dict.fromkeys(REFUSED, 401)
    for answer in told.values():
        header = answer.headers["WWW-Authenticate"]
        assert 'error="invalid_token"' in header
        assert 'resource_metadata="https://validate-daily.example/.well-known/oauth-protected-resource/mcp"' in header


GOOD: dict[str, Callable[[], str]] = {
    "for the server": lambda: signer().token(),
    "of a person who used gcloud": lambda: signer().token(aud=GCLOUD, azp=GCLOUD),
    "by the issuer's other name": lambda: signer().token(iss="accounts.google.com"),
    "a few seconds too early": lambda: signer().token(iat=int(time.time()) + 5),
    "a few seconds too late": lambda: signer().token(iat=int(time.time()) - 3_600, exp=int(time.time()) - 2),
    "in other letters": lambda: signer().token(email="ANA@example.com"),
    "of a writer": lambda: signer().token(email="ben@example.com"),
}


async def test_a_good_token_is_let_in(url: str) -> None:
    told = {name: await post(url, bearer(make())) for name, make in GOOD.items()}

    assert {name: answer.status_code for name, answer in told.items()} == dict.fromkeys(GOOD, 200)
    assert all("check_heartbeats" in answer.text for answer in told.values())


async def test_a_stranger_is_forbidden(url: str) -> None:
    for email in ("eve@example.com", "ana@example.com.evil.example", "xana@example.com", "@example.com", ""):
        answer = await post(url, bearer(signer().token(email=email)))

        assert answer.status_code == 403, email
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_person_with_a_token_sees_the_tools(url: str, era: str) -> None:
    async with client_of(url, era, signer().token()) as client:
        tools = await client.list_tools()

    assert "check_heartbeats" in {tool.name for tool in tools.tools}


async def test_a_person_without_a_token_gets_no_connection(url: str) -> None:
    with pytest.RaisesGroup(MCPError, flatten_subgroups=True, allow_unwrapped=True):
        async with client_of(url, "auto") as client:
            await client.list_tools()


async def test_no_token_is_unauthorized(url: str) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"X-Authorization": f"Bearer {signer().token()}"}):
        assert (await post(url, headers)).status_code == 401


async def test_the_metadata_names_the_issuer_and_needs_no_token(url: str) -> None:
    async with httpx2.AsyncClient() as client:
        told = (await client.get(url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp"))).json()

    assert told["resource"] == "https://validate-daily.example/mcp"
    assert told["authorization_servers"] == ["https://accounts.google.com"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_tool_knows_which_of_two_concurrent_callers_calls_it(team: Path, era: str) -> None:
    both = asyncio.Barrier(2)

    async def who() -> dict[str, str]:
        """Say who calls."""
        await both.wait()
        caller = get_access_token()
        return {"email": caller.client_id if caller else "nobody"}

    async with (
        serving(team, tools=[who]) as url,
        client_of(url, era, signer().token()) as ana,
        client_of(url, era, signer().token(email="ben@example.com")) as ben,
    ):
        async with asyncio.timeout(60):
            told = await asyncio.gather(ana.call_tool("who", {}), ben.call_tool("who", {}))

    assert [each.structured_content for each in told] == [{"email": "ana@example.com"}, {"email": "ben@example.com"}]


async def test_without_certificates_nobody_is_let_in_and_the_reason_is_logged(
    team: Path, caplog: pytest.LogCaptureFixture
) -> None:
    unreachable = CertificateAddress([TransportError("connection refused")])
    with caplog.at_level(logging.WARNING):
        async with serving(team, fetch=unreachable) as url:
            answer = await post(url, bearer(signer().token()))
            again = await post(url, bearer(signer().token()))

    assert (answer.status_code, again.status_code) == (503, 503)
    assert answer.headers["Retry-After"] == "10"
    assert "certificates cannot be had" in answer.text
    assert "connection refused" in caplog.text
    assert len(unreachable.asked) == 1


async def test_no_part_of_a_refused_token_is_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    marked = "c2VjcmV0LXRleHQ"
    with caplog.at_level(logging.DEBUG):
        await post(url, bearer(f"{marked}.{marked}"))
        await post(url, bearer(f"{marked}.{marked}.{marked}"))
        await post(url, bearer(f"{part({'alg': 'RS256'})}.{part([marked])}.{marked}"))

    ours = [record.getMessage() for record in caplog.records if record.name.startswith("mcp_server")]
    assert len(ours) == 3
    assert marked not in "".join(ours)
    assert "secret-text" not in "".join(ours)


async def test_the_reason_of_a_refusal_is_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    await post(url, bearer(signer().token(aud="https://elsewhere.example")))

    assert "a token was refused: Token has wrong audience https://elsewhere.example" in caplog.text


@pytest.mark.parametrize(
    ("email", "scopes"),
    [("ana@example.com", ["read"]), ("Ben@Example.com", ["read", "write"]), ("eve@example.com", [])],
    ids=["reader", "writer", "stranger"],
)
async def test_who_calls_is_the_verified_email_and_the_settings_say_what_they_may(
    email: str, scopes: list[str]
) -> None:
    http = Http(audience=(AUDIENCE,), readers=("ana@example.com",), writers=("ben@example.com",))

    known = await GoogleTokens(http, Certificates(certificate_address())).verify_token(signer().token(email=email))

    assert known is not None
    assert (known.client_id, known.subject, known.scopes) == (email.lower(), "108", scopes)
    assert known.claims == {"iss": "https://accounts.google.com", "sub": "108", "email": email.lower()}
    assert json.dumps(known.claims)
