"""The base of all evidence, and the type of what strangers wrote."""

import hashlib
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SerializationInfo

from checks.text.redact import LIMIT, redact
from checks.text.show import show

Count = Annotated[int, Field(ge=0)]

LONGEST: Final = 2_000
"""Characters of any stranger's text that is kept: a document id has 1,500 at most, and a key names its rule too."""

INERT: Final = "inert"
"""The serialization context of whoever must not be steered: a model. Without it, strangers' text stays as it is."""


class Evidence(BaseModel):
    """Immutable, and exact about its fields. Whoever reads a source makes it; rules read it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def inert(text: str, limit: int = LIMIT) -> str:
    """A stranger's text as a model may see it: secrets redacted, the rest escaped as ``show`` does, bounded.

    Escapes read back exactly. What is cut off is counted, and hashed, so that two long texts stay two.

    Args:
        text: anything.
        limit: at most this many escaped characters of it, before what says that it was cut.
    """
    shown = show(redact(text))
    if len(shown) <= limit:
        return shown
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"{shown[:limit]}… [cut: {len(text):,} characters, sha256 {digest[:16]}]"


def _told(text: str, info: SerializationInfo) -> str:
    return inert(text) if info.context == INERT else text


Untrusted = Annotated[str, PlainSerializer(_told), Field(json_schema_extra={"x-untrusted": True, "maxLength": LONGEST})]
"""A stranger's text: a document id, a log line, a label, a name. It is data, whatever it says."""
