"""What every caller meets over HTTP, whoever they are."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from checks.settings.template import settings_text
from mcp_server.http.server import MOST_BYTES
from validate_daily.sandbox import Fault

from support.google_signer import signer
from support.http_server import ERAS, HEADERS, LIST, PIPELINE, TEAM, client_of, post, serving

if TYPE_CHECKING:
    from tests.conftest import Serve


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


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "example.toml"
    path.write_text(settings_text("example"))
    return path


@pytest.fixture
async def url(config: Path) -> AsyncIterator[str]:
    async with serving(config) as address:
        yield address


async def test_health_needs_no_token_and_says_nothing_of_the_pipeline(team: Path) -> None:
    async with serving(team) as url, httpx2.AsyncClient() as client:
        answer = await client.get(url.replace("/mcp", "/health"))

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": answer.json()["version"]}
    assert "server" not in answer.headers


async def test_a_call_by_another_host_name_is_misdirected(url: str) -> None:
    port = url.split(":")[2].removesuffix("/mcp")
    hosts = ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", "127.0.0.1", "127.0.0.1:1")

    assert [(await post(url, {"Host": host})).status_code for host in hosts] == [421] * len(hosts)
    for own in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"):
        assert (await post(url, {"Host": own})).status_code == 200


async def test_a_page_of_another_origin_is_forbidden(url: str) -> None:
    for origin in ("https://evil.example", "null", url.replace("/mcp", ".evil.example")):
        assert (await post(url, {"Origin": origin})).status_code == 403
    assert (await post(url, {"Origin": url.removesuffix("/mcp")})).status_code == 200


async def test_a_team_calls_by_the_name_of_the_audience(team: Path) -> None:
    async with serving(team) as url:
        headers = {"Authorization": f"Bearer {signer().token()}"}

        assert (await post(url, headers | {"Host": "validate-daily.example"})).status_code == 200
        assert (await post(url, headers | {"Host": "elsewhere.example"})).status_code == 421


async def test_a_request_that_is_too_large_is_refused_however_it_is_sent(url: str) -> None:
    async def in_parts() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * (MOST_BYTES // 4)

    async with httpx2.AsyncClient(headers=HEADERS | {"Content-Type": "application/json"}) as client:
        for content in (b" " * (MOST_BYTES + 1), in_parts()):
            assert (await client.post(url, content=content)).status_code == 413
        fits = json.dumps(LIST).encode().ljust(MOST_BYTES)
        assert (await client.post(url, content=fits)).status_code == 200


async def test_only_post_is_served(url: str) -> None:
    async with httpx2.AsyncClient(headers=HEADERS) as client:
        for method in ("GET", "DELETE", "PUT", "OPTIONS"):
            answer = await client.request(method, url)
            assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


async def test_whoever_comes_above_the_bound_is_told_so_and_served_later(config: Path) -> None:
    async with serving(config, connections=3) as url:
        host, port = url.removeprefix("http://").removesuffix("/mcp").split(":")
        idle = [await asyncio.open_connection(host, int(port)) for _ in range(2)]
        full = await post(url)
        for _, writer in idle:
            writer.close()
            await writer.wait_closed()
        async with asyncio.timeout(60):
            while (again := await post(url)).status_code == 503:
                pass

    assert (full.status_code, again.status_code) == (503, 200)


@pytest.mark.parametrize("era", ERAS)
async def test_both_protocol_revisions_get_a_report(serve: "Serve", example: Path, era: str) -> None:
    cloud = await serve("few-late")
    async with serving(example, environment=cloud.environment()) as url, client_of(url, era) as client:
        result = await client.call_tool("check_heartbeats", {})

    assert not result.is_error
    assert result.structured_content is not None
    assert result.structured_content["verdict"] == "P2"


class Alternating(httpx2.AsyncBaseTransport):
    """Sends every request to another instance than the one before."""

    def __init__(self, *urls: str) -> None:
        self.inner = httpx2.AsyncHTTPTransport()
        self.turns = cycle([httpx2.URL(url) for url in urls])
        self.asked: list[int | None] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        where = next(self.turns)
        self.asked.append(where.port)
        request.url = where
        request.headers["Host"] = where.netloc.decode()
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


@pytest.mark.parametrize("era", ERAS)
async def test_two_instances_serve_one_client_in_turn(serve: "Serve", example: Path, era: str) -> None:
    environment = (await serve("healthy")).environment()
    async with serving(example, environment=environment) as one, serving(example, environment=environment) as two:
        transport = Alternating(one, two)
        async with (
            httpx2.AsyncClient(transport=transport) as http,
            Client(streamable_http_client(one, http_client=http), mode=era) as client,
        ):
            tools = [[tool.name for tool in (await client.list_tools()).tools] for _ in range(3)]
            verdicts = [(await client.call_tool("check_heartbeats", {})).structured_content for _ in range(3)]

    assert tools[0] == tools[1] == tools[2]
    assert [each["verdict"] for each in verdicts if each] == ["healthy"] * 3
    assert len(set(transport.asked)) == 2


@pytest.mark.parametrize("era", ERAS)
async def test_calls_that_ask_a_hanging_upstream_hold_up_no_others(serve: "Serve", example: Path, era: str) -> None:
    cloud = await serve("healthy", Fault(hang=True, service="logging"))
    async with serving(example, environment=cloud.environment()) as url, client_of(url, era) as client:
        hanging = [asyncio.create_task(client.call_tool("search_logs", {})) for _ in range(40)]
        async with asyncio.timeout(60):
            others = await asyncio.gather(*(client.call_tool("check_heartbeats", {}) for _ in range(40)))
        assert not all(task.done() for task in hanging)
        for task in hanging:
            task.cancel()
        await asyncio.wait(hanging)

    assert [each.structured_content["verdict"] for each in others if each.structured_content] == ["healthy"] * 40
