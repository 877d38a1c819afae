import asyncio
import json
import socket
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from checks.evidence.snapshot import Target
from checks.sources.addresses import GOOGLE_REGISTRIES
from checks.sources.budget import Budget
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.image_references import parse_image
from checks.sources.permission_checks.identity import caller_of
from checks.sources.registry.tags import read_tags

from support.registry_world import Asked, Handler, Reply, registry

VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
GOOGLE = Target(source="registry", address=GOOGLE_REGISTRIES, resource="tags", practice=False)


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _account(folder: Path, address: str, key: str) -> str:
    """A service account whose tokens come from an address on loopback."""
    told = {
        "type": "service_account",
        "project_id": "demo-nba",
        "private_key": key,
        "private_key_id": "1",
        "client_email": "check@demo-nba.iam.gserviceaccount.com",
        "token_uri": f"http://{address}/token",
    }
    path = folder / "account.json"
    path.write_text(json.dumps(told))
    return str(path)


async def _token(handler: Handler, folder: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> str:
    async with registry(handler) as address:
        monkeypatch.setenv(VARIABLE, _account(folder, address, key))
        login = Login()
        first, second = await asyncio.gather(login.token(), login.token())
        assert first == second
        return first


async def test_a_token_is_text_and_shared(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def give(asked: Asked) -> Reply:
        body = json.dumps({"access_token": "practice-token", "expires_in": 3_600, "token_type": "Bearer"}).encode()
        return Reply(200, {"Content-Type": "application/json"}, body)

    assert await _token(give, tmp_path, key, monkeypatch) == "practice-token"


async def test_a_refused_token_says_what_to_do(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(asked: Asked) -> Reply:
        return Reply(400, {"Content-Type": "application/json"}, b'{"error": "invalid_grant", "token": "hunter2"}')

    with pytest.raises(SourceError, match="no usable credentials") as failure:
        await _token(refuse, tmp_path, key, monkeypatch)

    assert "gcloud auth application-default login" in failure.value.next_step
    assert "hunter2" not in str(failure.value)


async def test_no_credentials_is_a_gap_of_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/no/such/file.json")

    tags, gaps = await read_tags([parse_image("gcr.io/p/x:v1")], GOOGLE, Budget(5.0))

    assert tags == ()
    assert [gap.source for gap in gaps] == ["registry"]
    assert gaps[0].reason.startswith("no usable credentials")


async def test_credentials_that_do_not_come_are_a_gap_within_the_budget(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(VARIABLE, _account(tmp_path, f"127.0.0.1:{silent.getsockname()[1]}", key))
        started = asyncio.get_running_loop().time()
        tags, gaps = await read_tags([parse_image("gcr.io/p/x:v1")], GOOGLE, Budget(1.0))

    assert asyncio.get_running_loop().time() - started < 5
    assert tags == ()
    assert gaps[0].reason == "no credentials within the time given"


async def test_an_impersonated_account_is_the_one_that_acts(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, _account(tmp_path, "127.0.0.1:1", key))

    found = await Login(impersonate="writer@demo-nba.iam.gserviceaccount.com").credentials()

    assert caller_of(found).name == "writer@demo-nba.iam.gserviceaccount.com"
