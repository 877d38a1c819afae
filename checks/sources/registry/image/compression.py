"""Unpacks a layer while it comes in: gzip, zstd, or not packed at all. Never more at once than is asked for."""

import zlib
from typing import IO, Final, cast

from checks.sources.errors import SourceError
from checks.sources.registry.image.limits import ImageLimits
from checks.sources.registry.image.tar import NO_ARCHIVE, Bytes

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = range(0x184D2A50, 0x184D2A60)
_PIECE: Final = 64 * 1024
_ZSTD_PIECE: Final = 4 * 1024
"""What is packed in zstd can grow 32,000 times: between two looks at the time no more comes in than this."""


def unpacked(source: Bytes, limits: ImageLimits) -> Bytes:
    """What a layer's archive is once it is unpacked; told by its first bytes, whatever its manifest calls it.

    Raises:
        SourceError: the source does; and reading what this gives, if what is packed is damaged or exceeds a limit.
    """
    start = source.read(4)
    while len(start) < 4 and (more := source.read(4 - len(start))):  # noqa: PLR2004 - the longest mark
        start += more
    whole = _Joined(start, source)
    if start.startswith(_GZIP):
        return _Bounded(_Gzip(whole), limits)
    if start == _ZSTD or int.from_bytes(start, "little") in _SKIPPABLE:
        return _Bounded(_zstd(whole, limits), limits)
    return _Bounded(whole, limits)


class _Joined:
    """A beginning that was read already, and the rest."""

    def __init__(self, start: bytes, source: Bytes) -> None:
        self._start = start
        self._source = source

    def read(self, size: int) -> bytes:
        start, self._start = self._start[:size], self._start[size:]
        return start or self._source.read(size)


class _Bounded:
    """Counts what comes out, and ends what will not end."""

    def __init__(self, source: Bytes, limits: ImageLimits) -> None:
        self._source = source
        self._left = limits.unpacked
        self._limits = limits

    def read(self, size: int) -> bytes:
        data = self._source.read(min(size, _PIECE))
        self._left -= len(data)
        if self._left < 0:
            raise SourceError(
                f"a layer unpacks to more than {self._limits.unpacked:,} bytes",
                "look at the layer with skopeo and umoci; so much is not read from here",
            )
        return data


class _Gzip:
    """Any number of gzip members, one after the other."""

    def __init__(self, source: Bytes) -> None:
        self._source = source
        self._unpacking = zlib.decompressobj(31)
        self._packed = b""

    def read(self, size: int) -> bytes:
        while True:
            if self._unpacking.eof:
                self._packed = self._unpacking.unused_data or self._source.read(_PIECE)
                if not self._packed.strip(b"\0"):
                    return b""
                self._unpacking = zlib.decompressobj(31)
            packed = self._packed or self._source.read(_PIECE)
            try:
                data = self._unpacking.decompress(packed, size)
            except zlib.error as error:
                raise SourceError(f"a layer's gzip is damaged: {error}", NO_ARCHIVE) from None
            self._packed = self._unpacking.unconsumed_tail
            if data:
                return data
            if not packed and not self._unpacking.eof:
                raise SourceError("a layer's gzip ends before its end", NO_ARCHIVE)


def _zstd(source: Bytes, limits: ImageLimits) -> Bytes:
    import zstandard  # noqa: PLC0415 - few images are packed so

    unpacking = zstandard.ZstdDecompressor(max_window_size=limits.window)
    reader = unpacking.stream_reader(cast("IO[bytes]", _File(source)), read_size=_ZSTD_PIECE, read_across_frames=True)

    class Unpacked:
        def read(self, size: int) -> bytes:
            try:
                return reader.read(size)
            except zstandard.ZstdError as error:
                raise SourceError(f"a layer's zstd is damaged, or needs too much memory: {error}", NO_ARCHIVE) from None

    return Unpacked()


class _File:
    """What the library takes for a file."""

    def __init__(self, source: Bytes) -> None:
        self._source = source

    def read(self, size: int = _PIECE) -> bytes:
        return self._source.read(size)
