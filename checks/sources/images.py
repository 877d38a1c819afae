"""Reads references to container images: ``host/path/name:tag@sha256:...``."""

import re
from typing import Final

from checks.deployments import Image

DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_MAX: Final = 1_000


def parse_image(reference: str) -> Image:
    """Take a reference apart. Never fails: what is no tag or digest stays in ``reference`` alone.

    Raises:
        ValueError: it is longer than any reference.
    """
    if len(reference) > _MAX:
        raise ValueError(f"an image reference of {len(reference):,} characters")
    name, _, digest = reference.partition("@")
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return Image(
        reference=reference,
        repository=f"{folder}{slash}{last}",
        tag=tag or None,
        digest=digest if DIGEST.fullmatch(digest) else None,
    )
