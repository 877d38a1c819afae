"""Where a long answer goes on: an opaque text that a caller hands back as it came, with the same other arguments.

A cursor grants nothing: it says where to go on in what any caller may read, and every part of it is checked again.
"""

import base64
import hashlib
import json
import zlib
from typing import Annotated, Final, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX: Final = 4_000
"""Characters of the longest cursor that is looked at."""

_MOST_BYTES: Final = 16_384

CursorArgument = Annotated[
    str | None,
    Field(max_length=MAX, description="next_cursor of the previous answer, with the same other arguments"),
]


class CursorPlace(BaseModel):
    """The base of what cursors hold. ``asked`` is the digest of the other arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: str


P = TypeVar("P", bound=CursorPlace)


def asked(*arguments: object) -> str:
    """A digest of the arguments that must stay the same from page to page."""
    return hashlib.sha256(json.dumps(arguments, default=str).encode()).hexdigest()[:16]


def write_cursor(place: CursorPlace) -> str:
    """A place as a text."""
    return base64.urlsafe_b64encode(zlib.compress(place.model_dump_json().encode(), 9)).decode().rstrip("=")


def read_cursor(cursor: str, kind: type[P], wanted: str) -> P:
    """The place that a cursor names.

    Args:
        cursor: what the caller handed back.
        kind: what it should hold.
        wanted: the digest of the other arguments, from ``asked``.

    Raises:
        ToolError: it is no cursor of this tool, or belongs to other arguments.
    """
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place = kind.model_validate_json(zlib.decompressobj().decompress(packed, _MOST_BYTES))
    except (ValueError, zlib.error, ValidationError) as error:
        raise ToolError("cursor: not one that this tool gave: hand back next_cursor as it came, or none") from error
    if place.asked != wanted:
        raise ToolError("cursor: it belongs to a call with other arguments: repeat those, or start without a cursor")
    return place
