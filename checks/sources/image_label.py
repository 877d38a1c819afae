"""Asks a registry which commit an image claims to be built from: a label of its own, in its configuration."""

import json
from collections.abc import Mapping
from typing import Final, cast

from checks.errors import SourceError
from checks.evidence import Target
from checks.redact import excerpt
from checks.sources.images import DIGEST
from checks.sources.login import Login
from checks.sources.manifest_address import manifest_address, repository_address
from checks.sources.reading import Budget, ask
from checks.sources.registry import NO_REGISTRY, ROLE, TagReader, registry_client, registry_headers

LABEL: Final = "org.opencontainers.image.revision"


async def read_commit(repository: str, digest: str, target: Target, budget: Budget, login: Login) -> str | None:
    """The commit that an image's label claims; None where it bears no such label.

    Args:
        repository: registry, path and name of the image.
        digest: of a manifest that runs, not of an index.
        target: a practice registry, which stands for all of them; else the registry that the image names.
        budget: what all calls together may take.
        login: whose credentials.

    Raises:
        SourceError: there is no usable answer. No redirect is followed.
    """
    headers = await registry_headers(target, budget, login)
    async with registry_client(target) as client:
        reader = TagReader(client, target, budget, headers)

        async def read(address: str, wanted: str) -> Mapping[str, object]:
            return _object(await ask(lambda: reader.get(address, wanted), budget, role=ROLE))

        manifest = await read(manifest_address(target, repository, digest), digest)
        config = _text(manifest.get("config"), "digest")
        if config is None or DIGEST.fullmatch(config) is None:
            raise SourceError("the manifest names no configuration", NO_REGISTRY)
        told = await read(f"{repository_address(target, repository)}/blobs/{config}", config)
    inner = told.get("config")
    labels = cast("Mapping[str, object]", inner).get("Labels") if isinstance(inner, dict) else None
    claim = _text(labels, LABEL)
    return excerpt(claim) if claim else None


def _object(body: bytes) -> Mapping[str, object]:
    try:
        told: object = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise SourceError("the answer is no JSON object", NO_REGISTRY)
    return cast("Mapping[str, object]", told)


def _text(told: object, name: str) -> str | None:
    value = cast("Mapping[str, object]", told).get(name) if isinstance(told, dict) else None
    return value if isinstance(value, str) else None
