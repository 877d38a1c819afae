"""The repositories of the practice registry: tags that move, and contents that never do."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from validate_daily.sandbox.registry.images import Built, Content, Image, build_image


@dataclass(slots=True)
class _Repository:
    tags: dict[str, str] = field(default_factory=dict[str, str])
    manifests: dict[str, Content] = field(default_factory=dict[str, Content])
    blobs: dict[str, Content] = field(default_factory=dict[str, Content])
    uploads: dict[str, datetime] = field(default_factory=dict[str, datetime])


class Registry:
    """All repositories, by the path that comes after the registry's host. Safe to use from any thread."""

    def __init__(self) -> None:
        self._repositories: dict[str, _Repository] = {}
        self._lock = threading.Lock()

    def push(self, repository: str, image: Image | Built, tag: str | None = None, *, at: datetime | None = None) -> str:
        """Put an image into a repository, which comes into being, and return its digest: an index's if it has one.

        Args:
            repository: its path.
            image: what to put there; an image that is there already stays as it was uploaded first.
            tag: a tag that then names it.
            at: when this is; a registry that is not told does not tell.
        """
        built = build_image(image) if isinstance(image, Image) else image
        digest = built.manifests[-1].digest
        with self._lock:
            held = self._repositories.setdefault(repository, _Repository())
            held.manifests.update((content.digest, content) for content in built.manifests)
            held.blobs.update((content.digest, content) for content in built.blobs)
            if at is not None:
                held.uploads.setdefault(digest, at)
            if tag is not None:
                held.tags[tag] = digest
        return digest

    def tag(self, repository: str, tag: str, digest: str) -> None:
        """Let a tag name an image that is there; whatever it named before stays, under its digest.

        Raises:
            ValueError: no such image is there.
        """
        with self._lock:
            held = self._repositories.get(repository)
            if held is None or digest not in held.manifests:
                raise ValueError(f"{repository} has no image {digest}")
            held.tags[tag] = digest

    def resolve(self, repository: str, tag: str) -> str | None:
        """The digest that a tag names now."""
        with self._lock:
            held = self._repositories.get(repository)
            return None if held is None else held.tags.get(tag)

    def tags(self, repository: str) -> list[str] | None:
        """The tags of a repository, sorted; None without such a repository."""
        with self._lock:
            held = self._repositories.get(repository)
            return None if held is None else sorted(held.tags)

    def uploads(self, repository: str) -> dict[str, datetime]:
        """When each digest of a repository was uploaded, as far as it is known."""
        with self._lock:
            held = self._repositories.get(repository)
            return {} if held is None else dict(held.uploads)

    def manifest(self, repository: str, reference: str) -> Content | None:
        """The manifest or index that a tag or a digest names."""
        with self._lock:
            held = self._repositories.get(repository)
            return None if held is None else held.manifests.get(held.tags.get(reference, reference))

    def blob(self, repository: str, digest: str) -> Content | None:
        """The configuration or layer of this digest."""
        with self._lock:
            held = self._repositories.get(repository)
            return None if held is None else held.blobs.get(digest)
