"""What an image is made of: the manifest for its platform, its configuration, and its layers, newest first."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from checks.evidence.images import REVISION
from checks.sources.errors import SourceError
from checks.sources.image_references import DIGEST
from checks.sources.registry.image.limits import ImageLimits
from checks.sources.registry.image.wire import Wire
from checks.sources.registry.tags import NO_REGISTRY, platform_of, runnable, running
from checks.text.redact import excerpt
from checks.text.show import show

_DEPTH: Final = 3
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Blob:
    """A layer as its manifest names it: ``size`` in bytes, and what the history says it was made by."""

    digest: str
    size: int
    created_by: str | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """An image, and what it says of itself. ``layers`` are newest first."""

    manifest: str
    layers: tuple[Blob, ...]
    commit: str | None
    command: tuple[str, ...]
    working_directory: str | None


async def read_manifest(wire: Wire, digest: str, limits: ImageLimits) -> Built:
    """Read what an image is made of.

    Args:
        wire: the way to its repository.
        digest: of its manifest, or of an index, of which the child for linux/amd64 is taken.
        limits: what ends the reading.

    Raises:
        SourceError: it cannot be had, or is no image.
    """
    manifest = await _object(wire, "manifests", digest, limits)
    for _ in range(_DEPTH):
        if not isinstance(manifest.get("manifests"), list):
            break
        digest = _child(cast("list[object]", manifest["manifests"]))
        manifest = await _object(wire, "manifests", digest, limits)
    config = manifest.get("config")
    listed = manifest.get("layers")
    if not isinstance(config, dict) or not isinstance(listed, list):
        raise SourceError("the manifest names no configuration and layers: it is in a form of before 2016", NO_REGISTRY)
    layers = cast("list[object]", listed)
    if len(layers) > limits.layers:
        raise SourceError(f"the image has more than {limits.layers} layers", "look at it with skopeo inspect")
    blobs = [_blob(each) for each in layers]
    value = await _object(wire, "blobs", _blob(cast("object", config)).digest, limits)
    return _built(digest, blobs, value)


def _built(digest: str, blobs: list[Blob], value: Mapping[str, Any]) -> Built:
    inner = _mapping(value.get("config"))
    words = list(_history(value.get("history")))
    if len(words) != len(blobs):
        words = [None] * len(blobs)
    labels = _mapping(inner.get("Labels"))
    commit = labels.get(REVISION)
    folder = inner.get("WorkingDir")
    return Built(
        manifest=digest,
        layers=tuple(Blob(blob.digest, blob.size, word) for blob, word in reversed([*zip(blobs, words, strict=True)])),
        commit=excerpt(commit) if isinstance(commit, str) and commit else None,
        command=(*_texts(inner.get("Entrypoint")), *_texts(inner.get("Cmd"))),
        working_directory=folder if isinstance(folder, str) and folder else None,
    )


async def _object(wire: Wire, kind: str, digest: str, limits: ImageLimits) -> Mapping[str, Any]:
    body = await wire.document(kind, digest, limits.document)
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise SourceError(f"{digest[:19]} is no JSON object", NO_REGISTRY)
    return cast("Mapping[str, Any]", value)


def _child(manifests: list[object]) -> str:
    """The child of an index that Cloud Run would run."""
    ours = running(manifests)
    if ours is None:
        children = [each for each in manifests if runnable(each)]
        found = ", ".join("/".join(platform_of(each)) for each in children[:10]) or "nothing that runs"
        raise SourceError(f"the index has no manifest for linux/amd64, but {show(found, limit=200)}", NO_REGISTRY)
    return ours


def _blob(value: object) -> Blob:
    held = _mapping(value)
    digest, size = held.get("digest"), held.get("size")
    if not (isinstance(digest, str) and DIGEST.fullmatch(digest) and isinstance(size, int) and size >= 0):
        raise SourceError("the manifest names a part without a sha256 digest and a size", NO_REGISTRY)
    return Blob(digest, size)


def _history(value: object) -> Iterator[str | None]:
    """What each layer was made by, oldest first; what made no layer is left out."""
    for each in cast("list[object]", value) if isinstance(value, list) else ():
        held = _mapping(each)
        if not held.get("empty_layer"):
            word = held.get("created_by")
            yield excerpt(word) if isinstance(word, str) and word else None


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    listed = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(each[:1000] for each in listed[:_LONGEST] if isinstance(each, str))
