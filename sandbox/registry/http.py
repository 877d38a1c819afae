"""As much of HTTP/1.1 as a registry's clients speak: requests without bodies that matter, connections that stay."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

_MAX_BODY: Final = 1024 * 1024
_WORDS: Final = 3
_LONG: Final = 10


@dataclass(frozen=True, slots=True)
class Request:
    """The head of one request."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def body(self) -> int | None:
        """How many bytes follow its head; None where nobody can say."""
        length = self.headers.get("content-length", "0")
        said = length.isdecimal() and len(length) < _LONG and "transfer-encoding" not in self.headers
        return int(length) if said else None

    @property
    def keeps(self) -> bool:
        """Whether the connection is to stay."""
        return self.headers.get("connection", "").lower() != "close"


@dataclass(frozen=True, slots=True)
class Response:
    """One response. ``cut_after`` ends the connection after that many bytes of the body."""

    status: HTTPStatus
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut_after: int | None = None


class NoRequestError(Exception):
    """What came is no HTTP request."""


async def read(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None after the last.

    Raises:
        NoRequestError: what came is none.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as error:
        raise NoRequestError("the head of the request is too long") from error
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != _WORDS or not words[2].startswith("HTTP/1."):
        raise NoRequestError("the first line is no request of HTTP/1.1")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if words[2] == "HTTP/1.0":
        headers["connection"] = "close"
    request = Request(words[0], unquote(words[1].partition("?")[0]), headers)
    await _discard(reader, request)
    return request


async def _discard(reader: asyncio.StreamReader, request: Request) -> None:
    if request.body is None or request.body > _MAX_BODY:
        raise NoRequestError("a registry that only reads takes no such body")
    await reader.readexactly(request.body)


async def write(writer: asyncio.StreamWriter, response: Response, *, head_only: bool, keeps: bool) -> bool:
    """Send a response; says whether the connection can stay."""
    headers = {
        "Content-Type": response.media_type,
        "Content-Length": str(len(response.body)),
        "Docker-Distribution-Api-Version": "registry/2.0",
        "Connection": "keep-alive" if keeps else "close",
    } | dict(response.headers)
    lines = [f"HTTP/1.1 {response.status.value} {response.status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if not head_only:
        writer.write(response.body[: response.cut_after])
    await writer.drain()
    return keeps and response.cut_after is None
