"""Reads the headers of an archive as it streams by.

The standard library's reader takes as much memory for an extended header or a sparse map as a stranger's header says;
this one bounds both before it reads. Of sparse files it knows that they are there, and not what they hold.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from checks.sources.errors import SourceError
from checks.sources.registry.image.limits import ImageLimits

BLOCK: Final = 512
NO_ARCHIVE: Final = "build and push the image again; if another tool can unpack it, report this as a fault"
_SKIP: Final = 256 * 1024
_FILES: Final = frozenset({b"0", b"\0", b"7"})
_REAL_NAME: Final = "GNU.sparse.name"
_SPARSE: Final = "GNU.sparse.major"
_MATTERS: Final = frozenset({"path", "linkpath", "size", _REAL_NAME, _SPARSE, "GNU.sparse.map", "GNU.sparse.size"})
_LENGTH: Final = re.compile(rb"([1-9][0-9]{0,6}) ")


class Bytes(Protocol):
    """What is read from its beginning to its end."""

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        ...


class MemberKind(Enum):
    """What a name in an archive stands for."""

    FILE = auto()
    FOLDER = auto()
    SYMLINK = auto()
    HARDLINK = auto()
    SPARSE = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Member:
    """One name of an archive.

    Attributes:
        path: from the image's root, without a leading slash; empty for the root itself. Nothing leads out of it.
        link: where a link leads: as it was written for a symbolic one, a path from the root for a hard one.
        size: of its bytes in the archive.
    """

    path: str
    kind: MemberKind
    link: str
    size: int


def inside(path: str) -> str:
    """A path from the image's root: whatever it says, it does not lead out of it."""
    return posixpath.normpath("/" + path).lstrip("/")


class Archive:
    """One archive on its way: iterate over its members, and ask for the bytes of the one at hand."""

    def __init__(self, source: Bytes, limits: ImageLimits) -> None:
        self._source = source
        self._limits = limits
        self._rest = 0  # bytes of the member at hand that were not read
        self._pad = 0

    def __iter__(self) -> Iterator[Member]:
        """Each member in its order.

        Raises:
            SourceError: the archive is damaged, ends before its end, or exceeds a limit.
        """
        more: dict[str, str] = {}
        while header := self._header():
            kind, size = header[156:157], _number(header[124:136])
            self._rest, self._pad = size, -size % BLOCK
            if kind in {b"x", b"L", b"K"}:
                more |= self._extension(kind)
                continue
            member = self._member(header, kind, more)
            more = {}
            if member is not None:
                yield member

    def read(self) -> bytes:
        """The bytes of the member at hand; whoever asks has looked at its size."""
        return self._exactly(self._take(self._rest))

    def _take(self, size: int) -> int:
        self._rest -= size
        return size

    def _header(self) -> bytes | None:
        """The next header; None at the end of the archive."""
        self._skip(self._rest + self._pad)
        self._rest = self._pad = 0
        block = self._source.read(BLOCK)
        while block and len(block) < BLOCK and (more := self._source.read(BLOCK - len(block))):
            block += more
        if not block.strip(b"\0"):
            return None  # two empty blocks end an archive; some tools write one, or nothing
        if len(block) < BLOCK:
            raise SourceError("a layer's archive ends in the middle of a header", NO_ARCHIVE)
        if sum(block) - sum(block[148:156]) + 8 * 0x20 != _number(block[148:156]):
            raise SourceError("a layer holds what is no tar archive", NO_ARCHIVE)
        return block

    def _extension(self, kind: bytes) -> dict[str, str]:
        if self._rest > self._limits.header:
            raise SourceError(f"a layer's archive has an extended header of {self._rest:,} bytes", NO_ARCHIVE)
        raw = self.read()
        if kind == b"x":
            return dict(_records(raw))
        return {"path" if kind == b"L" else "linkpath": _text(raw)}

    def _member(self, header: bytes, kind: bytes, more: dict[str, str]) -> Member | None:
        if kind == b"g":
            return None  # tells of the whole archive, such as the commit it was made from
        if "size" in more:
            self._rest = _decimal(more["size"])
            self._pad = -self._rest % BLOCK
        name = more.get(_REAL_NAME) or more.get("path") or _name(header)
        link = more.get("linkpath") or _text(header[157:257])
        if max(len(name), len(link)) > self._limits.name:
            raise SourceError(f"a layer holds a name of more than {self._limits.name:,} characters", NO_ARCHIVE)
        if name.count("/") > self._limits.depth:
            raise SourceError(f"a layer holds more than {self._limits.depth} directories in each other", NO_ARCHIVE)
        found = _kind(header, kind, name, more)
        if kind == b"S":
            self._skip_sparse_map(header)
        return Member(inside(name), found, inside(link) if found is MemberKind.HARDLINK else link, self._rest)

    def _skip_sparse_map(self, header: bytes) -> None:
        goes_on = header[482:483] != b"\0"
        while goes_on:
            goes_on = self._exactly(BLOCK)[504:505] != b"\0"

    def _skip(self, size: int) -> None:
        while size > 0:
            size -= len(self._exactly(min(size, _SKIP)))

    def _exactly(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0:
            part = self._source.read(size)
            if not part:
                raise SourceError("a layer's archive ends before its end", NO_ARCHIVE)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _kind(header: bytes, kind: bytes, name: str, more: dict[str, str]) -> MemberKind:
    if any(key.startswith("GNU.sparse.") for key in more) or kind == b"S":
        return MemberKind.SPARSE
    if kind in _FILES:
        # Archives from before 1988 mark a directory by its slash alone.
        return (
            MemberKind.FOLDER
            if kind == b"\0" and name.endswith("/") and header[257:262] != b"ustar"
            else MemberKind.FILE
        )
    return {b"1": MemberKind.HARDLINK, b"2": MemberKind.SYMLINK, b"5": MemberKind.FOLDER}.get(kind, MemberKind.OTHER)


def _name(header: bytes) -> str:
    name = _text(header[:100])
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(raw: bytes) -> int:
    """An octal number, or a large one in base 256."""
    if raw[0] & 0x80:
        number = int.from_bytes(bytes([raw[0] & 0x7F]) + raw[1:], "big")
        if raw[0] & 0x40 or number.bit_length() > 62:  # noqa: PLR2004 - negative, or more than any file's size
            raise SourceError("a layer's archive has a header with an impossible number", NO_ARCHIVE)
        return number
    try:
        return int(raw.strip(b"\0 ") or b"0", 8)
    except ValueError:
        raise SourceError("a layer holds what is no tar archive", NO_ARCHIVE) from None


def _decimal(raw: str) -> int:
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 18):  # noqa: PLR2004 - more than any file's size
        raise SourceError("a layer's archive has a header with an impossible size", NO_ARCHIVE)
    return int(raw)


def _records(raw: bytes) -> Iterator[tuple[str, str]]:
    """The records of a pax header that matter: ``<length> <key>=<value>``, and a line's end."""
    at, end = 0, len(raw.rstrip(b"\0"))
    while at < end:
        length = _LENGTH.match(raw, at)
        after = at + int(length[1]) if length else at
        key, equals, value = raw[length.end() if length else at : max(after - 1, at)].partition(b"=")
        if not equals or raw[after - 1 : after] != b"\n":
            raise SourceError("a layer's archive has an extended header that cannot be read", NO_ARCHIVE)
        at = after
        name = key.decode("utf-8", "replace")
        if name in _MATTERS:
            yield name, value.decode("utf-8", "surrogateescape")
