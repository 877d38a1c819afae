"""Finds what an image holds at a path from as many of its layers as were read, newest first.

A layer that lies over others hides, replaces or leaves alone what they hold. What is told here cannot be changed by a
layer that was not read: where it could, the answer is that more must be read.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from checks.sources.registry.image.layer import Entry, Layer, ancestors
from checks.sources.registry.image.limits import ImageLimits
from checks.sources.registry.image.tar import MemberKind, inside

_HIDES: Final = ".wh."


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A layer holds it: ``path`` is where links led to, ``place`` counts layers from the newest, which is 0."""

    place: int
    path: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Gone:
    """The image has no such thing; the layer at ``place`` hides or replaces it, or no layer has it."""

    place: int | None = None


@dataclass(frozen=True, slots=True)
class UnreadLayer:
    """It depends on layers that were not read, and on what they have at ``path``, where links led to."""

    path: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It cannot be told from the layers' names."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Led:
    """A directory on the way is a link."""

    place: int
    path: str


class _StopError(Exception):
    """What was asked cannot be answered, or not yet."""

    def __init__(self, answer: UnreadLayer | Unclear) -> None:
        super().__init__()
        self.answer = answer


@dataclass(slots=True)
class Layers:
    """The layers that were read, newest first; ``whole`` where these are all."""

    limits: ImageLimits
    read: list[Layer] = field(default_factory=list[Layer])
    whole: bool = False

    def find(self, path: str) -> FoundFile | Gone | UnreadLayer | Unclear:
        """What is at a path, links followed.

        Args:
            path: from the image's root.
        """
        try:
            return self._find(inside(path), 0, self.limits.hops)
        except _StopError as stop:
            return stop.answer

    def names(self) -> set[str]:
        """Every path that any layer holds."""
        return {path for layer in self.read for path in layer.entries}

    def _find(self, path: str, start: int, hops: int) -> FoundFile | Gone:
        while hops:
            step = self._at(path, start)
            self._refuse_twisted(path, step.place)
            if isinstance(step, _Led):
                path = self._lead(path, step, start, hops)
            elif isinstance(step, Gone) or step.entry.kind in {MemberKind.FILE, MemberKind.FOLDER}:
                return step
            elif step.entry.kind is MemberKind.SYMLINK:
                path = self._follow(posixpath.dirname(path), step.entry.link, start, hops - 1)
            elif step.entry.kind is MemberKind.HARDLINK:
                path, start = step.entry.link, step.place + 1
            else:
                what = "a sparse file" if step.entry.kind is MemberKind.SPARSE else "a device, a pipe or something else"
                raise _StopError(Unclear(f"{what} is there, which is not read"))
            hops -= 1
        raise _StopError(Unclear(f"more than {self.limits.hops} links lead on from there"))

    def _at(self, path: str, start: int) -> FoundFile | Gone | _Led:
        """What the newest layer that says anything of a path says of it."""
        own: set[str] = set()
        for place, layer in enumerate(self.read[start:], start):
            if entry := layer.entries.get(path):
                return FoundFile(place, path, entry)
            for above in ancestors(path):
                entry = layer.entries.get(above)
                if entry and entry.kind is MemberKind.SYMLINK and above not in own:
                    return _Led(place, above)
                if above in layer.hidden or above in layer.opaque or (entry and entry.kind is not MemberKind.FOLDER):
                    return Gone(place)
                if entry:
                    own.add(above)
            if path in layer.hidden or "" in layer.opaque:
                return Gone(place)
        if not self.whole:
            raise _StopError(UnreadLayer(path))
        return Gone()

    def _lead(self, path: str, led: _Led, start: int, hops: int) -> str:
        link = self.read[led.place].entries[led.path].link
        below = path.removeprefix(f"{led.path}/")
        return posixpath.join(self._follow(posixpath.dirname(led.path), link, start, hops - 1), below)

    def _follow(self, folder: str, link: str, start: int, hops: int) -> str:
        """Where a link leads that lies in a directory; "..", which may stand behind another link, is taken apart."""
        where = "" if link.startswith("/") else folder
        for part in link.split("/"):
            if part == "..":
                where = posixpath.dirname(self._real(where, start, hops))
            elif part not in {"", "."}:
                where = posixpath.join(where, part)
        return where

    def _real(self, path: str, start: int, hops: int) -> str:
        """The directory that a path means once all links in it are followed."""
        real = ""
        for part in filter(None, path.split("/")):
            real = posixpath.join(real, part)
            step = self._at(real, start)
            while isinstance(step, FoundFile) and step.entry.kind is MemberKind.SYMLINK:
                hops -= 1
                if hops <= 0:
                    raise _StopError(Unclear(f"more than {self.limits.hops} links lead on from there"))
                real = self._real(self._follow(posixpath.dirname(real), step.entry.link, start, hops), start, hops)
                step = self._at(real, start) if real else None
        return real

    def _refuse_twisted(self, path: str, place: int | None) -> None:
        """Refuse to tell where a newer layer may have written to this path by another name, through a link below."""
        parts = set(path.split("/"))
        own = {path, *ancestors(path)}
        layers = self.read if place is None else self.read[: place + 1]
        for number, layer in enumerate(layers):
            folders = {posixpath.dirname(each) for each in _relevant(layer, parts, own)}
            if len(folders) > self.limits.twisted:
                raise _StopError(Unclear(f"a layer has files of such names in more than {self.limits.twisted} places"))
            for folder in {above for each in folders for above in (*ancestors(each), each)}:
                step = self._at(folder, number)
                if isinstance(step, _Led) or (isinstance(step, FoundFile) and step.entry.kind is not MemberKind.FOLDER):
                    raise _StopError(
                        Unclear(
                            "a layer writes through a symbolic link of a layer below it, so names do not tell where"
                        )
                    )


def _relevant(layer: Layer, parts: set[str], own: set[str]) -> Iterator[str]:
    """The twisted members that could be a path, or a directory of it, by another name."""
    for each in layer.twisted:
        folder, name = posixpath.split(each)
        name = name.removeprefix(_HIDES)
        if name == ".wh..opq" or (name in parts and posixpath.join(folder, name) not in own):
            yield each
