"""The practice registry, through an ordinary HTTP client."""

import asyncio
import hashlib
import io
import random
import tarfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from validate_daily.sandbox.calls import Calls, recorder
from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.faults import Fault, Faults, Status
from validate_daily.sandbox.registry.images import INDEX, MANIFEST, REVISION, Image
from validate_daily.sandbox.registry.server import serve_registry
from validate_daily.sandbox.registry.store import Registry

REPOSITORY = "nba-props-platform/images/processors"
FIX = "app/shared/monitoring/processor_heartbeat.py"
OLD = Image(layers=[{FIX: b"return f'{self.processor_name}_{self.run_id}'\n"}], labels={REVISION: "0000aaaa"})
NEW = Image(
    layers=[*OLD.layers, {FIX: b"return self.processor_name\n", "app/.wh.main.py": b""}],
    labels={REVISION: "e1c10e88"},
    command=["gunicorn", "main:app"],
    environment={"ENABLE_HEARTBEATS": "true"},
)
INDEXED = Image(layers=NEW.layers, labels=NEW.labels, indexed=True)


@dataclass
class Served:
    """A registry that is served, a client for it, and what it was asked."""

    client: httpx2.AsyncClient
    address: str
    registry: Registry = field(default_factory=Registry)
    faults: Faults = field(default_factory=Faults)
    calls: Calls = field(default_factory=recorder)

    async def get(self, path: str) -> httpx2.Response:
        return await self.client.get(f"http://{self.address}/v2/{path}")

    async def document(self, path: str) -> Any:
        return (await self.get(path)).json()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx2.AsyncClient(trust_env=False))
        served = Served(client, "")
        served.address = await stack.enter_async_context(
            serve_registry(served.registry, clock=Clock(), faults=served.faults, calls=served.calls)
        )
        yield served


async def test_a_tag_leads_to_the_bytes_of_a_file(served: Served):
    digest = served.registry.push(REPOSITORY, NEW, "latest")
    answer = await served.get(f"{REPOSITORY}/manifests/latest")
    assert answer.headers["Docker-Content-Digest"] == digest
    assert answer.headers["Content-Type"] == MANIFEST
    assert digest == f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
    manifest = answer.json()
    config = await served.document(f"{REPOSITORY}/blobs/{manifest['config']['digest']}")
    assert config["config"]["Labels"] == {REVISION: "e1c10e88"}
    assert config["config"]["Cmd"] == ["gunicorn", "main:app"]
    assert config["config"]["Env"] == ["ENABLE_HEARTBEATS=true"]
    assert len(config["history"]) == len(manifest["layers"]) == 2
    top = manifest["layers"][-1]
    blob = (await served.get(f"{REPOSITORY}/blobs/{top['digest']}")).content
    assert (len(blob), f"sha256:{hashlib.sha256(blob).hexdigest()}") == (top["size"], top["digest"])
    with tarfile.open(fileobj=io.BytesIO(blob)) as layer:
        held = layer.extractfile(FIX)
        assert held is not None
        assert held.read() == NEW.layers[-1][FIX]
        assert {"app", "app/shared", "app/.wh.main.py"} <= set(layer.getnames())


def test_the_same_description_has_the_same_digest_and_another_has_another():
    first, second = Registry(), Registry()
    assert first.push("a", INDEXED) == second.push("b", INDEXED)
    assert len({first.push("a", image) for image in (OLD, NEW, INDEXED)}) == 3


async def test_a_tag_that_moves_leaves_the_image_that_it_named(served: Served):
    old = served.registry.push(REPOSITORY, OLD, "latest")
    new = served.registry.push(REPOSITORY, NEW, "latest")
    assert (await served.get(f"{REPOSITORY}/manifests/latest")).headers["Docker-Content-Digest"] == new
    assert (await served.get(f"{REPOSITORY}/manifests/{old}")).headers["Docker-Content-Digest"] == old
    served.registry.tag(REPOSITORY, "stable", old)
    assert served.registry.resolve(REPOSITORY, "stable") == old
    assert await served.document(f"{REPOSITORY}/tags/list") == {"name": REPOSITORY, "tags": ["latest", "stable"]}
    with pytest.raises(ValueError, match="has no image"):
        served.registry.tag(REPOSITORY, "latest", "sha256:none")


async def test_an_index_names_the_image_and_its_attestation(served: Served):
    plain = served.registry.push(REPOSITORY, Image(layers=NEW.layers, labels=NEW.labels))
    served.registry.push(REPOSITORY, INDEXED, "v2")
    answer = await served.get(f"{REPOSITORY}/manifests/v2")
    assert answer.headers["Content-Type"] == INDEX
    image, attestation = answer.json()["manifests"]
    assert image["digest"] == plain
    assert image["platform"] == {"architecture": "amd64", "os": "linux"}
    assert attestation["annotations"]["vnd.docker.reference.digest"] == plain
    statement = (await served.document(f"{REPOSITORY}/manifests/{attestation['digest']}"))["layers"][0]
    assert statement["mediaType"] == "application/vnd.in-toto+json"
    assert (await served.get(f"{REPOSITORY}/blobs/{statement['digest']}")).status_code == 200


