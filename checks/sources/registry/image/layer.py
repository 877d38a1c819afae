"""What one layer says: the names that it holds, the names below it that it hides, and the bytes that are wanted."""

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from checks.sources.errors import SourceError
from checks.sources.registry.image.compression import unpacked
from checks.sources.registry.image.limits import ImageLimits
from checks.sources.registry.image.tar import NO_ARCHIVE, Archive, Bytes, Member, MemberKind

_HIDES: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_OTHERS: Final = ".wh..wh."
_REPLACED: Final = 100
TOO_MANY: Final = "look at the image with skopeo and umoci; so much is not read from here"


def _nothing(_path: str) -> bool:
    return False


@dataclass(slots=True)
class WantedFiles:
    """Whose bytes are kept: of the files that are needed and, as far as there is room, of those that are wished for."""

    needed: set[str]
    wished: Callable[[str], bool] = _nothing

    def __contains__(self, path: str) -> bool:
        return path in self.needed or self.wished(path)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a layer holds at a path.

    Attributes:
        link: where a link leads: as written for a symbolic one, from the root for a hard one to a lower layer.
        text: a file's bytes, where they were wanted; None where they were not.
        large: its bytes are more than are read.
    """

    kind: MemberKind
    link: str = ""
    text: bytes | None = None
    large: bool = False


_PLAIN: Final = {kind: Entry(kind) for kind in MemberKind}
_TOO_LARGE: Final = Entry(MemberKind.FILE, large=True)


@dataclass(slots=True)
class Layer:
    """One layer, read to its end.

    Attributes:
        entries: by path; what a later member of the archive replaced is not there.
        hidden: paths that it hides in the layers below.
        opaque: directories of whose contents in the layers below nothing is left.
        twisted: members whose place depends on what the layers below have at a directory of theirs: it has none itself.
        kept: bytes of the files that were wanted.
        replaced: how many directories of its own it replaced with something else; each takes a look at all names.
    """

    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    hidden: set[str] = field(default_factory=set[str])
    opaque: set[str] = field(default_factory=set[str])
    twisted: set[str] = field(default_factory=set[str])
    kept: int = 0
    replaced: int = 0


def read_layer(source: Bytes, wanted: WantedFiles, limits: ImageLimits, names: int) -> Layer:
    """Read a layer's archive.

    Args:
        source: the layer as the registry keeps it.
        wanted: whose bytes to keep.
        limits: what ends the reading.
        names: how many names may still be held.

    Raises:
        SourceError: it is damaged, or exceeds a limit.
    """
    layer = Layer()
    archive = Archive(unpacked(source, limits), limits)
    for member in archive:
        if len(layer.entries) + len(layer.hidden) + len(layer.opaque) >= names:
            raise SourceError(f"the image holds more than {limits.names:,} names", TOO_MANY)
        folder, name = posixpath.split(member.path)
        if name == _OPAQUE:
            layer.opaque.add(folder)
            _note(layer, member.path)
        elif name.startswith(_HIDES):
            if not name.startswith(_OTHERS):
                layer.hidden.add(posixpath.join(folder, name.removeprefix(_HIDES)))
                _note(layer, member.path)
        elif member.path:
            _note(layer, member.path)
            _add(layer, member, _entry(layer, member, archive, wanted, limits))
    return layer


def ancestors(path: str) -> Iterator[str]:
    """The directories that a path lies in, outermost first; the root is none."""
    end = path.find("/")
    while end != -1:
        yield path[:end]
        end = path.find("/", end + 1)


def _entry(layer: Layer, member: Member, archive: Archive, wanted: WantedFiles, limits: ImageLimits) -> Entry:
    if member.kind is MemberKind.HARDLINK:
        return _linked(layer, member, wanted)
    if member.kind is MemberKind.SYMLINK:
        return Entry(MemberKind.SYMLINK, member.link)
    if member.kind is not MemberKind.FILE or member.path not in wanted:
        return _PLAIN[member.kind]
    if member.size > limits.file:
        return _TOO_LARGE
    if layer.kept + member.size > limits.kept:
        if member.path not in wanted.needed:
            return _PLAIN[member.kind]
        raise SourceError(f"the files that are wanted hold more than {limits.kept:,} bytes", TOO_MANY)
    layer.kept += member.size
    return Entry(MemberKind.FILE, text=archive.read())


def _linked(layer: Layer, member: Member, wanted: WantedFiles) -> Entry:
    """A hard link is what it leads to, at this moment: in this layer, else in those below."""
    meant = layer.entries.get(member.link)
    if meant is None:
        return Entry(MemberKind.HARDLINK, member.link)
    if meant.kind is MemberKind.FILE and meant.text is None and not meant.large and member.path in wanted.needed:
        return Entry(MemberKind.FILE, member.link)  # its bytes went by unread; they are read where the link leads
    return meant


def _note(layer: Layer, path: str) -> None:
    """Remember a member whose directory this layer does not have as one."""
    folder = posixpath.dirname(path)
    if folder:
        entry = layer.entries.get(folder)
        if entry is None or entry.kind is not MemberKind.FOLDER:
            layer.twisted.add(path)


def _add(layer: Layer, member: Member, entry: Entry) -> None:
    before = layer.entries.get(member.path)
    if before is not None and before.kind is MemberKind.FOLDER and entry.kind is not MemberKind.FOLDER:
        layer.replaced += 1
        if layer.replaced > _REPLACED:
            raise SourceError(f"a layer replaces more than {_REPLACED} directories of its own", NO_ARCHIVE)
        below = f"{member.path}/"
        for path in [path for path in layer.entries if path.startswith(below)]:
            del layer.entries[path]
    layer.entries[member.path] = entry
