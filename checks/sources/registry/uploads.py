"""Asks Google's registries when each digest was uploaded, and which tags name it: their listing of tags tells both."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from checks.evidence.snapshot import Target
from checks.sources.budget import Budget, ask
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.registry.addresses import repository_address
from checks.sources.registry.tags import NO_REGISTRY, ROLE, refuse, registry_client, registry_headers, responding
from checks.sources.times import moment

_MOST: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """One digest of a repository: when it was uploaded, and the tags that name it now, strangers' text."""

    at: datetime
    tags: tuple[str, ...] = ()


async def read_uploads(repository: str, target: Target, budget: Budget, login: Login) -> dict[str, Upload]:
    """When each digest of a repository was uploaded, and its tags; empty where the registry does not tell.

    Args:
        repository: registry, path and name of the image.
        target: a practice registry, which stands for all of them; else the registry that the image names.
        budget: what all calls together may take.
        login: whose credentials.

    Raises:
        SourceError: there is no usable answer.
    """
    address = f"{repository_address(target, repository)}/tags/list"
    headers = await registry_headers(target, budget, login)

    async def read() -> bytes:
        body = bytearray()
        async with (
            budget.patience(),
            registry_client(target) as client,
            responding(client.stream("GET", address, headers=headers)) as response,
        ):
            refuse(response)
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > _MOST:
                    raise SourceError(f"a listing of tags of more than {_MOST:,} bytes", NO_REGISTRY)
        return bytes(body)

    return _uploads(await ask(read, budget, role=ROLE))


def _uploads(body: bytes) -> dict[str, Upload]:
    try:
        answer: object = json.loads(body)
    except (ValueError, RecursionError):
        raise SourceError("the listing of tags is no JSON", NO_REGISTRY) from None
    listed = cast("dict[str, object]", answer).get("manifest") if isinstance(answer, dict) else None
    if not isinstance(listed, dict):
        return {}
    known = cast("dict[str, object]", listed).items()
    return {digest: Upload(at, _tags(facts)) for digest, facts in known if (at := _uploaded(facts)) is not None}


def _tags(facts: object) -> tuple[str, ...]:
    tags = cast("dict[str, object]", facts).get("tag") if isinstance(facts, dict) else None
    return tuple(each for each in cast("list[object]", tags) if isinstance(each, str)) if isinstance(tags, list) else ()


def _uploaded(facts: object) -> datetime | None:
    """``timeUploadedMs``: milliseconds since 1970, as text."""
    stamp = cast("dict[str, object]", facts).get("timeUploadedMs") if isinstance(facts, dict) else None
    if not isinstance(stamp, str) or not stamp.isdecimal() or not 0 < int(stamp[:16]) < 1 << 47:
        return None
    return moment(int(stamp[:16]) * 1_000)
