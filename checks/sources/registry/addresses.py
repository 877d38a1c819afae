"""Where a manifest is asked for. Strangers write image references, so nothing of one becomes syntax of a URL."""

import re
from typing import Final

from checks.evidence.snapshot import Target
from checks.sources.addresses import GOOGLE_REGISTRIES
from checks.sources.errors import SourceError
from checks.text.show import show

_GOOGLE: Final = re.compile(r"(?:[a-z0-9-]{1,63}\.){1,5}pkg\.dev|(?:[a-z0-9-]{1,63}\.)?gcr\.io")
_PATH: Final = re.compile(r"[a-z0-9][a-z0-9._:/-]{0,254}")
_REFERENCE: Final = re.compile(r"sha256:[0-9a-f]{64}|[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LOOK: Final = "look at the image with gcloud run; only Artifact Registry and Container Registry are asked"


def manifest_address(target: Target, repository: str, reference: str) -> str:
    """The URL of a manifest.

    Args:
        target: the practice registry, a host of Google's that stands for all, or neither.
        repository: registry, path and name of the image.
        reference: a tag or a digest.

    Raises:
        SourceError: the reference is none, or its registry is not Google's: no credentials go there.
    """
    return f"{repository_address(target, repository, reference)}/manifests/{reference}"


def repository_address(target: Target, repository: str, reference: str = "latest") -> str:
    """The URL that everything of a repository begins with. Arguments and errors as for ``manifest_address``."""
    first, slash, rest = repository.partition("/")
    names_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    host, path = (first, rest) if names_host else ("", repository)
    if not _is_path(path) or _REFERENCE.fullmatch(reference) is None:
        raise SourceError(f"{show(f'{repository}:{reference}', limit=200)} is no image reference", _LOOK)
    if target.practice:
        return f"http://{target.address}/v2/{path}"
    if target.address != GOOGLE_REGISTRIES:
        host = target.address
    if _GOOGLE.fullmatch(host) is None:
        raise SourceError(f"{show(host or 'an image without a host', limit=200)} is no registry of Google's", _LOOK)
    return f"https://{host}/v2/{path}"


def is_foreign(target: Target, repository: str) -> bool:
    """Whether an image is of a registry that is not asked: Docker Hub, or any other that is not Google's."""
    host, slash, path = repository.partition("/")
    named = bool(slash) and ("." in host or ":" in host or host == "localhost")
    if target.practice or target.address != GOOGLE_REGISTRIES or not _is_path(path if named else repository):
        return False
    return not named or _GOOGLE.fullmatch(host) is None


def _is_path(path: str) -> bool:
    return _PATH.fullmatch(path) is not None and all(part.strip(".") for part in path.split("/"))
