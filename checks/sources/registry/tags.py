"""Asks container registries where tags point now, and which digests an index stands for.

A tag costs one HEAD request. Only an index is read, by its digest, and its bytes are held to that digest. Credentials
go to Google's own registries over TLS and nowhere else, and no redirect is followed.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any, Final, cast

import httpx2

from checks.evidence.deployments import Image, Tag
from checks.evidence.snapshot import Gap, Target
from checks.sources.budget import Budget, ask, gaps
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.google_errors import by_http_status
from checks.sources.image_references import DIGEST
from checks.sources.registry.addresses import manifest_address
from checks.text.show import show

SOURCE: Final = "registry"
ROLE: Final = "roles/artifactregistry.reader"
MAX_INDEX: Final = 4 * 1024 * 1024
_AT_ONCE: Final = 8
_INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_ACCEPT: Final = ", ".join(
    (
        *_INDEXES,
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_ATTESTATION: Final = "vnd.docker.reference.type"
NO_REGISTRY: Final = "check that the address is a registry's, and try again"
_NOT_FOUND: Final = 404
_OK: Final = 200


async def read_tags(
    images: Iterable[Image], target: Target, budget: Budget, *, login: Login | None = None
) -> tuple[tuple[Tag, ...], tuple[Gap, ...]]:
    """Where the tags of these images point now; each tag is asked for once, and images without a tag not at all.

    Args:
        images: in any number, alike or not.
        target: a practice registry, which stands for all of them; else the registry that each image names.
        budget: what all calls together may take.
        login: whose credentials; the application's default ones unless given.

    Returns:
        A tag for each answer, without a digest where the registry has none; and a gap for what was not answered.
    """
    asked = sorted({(image.repository, image.tag) for image in images if image.tag})
    if not asked:
        return (), ()
    try:
        login = login or Login()
        headers = await registry_headers(target, budget, login)
        async with login.opening(f"registry {target.address}", lambda: registry_client(target)) as client:
            return await TagReader(client, target, budget, headers).read(asked)
    except SourceError as error:
        return (), (error.gap(SOURCE),)


@dataclass(slots=True)
class TagReader:
    """One look at registries; make a new reader for the next."""

    client: httpx2.AsyncClient
    target: Target
    budget: Budget
    headers: Mapping[str, str]
    _at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def read(self, asked: list[tuple[str, str]]) -> tuple[tuple[Tag, ...], tuple[Gap, ...]]:
        """Ask for every tag. Never raises for what a server does."""
        answers = await asyncio.gather(*(self._attempt(repository, tag) for repository, tag in asked))
        failures = [
            (f"tag {show(f'{repository}:{tag}', limit=300)}", answer)
            for (repository, tag), answer in zip(asked, answers, strict=True)
            if isinstance(answer, SourceError)
        ]
        return tuple(answer for answer in answers if isinstance(answer, Tag)), gaps(SOURCE, failures)

    async def _attempt(self, repository: str, tag: str) -> Tag | SourceError:
        try:
            async with self._at_once:
                return await self._tag(repository, tag)
        except SourceError as error:
            return error

    async def _tag(self, repository: str, tag: str) -> Tag:
        digest, kind = await ask(
            lambda: self._head(manifest_address(self.target, repository, tag)), self.budget, role=ROLE
        )
        if digest is None or kind not in _INDEXES:
            return Tag(repository=repository, tag=tag, digest=digest)
        address = manifest_address(self.target, repository, digest)
        manifests = _manifests(await ask(lambda: self.get(address, digest), self.budget, role=ROLE))
        children = tuple(dict.fromkeys(filter(None, map(runnable, manifests))))
        return Tag(repository=repository, tag=tag, digest=digest, children=children, runs=running(manifests))

    async def _head(self, address: str) -> tuple[str | None, str]:
        """The digest of a manifest, None where there is none, and its media type."""
        async with (
            self.budget.patience(),
            responding(self.client.stream("HEAD", address, headers=self.headers)) as response,
        ):
            if response.status_code == _NOT_FOUND:
                return None, ""
            refuse(response)
            digest = response.headers.get("docker-content-digest", "")
            if DIGEST.fullmatch(digest) is None:
                raise SourceError(f"the answer bears no digest ({show(digest, limit=100)})", NO_REGISTRY)
            return digest, response.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def get(self, address: str, digest: str) -> bytes:
        """What is at an address, if its bytes are those of the digest.

        Raises:
            SourceError: they are not, or there is no plain answer.
            GoogleAPICallError: it is an error, in the words of Google's clients.
        """
        body = bytearray()
        async with (
            self.budget.patience(),
            responding(self.client.stream("GET", address, headers=self.headers)) as response,
        ):
            refuse(response)
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_INDEX:
                    raise SourceError(f"an index of more than {MAX_INDEX:,} bytes", NO_REGISTRY)
        if f"sha256:{sha256(body).hexdigest()}" != digest:
            raise SourceError(f"the bytes that came are not those of {digest}", NO_REGISTRY)
        return bytes(body)


async def registry_headers(target: Target, budget: Budget, login: Login) -> dict[str, str]:
    """What every request bears: credentials, unless this is practice.

    Raises:
        SourceError: there are no usable ones.
    """
    headers = {"Accept": _ACCEPT, "Accept-Encoding": "identity"}
    if not target.practice:
        try:
            async with budget.patience():
                headers["Authorization"] = f"Bearer {await login.token()}"
        except TimeoutError:
            raise SourceError("no credentials within the time given", "try again, with a longer --timeout") from None
    return headers


@asynccontextmanager
async def registry_client(target: Target) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client that follows no redirect."""
    # Proxies and certificates of the environment are for the way to Google; nothing stands before loopback.
    trust_env = not target.practice
    async with httpx2.AsyncClient(
        follow_redirects=False, timeout=None, trust_env=trust_env, verify=certificates(trust_env=trust_env)
    ) as client:
        yield client


