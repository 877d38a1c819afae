"""Images made up from a description: the same description always has the same digests."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

REVISION: Final = "org.opencontainers.image.revision"
"""The label that names the commit an image claims to be built from."""

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
STATEMENT: Final = "application/vnd.in-toto+json"

_CREATED: Final = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Image:
    """What an image is made of.

    Attributes:
        layers: the files of each layer by path, oldest layer first. ``app/.wh.old.py`` hides ``app/old.py`` of the
            layers below, ``app/.wh..wh..opq`` everything in ``app`` there.
        labels: its labels.
        command: what a container of it runs.
        environment: the environment variables that it sets.
        created_by: the history's word for each layer; ``COPY layer <n>`` where there is none.
        indexed: wrap it in an index, with an attestation beside it, as current builders do.
    """

    layers: Sequence[Mapping[str, bytes]]
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    created_by: Sequence[str] = ()
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that a digest names."""

    media_type: str
    data: bytes

    @property
    def digest(self) -> str:
        """``sha256:`` and the hash of the bytes."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"

    @property
    def descriptor(self) -> dict[str, object]:
        """How a manifest refers to it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.data)}


@dataclass(frozen=True, slots=True)
class Built:
    """An image in the form in which registries keep it. The last manifest is what a tag names."""

    manifests: Sequence[Content]
    blobs: Sequence[Content]


def build_image(image: Image) -> Built:
    """Make manifests, configuration and layers."""
    archives = [_archive(files) for files in image.layers]
    layers = [Content(LAYER, gzip.compress(archive, mtime=0)) for archive in archives]
    config = _json(CONFIG, _configuration(image, archives))
    manifest = _manifest(config, layers)
    blobs = [config, *layers]
    if not image.indexed:
        return Built([manifest], blobs)
    attestation, parts = _attestation(manifest)
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            manifest.descriptor | {"platform": {"architecture": "amd64", "os": "linux"}},
            attestation.descriptor
            | {
                "platform": {"architecture": "unknown", "os": "unknown"},
                "annotations": {
                    "vnd.docker.reference.digest": manifest.digest,
                    "vnd.docker.reference.type": "attestation-manifest",
                },
            },
        ],
    }
    return Built([manifest, attestation, _json(INDEX, index)], [*blobs, *parts])


def _configuration(image: Image, archives: Sequence[bytes]) -> dict[str, object]:
    words = [*image.created_by, *(f"COPY layer {place}" for place in range(len(image.created_by), len(archives)))]
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": _CREATED,
        "config": {
            "Cmd": list(image.command),
            "Env": [f"{name}={value}" for name, value in image.environment.items()],
            "Labels": dict(image.labels),
            "WorkingDir": "/app",
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in archives]},
        "history": [{"created": _CREATED, "created_by": word} for word in words[: len(archives)]],
    }


def _manifest(config: Content, layers: Sequence[Content]) -> Content:
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor,
        "layers": [layer.descriptor for layer in layers],
    }
    return _json(MANIFEST, document)


def _attestation(manifest: Content) -> tuple[Content, list[Content]]:
    """A statement about where an image comes from, in the form of an image."""
    subject = {"name": "image", "digest": {"sha256": manifest.digest.removeprefix("sha256:")}}
    statement = _json(STATEMENT, {"_type": "https://in-toto.io/Statement/v0.1", "subject": [subject], "predicate": {}})
    config = _json(CONFIG, {"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {"type": "layers"}})
    return _manifest(config, [statement]), [config, statement]


def _json(media_type: str, document: Mapping[str, object]) -> Content:
    return Content(media_type, json.dumps(document, sort_keys=True, separators=(",", ":")).encode())


def _archive(files: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(_folders(files)):
            folder = tarfile.TarInfo(path)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return held.getvalue()


def _folders(files: Mapping[str, bytes]) -> set[str]:
    return set(_parents(files)) - {"."}


def _parents(files: Mapping[str, bytes]) -> Iterator[str]:
    for path in files:
        yield from map(str, PurePosixPath(path.lstrip("/")).parents)
