"""``validate-daily mcp --http``: what it refuses to start with, and how it ends."""

import argparse
import asyncio
import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from checks.settings.template import settings_text
from mcp_server.http.address import address

from support import prepared
from support.http_server import ERAS, PIPELINE, TEAM, client_of, post, started
from support.registry_world import Asked, Reply, registry

if TYPE_CHECKING:
    from tests.conftest import Serve

ALL = "0.0.0.0"  # noqa: S104 - what a container listens at


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(PIPELINE)
    return path


@pytest.fixture
def team(tmp_path: Path) -> Path:
    path = tmp_path / "team.toml"
    path.write_text(PIPELINE + TEAM)
    return path


def refused(*arguments: str, cwd: Path | None = None) -> str:
    done = prepared.run("mcp", *arguments, environment=os.environ | {"XDG_CONFIG_HOME": str(cwd)}, folder=cwd)
    assert done.returncode == 64, done.stderr
    assert "listening" not in done.stderr
    assert not done.stdout
    return done.stderr


NOT_ENOUGH = {
    "nothing": ("", r"http\.audience is empty"),
    "an empty audience": ("[http]\naudience = []\nreaders = ['ana@example.com']\n", r"http\.audience is empty"),
    "a client id alone": (
        "[http]\naudience = '32555940559.apps.googleusercontent.com'\nreaders = ['ana@example.com']\n",
        r"http\.audience names no https:// address",
    ),
    "nobody who may call": ("[http]\naudience = 'https://a.example'\n", r"http\.readers and http\.writers are empty"),
}


@pytest.mark.parametrize("host", [ALL, "[::]", "192.0.2.1", "localhost.example"])
def test_beyond_loopback_nothing_starts_without_authentication(config: Path, host: str) -> None:
    assert "http.audience is empty" in refused("--http", f"{host}:0", "--config", str(config))


@pytest.mark.parametrize(("text", "message"), NOT_ENOUGH.values(), ids=NOT_ENOUGH)
def test_authentication_that_is_not_complete_starts_nothing(config: Path, text: str, message: str) -> None:
    config.write_text(PIPELINE + text)

    told = refused("--http", f"{ALL}:0", "--config", str(config))

    assert re.search(rf"^validate-daily: {config}: {message}", told)


@pytest.mark.parametrize("at", ["127.0.0.1:0", f"{ALL}:0"])
def test_authentication_counts_only_in_a_file_that_the_user_named(tmp_path: Path, at: str) -> None:
    (tmp_path / "validate-daily.toml").write_text(PIPELINE + TEAM)

    assert "http counts only in a file that you name: pass --config" in refused("--http", at, cwd=tmp_path)


def test_settings_that_are_wrong_start_nothing_and_are_named_by_key(config: Path) -> None:
    config.write_text(PIPELINE + "[http]\nreader = ['ana@example.com']\n")

    assert "http.reader: unknown key (did you mean readers?)" in refused(
        "--http", "127.0.0.1:0", "--config", str(config)
    )


def test_what_is_no_address_is_wrong_usage() -> None:
    assert "argument --http: '127.0.0.1' is no HOST:PORT, as in 127.0.0.1:8000" in refused("--http", "127.0.0.1")


@pytest.mark.parametrize(
    "text", ["8000", ":8000", "127.0.0.1:", "::1:8000", "[]:1", "127.0.0.1:65536", "127.0.0.1:-1", "[::1]", "a:\u0663"]
)
def test_an_address_has_a_host_and_a_port(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no HOST:PORT"):
        address(text)


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("127.0.0.1:8000", True),
        ("127.9.9.9:0", True),
        ("localhost:65535", True),
        ("LOCALHOST:1", True),
        ("[::1]:8000", True),
        ("0.0.0.0:8080", False),
        ("[::]:8080", False),
        ("localhost.example:8000", False),
        ("127.0.0.1.nip.io:8000", False),
    ],
)
def test_only_what_names_this_machine_is_loopback(text: str, *, loopback: bool) -> None:
    at = address(text)

    assert at.loopback is loopback
    assert str(at) == text


def test_a_port_in_use_is_named(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        told = refused("--http", at, "--config", str(config))

    assert told.startswith(f"validate-daily: --http {at} cannot be had (")
    assert "ddress already in use" in told
    assert told.endswith("): name another address\n")


@pytest.mark.parametrize("at", ["127.0.0.1:0", "localhost:0"])
async def test_loopback_serves_without_a_token_and_says_where(config: Path, at: str) -> None:
    async with started(config, at) as server:
        assert re.fullmatch(rf"http://{at.removesuffix(':0')}:[1-9]\d+/mcp", server.url)
        assert (await post(server.url)).status_code == 200


async def test_loopback_asks_for_a_token_where_the_settings_name_callers(team: Path) -> None:
    async with started(team) as server:
        assert (await post(server.url)).status_code == 401


async def test_all_addresses_are_served_with_a_token_by_the_name_of_the_audience(team: Path) -> None:
    async with started(team, f"{ALL}:0") as server, httpx2.AsyncClient() as client:
        here = server.url.replace(ALL, "127.0.0.1")

        assert (await post(here, {"Host": "validate-daily.example"})).status_code == 401
        assert (await client.get(here.replace("/mcp", "/health"))).status_code == 200


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["terminate", "ctrl-c"])
async def test_a_server_that_is_ended_answers_the_calls_that_run(
    serve: "Serve", tmp_path: Path, era: str, sign: signal.Signals
) -> None:
    path = tmp_path / "example.toml"
    path.write_text(settings_text("example"))
    asked, go = asyncio.Event(), asyncio.Event()

    async def gate(_: Asked) -> Reply:
        asked.set()
        await go.wait()
        return Reply(404)

    cloud = await serve("healthy")
    async with registry(gate) as address:
        environment = cloud.environment() | {"VALIDATE_DAILY_REGISTRY_ENDPOINT": address}
        async with started(path, environment=environment) as server, client_of(server.url, era) as client:
            await client.list_tools()  # else it asks for the schema when the answer is there
            call = asyncio.create_task(client.call_tool("check_heartbeats", {"phase": "all"}))
            await asked.wait()
            server.process.send_signal(sign)
            async with asyncio.timeout(60):
                await _closed(server.url)
            assert not call.done()
            go.set()
            result = await call
            code = await server.process.wait()

    assert result.structured_content is not None
    assert result.structured_content["census"]["total"] == 30
    assert code == (0 if sign is signal.SIGTERM else 130)


async def _closed(url: str) -> None:
    """Wait until nobody is let in any more."""
    host, port = url.removeprefix("http://").removesuffix("/mcp").split(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
            await writer.wait_closed()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            continue  # it stood in the queue when the listener was closed: nobody had accepted it


async def test_the_bare_module_serves_over_http_too(config: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mcp_server", "--http", "127.0.0.1:0", "--config", str(config)),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    line = await process.stderr.readline()
    process.terminate()
    await process.communicate()

    assert line.startswith(b"listening on http://127.0.0.1:")
    assert process.returncode == 0