@cache
def certificates(*, trust_env: bool) -> ssl.SSLContext:
    """The certificates to trust, read once per process: reading them takes longer than a request."""
    return httpx2.create_ssl_context(trust_env=trust_env)


@asynccontextmanager
async def responding(request: Any) -> AsyncGenerator[httpx2.Response]:  # noqa: ANN401 - the stream of httpx2 has no name
    """A response; what breaks on the way is told as Google's own clients tell it."""
    try:
        async with request as response:
            yield response
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        raise by_http_status(503, f"{type(error).__name__}: {error}") from error


def refuse(response: httpx2.Response) -> None:
    """Refuse what is no plain answer.

    Raises:
        SourceError: it points elsewhere.
        GoogleAPICallError: it is an error, in the words of Google's clients.
    """
    if response.is_redirect:
        where = show(response.headers.get("location", ""), limit=100)
        raise SourceError(f"it points elsewhere ({where}), and no redirect is followed", NO_REGISTRY)
    if response.status_code != _OK:
        raise by_http_status(response.status_code, f"HTTP {response.status_code}")


def _manifests(body: bytes) -> list[object]:
    """The entries of an index."""
    try:
        index: object = json.loads(body)
    except (ValueError, RecursionError):
        raise SourceError("the index is no JSON", NO_REGISTRY) from None
    manifests = cast("dict[str, object]", index).get("manifests") if isinstance(index, dict) else None
    if not isinstance(manifests, list):
        raise SourceError("the index holds no manifests", NO_REGISTRY)
    return cast("list[object]", manifests)


def running(manifests: Iterable[object]) -> str | None:
    """The child of an index that Cloud Run runs: that for linux/amd64, or the only one. None where there is none."""
    children = [(each, digest) for each in manifests if (digest := runnable(each))]
    ours = [digest for each, digest in children if platform_of(each) == ("linux", "amd64")]
    if not ours and len(children) == 1:
        return children[0][1]
    return ours[0] if ours else None


def platform_of(child: object) -> tuple[str, str]:
    """The operating system and architecture of an index's child; empty where it names none."""
    fields = cast("dict[str, object]", child) if isinstance(child, dict) else {}
    platform = fields.get("platform")
    told = cast("dict[str, object]", platform) if isinstance(platform, dict) else {}
    return str(told.get("os", "")), str(told.get("architecture", ""))


def runnable(child: object) -> str | None:
    """The digest of an index's child, if that is an image for some platform; None for an attestation or no platform."""
    if not isinstance(child, dict):
        return None
    fields = cast("dict[str, object]", child)
    digest, platform, notes = fields.get("digest"), fields.get("platform"), fields.get("annotations")
    if isinstance(platform, dict) and "unknown" in cast("dict[str, object]", platform).values():
        return None
    if isinstance(notes, dict) and _ATTESTATION in notes:
        return None
    return digest if isinstance(digest, str) and DIGEST.fullmatch(digest) else None