async def test_a_head_has_the_headers_and_no_body(served: Served):
    digest = served.registry.push(REPOSITORY, NEW, "latest")
    for path in (f"manifests/{digest}", "manifests/latest"):
        answer = await served.client.head(f"http://{served.address}/v2/{REPOSITORY}/{path}")
        assert answer.headers["Docker-Content-Digest"] == digest
        assert int(answer.headers["Content-Length"]) > 0
        assert answer.content == b""
    assert [call.method for call in served.calls] == ["GetManifest", "GetManifest"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        pytest.param(f"{REPOSITORY}/manifests/none", "MANIFEST_UNKNOWN", id="tag"),
        pytest.param(f"{REPOSITORY}/manifests/sha256:{'0' * 64}", "MANIFEST_UNKNOWN", id="digest"),
        pytest.param(f"{REPOSITORY}/blobs/sha256:{'0' * 64}", "BLOB_UNKNOWN", id="blob"),
        pytest.param("other/manifests/latest", "NAME_UNKNOWN", id="repository"),
        pytest.param("other/tags/list", "NAME_UNKNOWN", id="tags"),
        pytest.param("_catalog", "UNSUPPORTED", id="route"),
    ],
)
async def test_what_is_not_there_is_a_404_in_the_words_of_the_specification(served: Served, path: str, code: str):
    served.registry.push(REPOSITORY, NEW, "latest")
    answer = await served.get(path)
    assert answer.status_code == 404
    assert [error["code"] for error in answer.json()["errors"]] == [code]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_can_be_changed(served: Served, method: str):
    served.registry.push(REPOSITORY, NEW, "latest")
    url = f"http://{served.address}/v2/{REPOSITORY}/manifests/latest"
    answer = await served.client.request(method, url, content=b"{}")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert (await served.get(f"{REPOSITORY}/tags/list")).status_code == 200


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("PERMISSION_DENIED", 403), ("UNAUTHENTICATED", 401), ("NOT_FOUND", 404), ("RESOURCE_EXHAUSTED", 429),
        ("UNAVAILABLE", 503), ("DEADLINE_EXCEEDED", 504), ("INTERNAL", 500),
    ],
)  # fmt: skip
async def test_a_fault_answers_in_http(served: Served, status: Status, code: int):
    served.registry.push(REPOSITORY, NEW, "latest")
    served.faults.add(Fault(method="GetManifest", status=status, message="on purpose", times=1))
    answer = await served.get(f"{REPOSITORY}/manifests/latest")
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (code, "on purpose")
    assert ("WWW-Authenticate" in answer.headers) == (code == 401)
    assert (await served.get(f"{REPOSITORY}/manifests/latest")).status_code == 200
    assert [(call.method, call.status) for call in served.calls] == [("GetManifest", status), ("GetManifest", "OK")]


async def test_a_request_that_hangs_ends_with_the_client(served: Served):
    served.faults.add(Fault(method="GetVersion", hang=True))
    with pytest.raises(httpx2.ReadTimeout):
        await served.client.get(f"http://{served.address}/v2/", timeout=0.1)
    async with asyncio.timeout(60):
        while served.calls[0].status is None:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0)
    assert served.calls[0].status == "CANCELLED"


async def test_a_request_that_hangs_does_not_keep_the_server(served: Served):
    faults, calls = Faults([Fault(hang=True)]), recorder()
    async with serve_registry(served.registry, clock=Clock(), faults=faults, calls=calls) as address:
        waiting = asyncio.ensure_future(served.client.get(f"http://{address}/v2/", timeout=None))
        while not calls:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0)
    with pytest.raises(httpx2.TransportError):
        await waiting
    assert calls[0].status == "CANCELLED"


async def test_a_client_that_does_not_read_does_not_keep_the_server(served: Served):
    layer = random.Random(0).randbytes(16_000_000)  # noqa: S311 - bytes that do not compress, no secret
    served.registry.push(REPOSITORY, Image(layers=[{"large": layer}]), "latest")
    digest = (await served.document(f"{REPOSITORY}/manifests/latest"))["layers"][0]["digest"]
    calls = recorder()
    async with serve_registry(served.registry, clock=Clock(), faults=Faults(), calls=calls) as address:
        host, _, port = address.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /v2/{REPOSITORY}/blobs/{digest} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while not calls:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_a_download_can_be_cut_short(served: Served):
    served.registry.push(REPOSITORY, NEW, "latest")
    served.faults.add(Fault(method="GetManifest", status="UNAVAILABLE", cut_after=10))
    with pytest.raises(httpx2.RemoteProtocolError):
        await served.get(f"{REPOSITORY}/manifests/latest")
    assert served.calls[0].status == "UNAVAILABLE"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\r\n\r\n", id="tls"),
        pytest.param(b"GET /v2/\r\n\r\n", id="no-version"),
        pytest.param(b"GET /v2/ HTTP/1.1\r\nx: " + b"x" * 70_000 + b"\r\n\r\n", id="long-head"),
        pytest.param(b"POST /v2/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", id="chunked"),
        pytest.param(b"POST /v2/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n", id="negative-length"),
        pytest.param(b"POST /v2/ HTTP/1.1\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n", id="long-length"),
    ],
)
async def test_what_is_no_request_is_answered_and_the_server_lives(served: Served, sent: bytes):
    assert (await answer_to(served, sent)).startswith(b"HTTP/1.1 400 ")
    assert (await served.get("")).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET /v2/?n=1 HTTP/1.0\r\n\r\n", id="old"),
        pytest.param(b"GET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n", id="close"),
    ],
)
async def test_a_connection_ends_when_the_client_wants_one_answer(served: Served, sent: bytes):
    answer = await answer_to(served, sent)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in answer


async def test_a_client_may_leave_without_a_word_or_in_the_middle_of_one(served: Served):
    host, _, port = served.address.rpartition(":")
    for said in (b"", b"GET /v2/ HTT", b"POST /v2/ HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(said)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert (await served.get("")).status_code == 200


async def answer_to(served: Served, sent: bytes) -> bytes:
    """All that the server says to these bytes until it ends the connection."""
    host, _, port = served.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_registry_listens_where_it_is_told(served: Served):
    port = int(served.address.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        async with serve_registry(Registry(), clock=Clock(), faults=Faults(), calls=recorder(), port=port):
            pytest.fail("served on a port that is taken")
