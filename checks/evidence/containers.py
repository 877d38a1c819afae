"""The containers of a service's template, of a revision and of a job, and the images that they name."""

from pydantic import Field

from checks.evidence.base import Count, Evidence, Untrusted


class Image(Evidence):
    """A reference to a container image.

    Attributes:
        reference: as Cloud Run has it, character for character.
        repository: registry, path and name, without tag and digest.
        tag: the tag, if the reference has one; ``latest`` where it has neither tag nor digest.
        digest: ``sha256:...``, if the reference has one. Then the tag beside it decides nothing.
    """

    reference: Untrusted
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def by_tag(self) -> str | None:
        """The tag that decides what runs; None where a digest does."""
        return None if self.digest else self.tag

    def tagged(self, tag: str | None) -> "Image":
        """The same repository's image by a tag; itself without one."""
        if tag is None:
            return self
        return Image(reference=f"{self.repository}:{tag}", repository=self.repository, tag=tag)


class Container(Evidence):
    """One container.

    Attributes:
        name: as Cloud Run has it, empty where it has none.
        image: what it runs; its repository is empty where the reference could not be taken apart.
        port: where it listens; None where it names none.
        depends_on: the names of containers that must run before it.
        flags: those environment variables that the settings list, and no others.
        commit: the commit that an environment variable claims.
    """

    name: Untrusted = ""
    image: Image
    port: Count | None = None
    depends_on: tuple[Untrusted, ...] = ()
    flags: dict[str, Untrusted] = Field(default_factory=dict[str, str])
    commit: Untrusted | None = None
