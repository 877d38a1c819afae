"""Documents as the bytes that go over the wire, joined from stored bytes instead of built as messages."""

from functools import lru_cache
from typing import Final

from validate_daily.sandbox.firestore import stamps
from validate_daily.sandbox.firestore.documents import Version
from validate_daily.sandbox.firestore.messages import Document

# Tags: field number and wire type 2 (length-delimited), as Document and RunQueryResponse number their fields.
_NAME: Final = b"\x0a"
_CREATE_TIME: Final = b"\x1a"
_UPDATE_TIME: Final = b"\x22"
_DOCUMENT: Final = b"\x0a"
_READ_TIME: Final = b"\x1a"
DONE: Final = b"\x30\x01"


def document(name: str, version: Version, *, fields: bytes | None = None) -> bytes:
    """The bytes of a ``Document``, with the stored fields unless others are given."""
    encoded = name.encode()
    body = version.fields if fields is None else fields
    return b"".join(
        (
            _NAME, _length(len(encoded)), encoded, body or b"",
            _CREATE_TIME, _stamp(version.created), _UPDATE_TIME, _stamp(version.updated),
        )
    )  # fmt: skip


def read_time(at: int) -> bytes:
    """The ``read_time`` field of a ``RunQueryResponse``."""
    return _READ_TIME + _stamp(at)


def row(encoded: bytes, tail: bytes) -> bytes:
    """A ``RunQueryResponse`` with a document and what follows it."""
    return b"".join((_DOCUMENT, _length(len(encoded)), encoded, tail))


def message(name: str, version: Version) -> Document:
    """The document as a message."""
    return Document.FromString(document(name, version))


@lru_cache(maxsize=65_536)
def _length(size: int) -> bytes:
    parts = bytearray()
    while size > 0x7F:  # noqa: PLR2004 - seven bits to a byte
        parts.append(size & 0x7F | 0x80)
        size >>= 7
    parts.append(size)
    return bytes(parts)


@lru_cache(maxsize=4_096)
def _stamp(micros: int) -> bytes:
    encoded = stamps.to_timestamp(micros).SerializeToString()
    return _length(len(encoded)) + encoded
