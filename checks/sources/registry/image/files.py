"""Reads files out of an image: newest layer first, each layer to its end, and no layer more than the answer needs."""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

from google.api_core.exceptions import GoogleAPICallError

from checks.evidence.images import Contents, File, Presence
from checks.evidence.snapshot import Target
from checks.sources.budget import Budget, ask
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.google_errors import explain
from checks.sources.registry.image.application import Application
from checks.sources.registry.image.layer import Layer, WantedFiles, read_layer
from checks.sources.registry.image.limits import ImageLimits
from checks.sources.registry.image.lookup import FoundFile, Gone, Layers, Unclear, UnreadLayer
from checks.sources.registry.image.manifest import Blob, Built, read_manifest
from checks.sources.registry.image.pipe import Pipe
from checks.sources.registry.image.tar import MemberKind, inside
from checks.sources.registry.image.wire import Wire
from checks.sources.registry.tags import ROLE, registry_client
from checks.text.show import show

_LOOK: Final = "look into the image with skopeo and umoci"
_AGAIN: Final = "try again, with a longer --timeout"


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of an image.

    Attributes:
        contents: the evidence.
        texts: the bytes of the files that are present, by the path that was asked for.
        layers: the layers' names, and the bytes of the image's own files if they were asked for.
        built: what the image says of itself; None where that could not be read.
        failure: why the reading ended early; None where it came as far as the answers needed.
    """

    contents: Contents
    texts: Mapping[str, bytes]
    layers: Layers
    built: Built | None
    failure: SourceError | None


async def read_files(
    repository: str,
    digest: str,
    paths: Iterable[str],
    *,
    target: Target,
    budget: Budget,
    login: Login,
    application: bool = False,
    whole: bool = False,
    limits: ImageLimits | None = None,
) -> Read:
    """Look for files in an image. Never raises for what a registry does.

    A layer counts only once all its bytes came and are those of its digest, because what comes later in a layer may
    replace what came earlier. Once all files are settled, no further layer is asked for.

    Args:
        repository: registry, path and name of the image.
        digest: of its manifest or index.
        paths: the files, from the image's root.
        target: a practice registry, which stands for all of them; else the registry that the image names.
        budget: seconds that this may take.
        login: whose credentials; used for registries of Google's only.
        application: keep the bytes of the image's own Python files too, of the layers that are read anyway.
        whole: read every layer, whether the files need it or not.
        limits: what ends the reading.

    Returns:
        Each file present, absent or inconclusive; of one that is present its bytes.
    """
    asked = tuple(dict.fromkeys(paths))
    limits = limits or ImageLimits()
    layers = Layers(limits)
    try:
        async with login.opening(f"registry {target.address}", lambda: registry_client(target)) as client:
            wire = Wire(client, target, repository, budget, login)
            wanted = WantedFiles({inside(path) for path in asked})
            reading = _Reading(wire, digest, limits, layers, wanted, application)
            await reading.read([inside(path) for path in asked], whole=whole)
    except SourceError as error:  # there is no way to a registry
        contents = Contents(repository=repository, digest=digest, manifest=digest)
        files = tuple(_inconclusive(path, error) for path in asked)
        return Read(contents.model_copy(update={"files": files}), {}, layers, None, error)
    return reading.result(asked)


async def read_commit(repository: str, digest: str, target: Target, budget: Budget, login: Login) -> str | None:
    """The commit that an image's own label claims; None where it bears no such label. Arguments as for ``read_files``.

    Raises:
        SourceError: the image cannot be read.
    """
    async with login.opening(f"registry {target.address}", lambda: registry_client(target)) as client:
        return (await read_manifest(Wire(client, target, repository, budget, login), digest, ImageLimits())).commit


@dataclass(slots=True)
class _Reading:
    wire: Wire
    digest: str
    limits: ImageLimits
    layers: Layers
    wanted: WantedFiles
    application: bool
    built: Built | None = None
    failure: SourceError | None = None
    received: int = 0
    again: set[int] = field(default_factory=set[int])

    async def read(self, paths: list[str], *, whole: bool) -> None:
        try:
            self.built = await read_manifest(self.wire, self.digest, self.limits)
            self.layers.whole = not self.built.layers
            if self.application:
                self.wanted.wished = Application(self.built.working_directory).owns
            while await self._goes_on(self.built, paths, whole=whole):
                pass
        except SourceError as error:
            self.failure = error

    async def _goes_on(self, built: Built, paths: list[str], *, whole: bool) -> bool:
        """Read the next layer that the answers need, or one again; false where they need none."""
        answers = [self.layers.find(path) for path in paths]
        for answer in answers:
            if isinstance(answer, FoundFile) and _is_unread(answer) and answer.place not in self.again:
                self.again.add(answer.place)
                self.wanted.needed.add(answer.entry.link or answer.path)
                self.layers.read[answer.place] = await self._layer(built.layers[answer.place])
                return True
        unread = {answer.path for answer in answers if isinstance(answer, UnreadLayer)}
        place = len(self.layers.read)
        if place == len(built.layers) or not (unread or whole):
            return False
        self.wanted.needed |= unread
        self.layers.read.append(await self._layer(built.layers[place]))
        self.layers.whole = place + 1 == len(built.layers)
        return True

    async def _layer(self, blob: Blob) -> Layer:
        self.received += blob.size
        if self.received > self.limits.read:
            raise SourceError(f"its layers have more than {self.limits.read:,} bytes", _LOOK)
        names = self.limits.names - sum(len(layer.entries) for layer in self.layers.read)
        try:
            async with AsyncExitStack() as stack:
                chunks = await ask(
                    lambda: stack.enter_async_context(self.wire.opened("blobs", blob.digest)),
                    self.wire.budget,
                    role=ROLE,
                )
                return await Pipe(chunks, blob).through(
                    lambda source: read_layer(source, self.wanted, self.limits, names)
                )
        except GoogleAPICallError as error:
            raise explain(error, role=ROLE) from error
        except TimeoutError:
            raise SourceError("the registry fell silent, or the time is over", _AGAIN) from None

    def result(self, asked: tuple[str, ...]) -> Read:
        texts: dict[str, bytes] = {}
        files: list[File] = []
        for path in asked:
            answer = self.layers.find(inside(path))
            files.append(self._file(path, answer))
            if isinstance(answer, FoundFile) and answer.entry.text is not None:
                texts[path] = answer.entry.text
        built = self.built
        contents = Contents(
            repository=self.wire.repository,
            digest=self.digest,
            manifest=built.manifest if built else self.digest,
            commit=built.commit if built else None,
            command=built.command if built else (),
            working_directory=built.working_directory if built else None,
            files=tuple(files),
            layers=len(built.layers) if built else 0,
            layers_read=len(self.layers.read),
            bytes_read=self.wire.bill.received,
            requests=self.wire.bill.requests,
        )
        return Read(contents, texts, self.layers, built, self.failure)

    def _file(self, path: str, answer: FoundFile | Gone | UnreadLayer | Unclear) -> File:
        if isinstance(answer, Gone):
            layer = self._blob(answer.place)
            why = "a layer hides or replaces what was there" if layer else "every layer was read, and none has it"
            return _absent(path, why, layer)
        if isinstance(answer, Unclear):
            return _inconclusive(path, SourceError(answer.reason, _LOOK))
        if isinstance(answer, UnreadLayer):
            return _inconclusive(path, self.failure or SourceError("not every layer was read", _LOOK))
        entry, layer = answer.entry, self._blob(answer.place)
        if entry.kind is MemberKind.FOLDER:
            return _absent(path, "a directory is there", layer)
        if entry.text is None:
            reason = f"it has more than {self.limits.file:,} bytes" if entry.large else "its bytes were not read"
            return _inconclusive(path, self.failure or SourceError(reason, _LOOK))
        return File(
            path=path,
            presence=Presence.PRESENT,
            size=len(entry.text),
            sha256=hashlib.sha256(entry.text).hexdigest(),
            git_blob=git_blob(entry.text),
            layer=layer.digest if layer else None,
            created_by=layer.created_by if layer else None,
        )

    def _blob(self, place: int | None) -> Blob | None:
        return self.built.layers[place] if self.built and place is not None else None


def git_blob(text: bytes) -> str:
    """What git calls a file with these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).hexdigest()


def _is_unread(found: FoundFile) -> bool:
    return found.entry.kind is MemberKind.FILE and found.entry.text is None and not found.entry.large


def _absent(path: str, reason: str, layer: Blob | None) -> File:
    return File(
        path=path,
        presence=Presence.ABSENT,
        reason=reason,
        layer=layer.digest if layer else None,
        created_by=layer.created_by if layer else None,
    )


def _inconclusive(path: str, error: SourceError) -> File:
    return File(
        path=path, presence=Presence.INCONCLUSIVE, reason=show(str(error), limit=500), next_step=error.next_step
    )
