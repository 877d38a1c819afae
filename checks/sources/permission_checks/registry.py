"""Tries what a check needs of a registry: to look up one tag, that of the first image whose registry may be asked."""

import json
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

import httpx2

from checks.evidence.deployments import Image
from checks.evidence.permission_checks import Permission
from checks.evidence.snapshot import NotChecked, Target
from checks.sources.budget import Budget
from checks.sources.errors import SourceError
from checks.sources.google_errors import by_http_status
from checks.sources.permission_checks.attempts import PermissionChecker
from checks.sources.registry.addresses import manifest_address
from checks.sources.registry.tags import ROLE, SOURCE, certificates
from checks.sources.source import PermissionRequest, Permissions
from checks.text.show import show

_API: Final = "artifactregistry.googleapis.com"
_PERMISSION: Final = "artifactregistry.repositories.downloadArtifacts"
_PROJECT: Final = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_ACCEPT: Final = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)
_OK: Final = 200
_TOLD: Final = 2_000


async def check(request: PermissionRequest) -> Permissions:
    """One tag's digest, or the reason why there is none to ask for."""
    found = _first(request.target, request.images)
    if found is None:
        reason = "Cloud Run named no tagged image of a registry that is asked"
        return Permissions(not_checked=(NotChecked(what="look up a tag", reason=reason),))
    image, address = found
    project = image.repository.split("/")[1]
    want = Permission(
        source=SOURCE,
        what=f"look up {show(f'{image.repository}:{image.tag}', limit=300)}",
        permission=_PERMISSION,
        role=ROLE,
        api=_API,
        project=project if _PROJECT.fullmatch(project) else request.pipeline.pipeline.project,
        elsewhere="push the image again, or let what names it name one that is there",
    )

    async def head(budget: Budget) -> None:
        async with _client(request.target, request.checker, budget) as client:
            await _head(client, address)

    return Permissions(checks=((await request.checker.attempt(want, head)).check,))


def _first(target: Target, images: Iterable[Image]) -> tuple[Image, str] | None:
    """The first image with a tag that may be asked for, and where."""
    for image in images:
        if image.tag and not image.digest and image.repository.count("/") > 1:
            try:
                return image, manifest_address(target, image.repository, image.tag)
            except SourceError:
                continue
    return None


@asynccontextmanager
async def _client(target: Target, checker: PermissionChecker, budget: Budget) -> AsyncGenerator[httpx2.AsyncClient]:
    headers = {"Accept": _ACCEPT, "Accept-Encoding": "identity"}
    if not target.practice:
        headers["Authorization"] = f"Bearer {await checker.login.token()}"
    # Proxies and certificates of the environment are for the way to Google; nothing stands before loopback.
    trust_env = not target.practice
    async with httpx2.AsyncClient(
        headers=headers,
        follow_redirects=False,
        timeout=budget.deadline(),
        trust_env=trust_env,
        verify=certificates(trust_env=trust_env),
    ) as client:
        yield client


async def _head(client: httpx2.AsyncClient, address: str) -> None:
    """Ask for the tag. A refusal of HEAD bears no text, so its reason is asked for by GET."""
    try:
        async with client.stream("HEAD", address) as response:
            if response.status_code == _OK:
                return
        async with client.stream("GET", address) as response:
            raise by_http_status(response.status_code, await _text(response))
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        raise by_http_status(503, f"{type(error).__name__}: {error}") from error


async def _text(response: httpx2.Response) -> str:
    """What a refusal says: its first message, else its beginning."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= _TOLD:
            break
    text = bytes(body[:_TOLD]).decode(errors="replace")
    with suppress(ValueError, LookupError, TypeError, RecursionError):
        text = str(json.loads(text)["errors"][0]["message"])
    return f"HTTP {response.status_code} {text}".strip()
