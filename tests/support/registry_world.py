"""A registry to read from: whatever a function answers to a request, in plain HTTP/1.1."""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


class Reply(NamedTuple):
    """An answer. ``body`` is left out for HEAD."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]


Handler = Callable[[Asked], Awaitable[Reply]]


@asynccontextmanager
async def registry(handler: Handler) -> AsyncGenerator[str]:
    """Serve, and yield ``host:port``."""
    talks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.ensure_future(_talk(reader, writer, handler))
        talks.add(talk)
        talk.add_done_callback(talks.discard)
        talk.add_done_callback(lambda _: writer.transport.abort())  # cancelled before its first step, too

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for talk in tuple(talks):
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
    try:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await _exchange(reader, writer, handler)
            writer.close()
            await writer.wait_closed()
    finally:
        writer.transport.abort()  # also where the test is over before the answer


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    await reader.readexactly(int(headers.get("content-length", "0")))  # else closing resets what was answered
    reply = await handler(Asked(method, path, headers))
    told = {"Content-Length": str(len(reply.body)), "Connection": "close"} | dict(reply.headers)
    writer.write(f"HTTP/1.1 {reply.status} X\r\n".encode())
    writer.write("".join(f"{name}: {value}\r\n" for name, value in told.items()).encode() + b"\r\n")
    if method != "HEAD":
        writer.write(reply.body)
    await writer.drain()


def digest_of(body: bytes) -> str:
    """The digest of these bytes."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def index(*children: object) -> bytes:
    """The bytes of an index."""
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(children)}).encode()


def child(digest: str, os: str = "linux", **more: object) -> dict[str, object]:
    """One manifest of an index."""
    return {"digest": digest, "platform": {"os": os, "architecture": "unknown" if os == "unknown" else "amd64"}, **more}


@dataclass
class RegistryWorld:
    """Manifests by path and tag: bytes and media type. ``asked`` keeps the requests."""

    tags: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict[tuple[str, str], tuple[bytes, str]])
    asked: list[Asked] = field(default_factory=list[Asked])

    async def __call__(self, asked: Asked) -> Reply:
        """Answer."""
        self.asked.append(asked)
        name, _, reference = asked.path.removeprefix("/v2/").partition("/manifests/")
        for (path, tag), (body, kind) in self.tags.items():
            if path == name and reference in {tag, digest_of(body)}:
                return Reply(200, {"Docker-Content-Digest": digest_of(body), "Content-Type": kind}, body)
        return Reply(404)
