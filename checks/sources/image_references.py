"""Reads references to container images: ``host/path/name:tag@sha256:...``.

A reference without tag and digest means the tag ``latest``, wherever images are pulled.
"""

import re
from typing import Final

from checks.evidence.deployments import Image

DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
LATEST: Final = "latest"
_MAX: Final = 1_000
_SHAPE: Final = re.compile(r"[A-Za-z0-9._/:@+-]*")


def parse_image(reference: str) -> Image:
    """Take a reference apart. Never fails: what is no tag or digest stays in ``reference`` alone.

    Raises:
        ValueError: it is longer than any reference, or holds characters that none does.
    """
    if len(reference) > _MAX:
        raise ValueError(f"an image reference of {len(reference):,} characters")
    if not _SHAPE.fullmatch(reference):
        raise ValueError("an image reference that holds what none can")
    name, at, digest = reference.partition("@")
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return Image(
        reference=reference,
        repository=f"{folder}{slash}{last}",
        tag=tag or (LATEST if last and not at else None),
        digest=digest if DIGEST.fullmatch(digest) else None,
    )
