"""Images of layers that are laid over each other in every way, as an OCI layout that real tools read."""

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import zstandard

CONFIG: Final = "application/vnd.oci.image.config.v1+json"
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
Packing = Literal["gzip", "zstd", "none"]
_SUFFIX: Final = {"gzip": "+gzip", "zstd": "+zstd", "none": ""}
_NAMES: Final = ("a", "b", "c", "d.py", "e.py", "ü")


@dataclass
class Blobs:
    """Bytes by their digests."""

    held: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def add(self, kind: str, data: bytes) -> dict[str, object]:
        """Keep bytes, and return what a manifest calls them."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.held[digest] = data
        return {"mediaType": kind, "digest": digest, "size": len(data)}


def packed(archive: bytes, packing: Packing) -> bytes:
    """An archive as a layer keeps it."""
    if packing == "gzip":
        return gzip.compress(archive, compresslevel=1, mtime=0)
    return zstandard.compress(archive) if packing == "zstd" else archive


def image(
    archives: Sequence[bytes], packing: Packing = "gzip", config: Mapping[str, object] | None = None
) -> tuple[Blobs, dict[str, object]]:
    """The blobs of an image, the manifest among them, and what an index calls its manifest; oldest layer first."""
    blobs = Blobs()
    layers = [blobs.add(LAYER + _SUFFIX[packing], packed(archive, packing)) for archive in archives]
    told = {
        "architecture": "amd64",
        "os": "linux",
        "config": config or {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in archives]},
        "history": [{"created_by": f"layer {place}"} for place in range(len(archives))],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blobs.add(CONFIG, json.dumps(told).encode()),
        "layers": layers,
    }
    return blobs, blobs.add(MANIFEST, json.dumps(manifest).encode())


def layout(folder: Path, tag: str, blobs: Blobs, manifest: dict[str, object]) -> str:
    """Write an OCI layout; returns the manifest's digest."""
    held = folder / "blobs" / "sha256"
    held.mkdir(parents=True, exist_ok=True)
    for digest, data in blobs.held.items():
        (held / digest.removeprefix("sha256:")).write_bytes(data)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    named = manifest | {"annotations": {"org.opencontainers.image.ref.name": tag}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    return str(manifest["digest"])


def archive(members: Iterable[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A layer's archive."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as made:
        for member in members:
            entry, data = member if isinstance(member, tuple) else (member, b"")
            entry.size = len(data)
            made.addfile(entry, io.BytesIO(data))
    return held.getvalue()


def entry(path: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """A member without bytes."""
    told = tarfile.TarInfo(path)
    told.type, told.linkname, told.mode = kind, link, 0o755
    return told


@dataclass
class Random:
    """Layers at random over a few names, so that they meet: files, directories, links, whiteouts, replacements.

    ``state`` is what the file system is after the layers so far, as a builder would know it: what is not a directory
    for it has nothing below it, and each layer names the directories on its way.
    """

    random: random.Random
    state: dict[str, str] = field(default_factory=dict[str, str])
    seen: set[str] = field(default_factory=set[str])

    def layer(self) -> bytes:
        """One more layer over what is there."""
        made: list[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]] = []
        own: set[str] = set()
        files: list[str] = []
        for _ in range(self.random.randint(1, 12)):
            path = self._path()
            if path in own or any(each.startswith(f"{path}/") for each in own):
                continue
            kind = self.random.choice(("file",) * 4 + ("folder", "symlink", "hardlink", "whiteout", "opaque"))
            if kind in {"whiteout", "opaque"} and path not in self.state:
                continue
            if not self._folders(path, made, own):
                continue
            self._add(kind, path, made, own, files)
        return archive(made)

    def _path(self) -> str:
        if self.state and self.random.random() < 0.5:
            return self.random.choice(sorted(self.state))
        return "/".join(self.random.choice(_NAMES) for _ in range(self.random.randint(1, 4)))

    def _folders(self, path: str, made: list[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]], own: set[str]) -> bool:
        """The directories on the way; false where this layer has something else there."""
        parts = path.split("/")[:-1]
        for end in range(1, len(parts) + 1):
            above = "/".join(parts[:end])
            if above in own:
                if self.state.get(above) != "folder":
                    return False
                continue
            if self.state.get(above) != "folder":
                self._forget(above)
            self.state[above] = "folder"
            own.add(above)
            self.seen.add(above)
            made.append(entry(above, tarfile.DIRTYPE))
        return True

    def _add(
        self,
        kind: str,
        path: str,
        made: list[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]],
        own: set[str],
        files: list[str],
    ) -> None:
        folder, _, name = path.rpartition("/")
        beside = f"{folder}/" if folder else ""
        self.seen.add(path)
        if kind == "opaque":
            if self.state[path] != "folder":
                return
            self._forget(path)
            self.state[path] = "folder"
            made += [entry(path, tarfile.DIRTYPE), entry(f"{path}/.wh..wh..opq")]
        elif kind == "whiteout":
            self._forget(path)
            made.append(entry(f"{beside}.wh.{name}"))
        elif kind == "folder":
            if self.state.get(path) != "folder":
                self._forget(path)
            self.state[path] = "folder"
            made.append(entry(path, tarfile.DIRTYPE))
        else:
            self._forget(path)
            self.state[path] = "file" if kind != "symlink" else "symlink"
            if kind == "symlink":
                made.append(entry(path, tarfile.SYMTYPE, self._target(folder)))
            elif kind == "hardlink" and files:
                made.append(entry(path, tarfile.LNKTYPE, self.random.choice(files)))
            else:
                files.append(path)
                made.append((entry(path), self.random.randbytes(self.random.randint(0, 40))))
        own.add(path)

    def _target(self, folder: str) -> str:
        meant = self.random.choice([*sorted(self.state), "missing"])
        how = self.random.random()
        if how < 0.4:
            return f"/{meant}"
        up = "/".join([".."] * len(folder.split("/"))) if folder else ""
        return f"{up}/{meant}" if up else meant

    def _forget(self, path: str) -> None:
        for each in [each for each in self.state if each == path or each.startswith(f"{path}/")]:
            del self.state[each]
