"""As much of HTTP/1.1 as the clients of the practice cloud speak: small requests, connections that stay."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, unquote

_MAX_BODY: Final = 1024 * 1024
_WORDS: Final = 3
_LONG: Final = 10


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        method: the verb.
        host: whom it is for: from its first line where that names somebody, as it does before a proxy.
        path: without query, and unquoted.
        query: the last value of each parameter.
        headers: by their names in lower case.
        body: what came after the head.
    """

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

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
    host, path, query = _target(words[0], words[1], headers)
    return Request(words[0], host, path, query, headers, await _body(reader, headers))


async def write(writer: asyncio.StreamWriter, response: Response, *, head_only: bool, keeps: bool) -> bool:
    """Send a response; says whether the connection can stay."""
    headers = {
        "Content-Type": response.media_type,
        "Content-Length": str(len(response.body)),
        "Connection": "keep-alive" if keeps else "close",
    } | dict(response.headers)
    lines = [f"HTTP/1.1 {response.status.value} {response.status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if not head_only:
        writer.write(response.body[: response.cut_after])
    await writer.drain()
    return keeps and response.cut_after is None


def _target(method: str, target: str, headers: Mapping[str, str]) -> tuple[str, str, dict[str, str]]:
    if method == "CONNECT":
        return target, "", {}
    whole = target if target.startswith("/") else target.partition("://")[2]
    host, slash, rest = whole.partition("/")
    path, _, query = f"{slash}{rest}".partition("?")
    return host or headers.get("host", ""), unquote(path), dict(parse_qsl(query, keep_blank_values=True))


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not (length.isdecimal() and len(length) < _LONG and int(length) <= _MAX_BODY):
        raise NoRequestError(f"a body needs a Content-Length of at most {_MAX_BODY}")
    return await reader.readexactly(int(length))
