"""Asks a registry for manifests and blobs, and holds what comes to the digest that was asked for.

Credentials go to Google's registries and to the token endpoint on the same host, and to nothing else. Where a blob lies
elsewhere, at most three redirects are followed, without credentials, over https, and to no address that is not public;
a practice registry on loopback may point at loopback.
"""

import asyncio
import base64
import hashlib
import ipaddress
import json
import re
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import httpx2

from checks.evidence.snapshot import Target
from checks.sources.budget import Budget, ask
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.registry.addresses import repository_address
from checks.sources.registry.tags import NO_REGISTRY, ROLE, refuse, registry_headers, responding
from checks.text.show import show

_REDIRECTS: Final = 3
_UNAUTHORIZED: Final = 401
_CHALLENGE: Final = re.compile(r'(realm|service|scope)="([^"]{0,1000})"')
_TOKEN_BYTES: Final = 64 * 1024
_GOOGLE_STORAGE: Final = re.compile(r"([a-z0-9-]{1,63}\.){1,6}(googleapis\.com|pkg\.dev|gcr\.io)|gcr\.io")


@dataclass(slots=True)
class Transfer:
    """What was asked and what came: calls, and bytes of their answers."""

    requests: int = 0
    received: int = 0


@dataclass(slots=True)
class Wire:
    """The way to one repository."""

    client: httpx2.AsyncClient
    target: Target
    repository: str
    budget: Budget
    login: Login
    bill: Transfer = field(default_factory=Transfer)
    _headers: dict[str, str] | None = None

    async def document(self, kind: str, digest: str, most: int) -> bytes:
        """A manifest or a small blob, if its bytes are those of its digest.

        Args:
            kind: ``manifests`` or ``blobs``.
            digest: what is asked for.
            most: bytes that it may have.

        Raises:
            SourceError: it cannot be had, is too large, or is something else.
        """

        async def read() -> bytes:
            body = bytearray()
            async with self.opened(kind, digest) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > most:
                        raise SourceError(f"{digest[:19]} has more than {most:,} bytes", NO_REGISTRY)
            if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
                raise SourceError(f"the bytes that came are not those of {digest}", NO_REGISTRY)
            return bytes(body)

        return await ask(read, self.budget, role=ROLE)

    @asynccontextmanager
    async def opened(self, kind: str, digest: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        """The bytes of a manifest or blob as they come. Whoever reads them verifies them.

        Raises:
            SourceError: it points where nobody goes.
            GoogleAPICallError: there is no plain answer.
            TimeoutError: there is none in time; so does reading on.
        """
        address = f"{repository_address(self.target, self.repository)}/{kind}/{digest}"
        async with self._answering(address) as response:
            yield self._chunks(response)

    @asynccontextmanager
    async def _answering(self, address: str) -> AsyncGenerator[httpx2.Response]:
        own = self._headers or await registry_headers(self.target, self.budget, self.login)
        headers = self._headers = own
        authorized = False
        for _ in range(_REDIRECTS + 2):  # one more where the registry asks who that is
            async with self._get(address, headers) as response:
                if response.status_code == _UNAUTHORIZED and headers is own and not authorized:
                    authorized = True
                    token = await self._token(response, address)
                    if token:
                        headers = self._headers = {**own, "Authorization": f"Bearer {token}"}
                        continue
                if response.is_redirect:
                    address = await self._allowed(response)
                    headers = {"Accept-Encoding": "identity"}
                    continue
                refuse(response)
                yield response
                return
        raise SourceError(f"it points elsewhere more than {_REDIRECTS} times", NO_REGISTRY)

    @asynccontextmanager
    async def _get(self, address: str, headers: Mapping[str, str]) -> AsyncGenerator[httpx2.Response]:
        """One answer, with its body still to come; the patience is for its beginning."""
        self.bill.requests += 1
        async with responding(
            _begun(lambda: self.client.stream("GET", address, headers=headers), self.budget)
        ) as response:
            yield response

    async def _chunks(self, response: httpx2.Response) -> AsyncGenerator[bytes]:
        chunks = response.aiter_raw()
        while True:
            try:
                async with self.budget.patience():
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            self.bill.received += len(chunk)
            yield chunk

    async def _token(self, refused: httpx2.Response, address: str) -> str | None:
        """What the token endpoint of a registry gives for the credentials that it refused; None if it names none."""
        challenge = refused.headers.get("www-authenticate", "")
        if not challenge.lower().startswith("bearer "):
            return None
        fields = dict(_CHALLENGE.findall(challenge))
        realm, own = _url(fields.pop("realm", "")), _url(address)
        if (realm.scheme, realm.host) != (own.scheme, own.host) and not (self.target.practice and _is_loopback(realm)):
            raise SourceError(
                f"the registry sends for a token to {show(str(realm), limit=100)}, which is another host", NO_REGISTRY
            )
        headers = {} if self.target.practice else {"Authorization": _basic(await self.login.token())}
        self.bill.requests += 1
        body = bytearray()
        stream = self.client.stream("GET", realm.copy_merge_params(fields), headers=headers)
        async with self.budget.patience(), responding(stream) as response:
            refuse(response)
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > _TOKEN_BYTES:
                    raise SourceError("the registry's token has no end", NO_REGISTRY)
        self.bill.received += len(body)
        return _token_in(bytes(body))

    async def _allowed(self, response: httpx2.Response) -> str:
        """Where a redirect leads, if one may go there."""
        where = _url(response.headers.get("location", ""), str(response.url))
        shown = show(str(where.copy_with(query=None, userinfo=b"")), limit=100)
        if self.target.practice and _is_loopback(where):
            return str(where)
        if where.scheme != "https":
            raise SourceError(f"it points elsewhere, and not over https ({shown})", NO_REGISTRY)
        if not _GOOGLE_STORAGE.fullmatch(where.host) and not await _is_public(where.host, where.port or 443):
            raise SourceError(f"it points at an address that is not public ({shown})", NO_REGISTRY)
        return str(where)


@asynccontextmanager
async def _begun(
    stream: Callable[[], AbstractAsyncContextManager[httpx2.Response]], budget: Budget
) -> AsyncGenerator[httpx2.Response]:
    opening = stream()
    async with budget.patience():
        response = await opening.__aenter__()
    try:
        yield response
    finally:
        await opening.__aexit__(None, None, None)


def _basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"oauth2accesstoken:{token}".encode()).decode()


def _url(address: str, beside: str = "") -> httpx2.URL:
    """An address; one that is not whole is meant beside another."""
    try:
        return httpx2.URL(beside).join(address)
    except (httpx2.InvalidURL, ValueError):
        raise SourceError(f"the registry names no address ({show(address, limit=100)})", NO_REGISTRY) from None


def _is_loopback(where: httpx2.URL) -> bool:
    try:
        return where.scheme == "http" and ipaddress.ip_address(where.host).is_loopback
    except ValueError:
        return False


async def _is_public(host: str, port: int) -> bool:
    """Whether every address that a name stands for is a public one."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return False
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    return bool(addresses) and all(each.is_global for each in addresses)


def _token_in(body: bytes) -> str:
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    token = None
    if isinstance(answer, dict):
        held = cast("dict[str, object]", answer)
        token = held.get("token") or held.get("access_token")
    if not (isinstance(token, str) and re.fullmatch(r"[!-~]{1,16384}", token)):
        raise SourceError("the registry's token endpoint gave none", NO_REGISTRY)
    return token
