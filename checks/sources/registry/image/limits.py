"""How much of an image is looked at. What lies beyond ends as "inconclusive", before memory is taken for it."""

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """Bounds of one look into one image, in bytes unless told otherwise.

    Attributes:
        document: of an index, a manifest or a configuration.
        layers: how many layers an image may have.
        read: compressed bytes of all layers.
        unpacked: bytes of one layer once it is unpacked.
        names: how many names all layers may hold.
        name: the length of a path or the target of a link.
        depth: directories in each other.
        twisted: places that a layer may have written to by other names than theirs.
        header: one extended header of an archive.
        window: what zstd may look back on.
        file: one file whose text is wanted.
        kept: all files whose text is wanted.
        hops: how many links one path may lead over.
    """

    document: int = 4 * MIB
    layers: int = 200
    read: int = 2 * KIB * MIB
    unpacked: int = 8 * KIB * MIB
    names: int = 200_000
    name: int = 4 * KIB
    depth: int = 256
    twisted: int = 100
    header: int = 256 * KIB
    window: int = 32 * MIB
    file: int = 4 * MIB
    kept: int = 24 * MIB
    hops: int = 40
