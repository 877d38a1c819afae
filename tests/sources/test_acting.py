"""Credentials are asked whether they can act as the account that changes things; the token is dropped."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from checks.doctor import examine
from checks.probe import Probe, Result
from checks.settings import Settings, parse_settings
from checks.sources.acting import try_acting
from checks.sources.login import Login
from sandbox import Sandbox, build
from validate_daily.init import settings_text

from support.registry_world import Asked, Reply, registry

VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
WRITER = "writer@demo-nba.iam.gserviceaccount.com"
GRANTED = {"accessToken": "hunter2-hunter2", "expireTime": "2099-01-01T00:00:00Z"}
DENIED = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}}
BROKEN = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "later"}}


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


async def tried(
    answer: object, status: int, folder: Path, key: str, monkeypatch: pytest.MonkeyPatch, *, assistant: bool
) -> Probe:
    """What comes of it where Google answers so."""

    async def reply(asked: Asked) -> Reply:
        kind = {"Content-Type": "application/json"}
        if "token" in asked.path and "generate" not in asked.path:
            told: object = {"access_token": "practice", "expires_in": 3_600, "token_type": "Bearer"}
            return Reply(200, kind, json.dumps(told).encode())
        return Reply(status, kind, json.dumps(answer).encode())

    async with registry(reply) as address:
        account = {
            "type": "service_account",
            "private_key": key,
            "private_key_id": "1",
            "client_email": "reader@demo-nba.iam.gserviceaccount.com",
            "token_uri": f"http://{address}/token",
        }
        path = folder / "account.json"
        path.write_text(json.dumps(account))
        monkeypatch.setenv(VARIABLE, str(path))
        endpoint = f"http://{address}/generateAccessToken"
        return await try_acting(Login(), WRITER, 5.0, assistant=assistant, endpoint=endpoint)


@pytest.mark.parametrize(
    ("answer", "status", "assistant", "result", "says"),
    [
        (DENIED, 403, True, Result.OK, ""),
        (GRANTED, 200, True, Result.FAILED, "the assistant's credentials can act as writer@"),
        (GRANTED, 200, False, Result.OK, ""),
        (DENIED, 403, False, Result.DENIED, "cannot act as writer@"),
        (BROKEN, 503, True, Result.UNKNOWN, ""),
        ({"odd": 1}, 403, True, Result.UNKNOWN, ""),
        ({"odd": 1}, 200, True, Result.UNKNOWN, ""),
    ],
    ids=["kept out", "let in", "a person", "a person kept out", "unavailable", "no reason", "no token"],
)
async def test_an_assistant_must_be_kept_out_and_a_person_let_in(
    answer: object,
    status: int,
    assistant: bool,  # noqa: FBT001 - a case of the table
    result: Result,
    says: str,
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = await tried(answer, status, tmp_path, key, monkeypatch, assistant=assistant)

    assert told.result is result, told
    assert says in (told.reason or "")
    assert "hunter2" not in told.model_dump_json()
    assert told.mend if result is not Result.OK else True


async def test_nothing_is_asked_of_a_practice_cloud() -> None:
    text = settings_text("example") + f"\n[writes]\nenabled = true\nimpersonate = '{WRITER}'\n"
    settings = Settings(parse_settings(text, origin="F"), Path("F"), named=True)
    async with Sandbox(build("healthy")) as cloud:
        told = await examine(settings, assistant=True, environment=cloud.environment())

    assert "writes" not in {probe.source for probe in told.probes}
