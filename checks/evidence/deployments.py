"""What is deployed, as Cloud Run and the registry tell it: services, revisions, jobs, and where tags point.

Names are short (``nba-scrapers``, ``nba-scrapers-00042-abc``). Texts of conditions and labels are strangers' text.
"""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.images import Inspected


class State(StrEnum):
    """What Cloud Run says of a condition."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PENDING = "pending"
    UNKNOWN = "unknown"


class Image(Evidence):
    """A reference to a container image.

    Attributes:
        reference: as Cloud Run has it, character for character.
        repository: registry, path and name, without tag and digest.
        tag: the tag, if the reference has one.
        digest: ``sha256:...``, if the reference has one.
    """

    reference: Untrusted
    repository: str
    tag: str | None = None
    digest: str | None = None

    def tagged(self, tag: str | None) -> "Image":
        """The same repository's image by a tag; itself without one."""
        if tag is None:
            return self
        return Image(reference=f"{self.repository}:{tag}", repository=self.repository, tag=tag)


class Revision(Evidence):
    """One revision of a service.

    Attributes:
        image: what it runs; production records the resolved digest here, whatever was deployed.
        ready: its own Ready condition. A retired revision is SUCCEEDED, whatever its other conditions say.
        reason: Cloud Run's own word for a failure, such as ``HEALTH_CHECK_CONTAINER_ERROR``, else None.
        message: what Cloud Run says of it: a stranger's text, redacted and bounded.
        retired: it serves nothing any more and that is no error.
        commit: the commit that its labels claim, else those of its service.
        flags: those environment variables that the settings list, and no others.
    """

    name: str
    service: str
    image: Image
    created_at: AwareDatetime
    ready: State
    reason: str | None = None
    message: Untrusted | None = None
    retired: bool = False
    commit: Untrusted | None = None
    flags: dict[str, Untrusted] = Field(default_factory=dict[str, str])


class Share(Evidence):
    """A part of a service's traffic: ``percent`` above 0 goes to ``revision``; ``latest`` follows new revisions."""

    revision: str
    percent: Count
    latest: bool


class Service(Evidence):
    """One Cloud Run service.

    Attributes:
        image: what its template names: what the next revision would run, a tag perhaps.
        reconciling: a change is in progress, and what else is said here is passing.
        settled: the observed generation is the current one.
        created, ready: the newest revision, and the newest that became ready.
        shares: the observed traffic, above 0 percent only.
        pinned: no part of the intended traffic follows the latest revision.
        state, reason, message: the terminal condition.
        commit: the commit that its labels claim.
        revisions: the serving ones, the newest and the newest ready, as far as they could be read.
    """

    name: str
    project: str
    region: str
    image: Image
    reconciling: bool
    settled: bool
    created: str
    ready: str
    shares: tuple[Share, ...]
    pinned: bool
    state: State
    reason: str | None = None
    message: Untrusted | None = None
    commit: Untrusted | None = None
    updated_at: AwareDatetime
    revisions: tuple[Revision, ...] = ()

    def revision(self, name: str) -> Revision | None:
        """The revision of this name, if it could be read."""
        return next((each for each in self.revisions if each.name == name), None)

    @property
    def serving(self) -> tuple[tuple[Share, Revision | None], ...]:
        """Every share of the traffic with its revision, None where that could not be read."""
        return tuple((share, self.revision(share.revision)) for share in self.shares)


class Job(Evidence):
    """One Cloud Run job.

    Attributes:
        image: what its template names. A tag is resolved anew at each execution.
        executions: how often it ran.
        last_run: when its last execution was created, None if it never ran.
        last_state: how that ended; PENDING while it runs.
        flags: those environment variables that the settings list, and no others.
    """

    name: str
    project: str
    region: str
    image: Image
    executions: Count = 0
    last_run: AwareDatetime | None = None
    last_state: State = State.UNKNOWN
    commit: Untrusted | None = None
    flags: dict[str, Untrusted] = Field(default_factory=dict[str, str])


class Tag(Evidence):
    """Where a tag points at the moment of the check.

    Attributes:
        repository, tag: what was asked.
        digest: of the manifest or index, None where the registry has no such tag.
        children: digests of an index's runnable manifests: Cloud Run may record one of these.
    """

    repository: str
    tag: str
    digest: str | None
    children: tuple[str, ...] = ()

    def points_at(self, digest: str) -> bool:
        """Whether the tag means this digest, directly or as one of its platforms."""
        return digest == self.digest or digest in self.children


class Deployments(Evidence):
    """Everything that is deployed in the projects and regions that were asked.

    ``complete`` is false where a listing was cut or a region failed: then what is absent here may exist. ``inspected``
    are the images that code probes looked into.
    """

    services: tuple[Service, ...] = ()
    jobs: tuple[Job, ...] = ()
    tags: tuple[Tag, ...] = ()
    inspected: tuple[Inspected, ...] = ()
    complete: bool = True

    def tag(self, image: Image) -> Tag | None:
        """Where an image's tag points, if the registry was asked."""
        return next((each for each in self.tags if (each.repository, each.tag) == (image.repository, image.tag)), None)

    def digest_of(self, image: Image) -> str | None:
        """What an image reference stands for: its own digest, else where its tag points now."""
        if image.digest:
            return image.digest
        tag = self.tag(image)
        return tag.digest if tag else None

    def inspection(self, repository: str, digest: str | None) -> Inspected | None:
        """What code probes found in an image, if they looked into it."""
        found = (each for each in self.inspected if each.contents.repository == repository)
        return next((each for each in found if each.contents.digest == digest), None)
