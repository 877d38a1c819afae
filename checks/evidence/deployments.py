"""What is deployed, as Cloud Run and the registry tell it: services, revisions, jobs, and where tags point.

Names are short (``nba-scrapers``, ``nba-scrapers-00042-abc``). Texts of conditions and labels are strangers' text.
"""

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.containers import Container, Image
from checks.evidence.images import Inspected
from checks.evidence.owners import Owner

_EXECUTION: Final = re.compile(r"-[a-z0-9]{5}")


class State(StrEnum):
    """What Cloud Run says of a condition."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PENDING = "pending"
    UNKNOWN = "unknown"


class Revision(Evidence):
    """One revision of a service.

    Attributes:
        image: what its program runs; production records the resolved digest here, whatever was deployed. Where it
            cannot be told which container that is, the first that may be it: ``own_containers`` has all of them.
        containers: all of them, where there are several.
        ready: its own Ready condition. A retired revision is SUCCEEDED, whatever its other conditions say.
        reason: Cloud Run's own word for a failure, such as ``HEALTH_CHECK_CONTAINER_ERROR``, else None.
        message: what Cloud Run says of it: a stranger's text, redacted and bounded.
        retired: it serves nothing any more and that is no error.
        commit: the commit that its labels claim, else those of its service.
        flags: those environment variables that the settings list, and no others.
        port: where it must listen; None where it names none.
    """

    name: str
    service: str
    image: Image
    containers: tuple[Container, ...] = ()
    port: Count | None = None
    created_at: AwareDatetime
    ready: State
    reason: str | None = None
    message: Untrusted | None = None
    retired: bool = False
    commit: Untrusted | None = None
    flags: dict[str, Untrusted] = Field(default_factory=dict[str, str])

    @property
    def every(self) -> tuple[Container, ...]:
        """Its containers, also where there is one alone."""
        return self.containers or (Container(image=self.image, flags=self.flags, commit=self.commit),)


class Share(Evidence):
    """A part of a service's traffic: ``percent`` above 0 goes to ``revision``; ``latest`` follows new revisions."""

    revision: str
    percent: Count
    latest: bool


class Preview(Evidence):
    """A traffic tag that gives a revision an address of its own and none of the traffic, as for a pull request."""

    tag: Untrusted
    revision: str


class Service(Evidence):
    """One Cloud Run service.

    Attributes:
        image: what its template names: what the next revision would run, a tag perhaps. Of several containers as in
            a revision.
        containers: all of its template, where there are several.
        port: where its template says that it listens; None where that names none.
        reconciling: a change is in progress, and what else is said here is passing.
        settled: the observed generation is the current one.
        created, ready: the newest revision, and the newest that became ready.
        shares: the observed traffic, above 0 percent only.
        wanted: the intended traffic, above 0 percent only; empty where nobody asked for any, or that was not read.
        previews: the traffic tags at 0 percent.
        pinned: no part of the intended traffic follows the latest revision.
        instances: how many somebody set by hand; None where Cloud Run scales the service itself.
        state, reason, message: the terminal condition.
        commit: the commit that its labels claim.
        client: the program that changed it last, as that names itself.
        owner: the tool whose deploys it is, as its labels, annotations or client tell it.
        revisions: the serving ones, the newest and the newest ready, as far as they could be read.
    """

    name: str
    project: str
    region: str
    image: Image
    containers: tuple[Container, ...] = ()
    port: Count | None = None
    reconciling: bool
    settled: bool
    created: str
    ready: str
    shares: tuple[Share, ...]
    wanted: tuple[Share, ...] = ()
    previews: tuple[Preview, ...] = ()
    pinned: bool
    instances: Count | None = None
    state: State
    reason: str | None = None
    message: Untrusted | None = None
    commit: Untrusted | None = None
    client: Untrusted | None = None
    owner: Owner | None = None
    updated_at: AwareDatetime
    revisions: tuple[Revision, ...] = ()

    @property
    def every(self) -> tuple[Container, ...]:
        """The containers of its template, also where there is one alone."""
        return self.containers or (Container(image=self.image),)

    @property
    def in_progress(self) -> bool:
        """What is told of it is passing, or of an older generation; after a failure Cloud Run keeps telling of that."""
        return self.reconciling or not (self.settled or self.state is State.FAILED)

    @property
    def unmet(self) -> bool:
        """The traffic that was asked for is not the traffic that is observed."""
        return bool(self.wanted) and _by_revision(self.wanted) != _by_revision(self.shares)

    @property
    def preview(self) -> str | None:
        """The traffic tag that makes the newest revision a preview; None where it is none."""
        return next((each.tag for each in self.previews if each.revision == self.created), None)

    def revision(self, name: str) -> Revision | None:
        """The revision of this name, if it could be read."""
        return next((each for each in self.revisions if each.name == name), None)

    @property
    def serving(self) -> tuple[tuple[Share, Revision | None], ...]:
        """Every share of the traffic with its revision, None where that could not be read."""
        return tuple((share, self.revision(share.revision)) for share in self.shares)


def _by_revision(shares: Iterable[Share]) -> Counter[str]:
    told = Counter[str]()
    for share in shares:
        told[share.revision] += share.percent
    return told


class Job(Evidence):
    """One Cloud Run job.

    Attributes:
        image: what its template names. A tag is resolved anew at each execution. Of several containers as in a
            revision.
        containers: all of its template, where there are several.
        executions: how often it ran.
        last_run: when its last execution was created, None if it never ran.
        last_execution: its name, None if it never ran or Cloud Run does not tell.
        last_state: how that ended; PENDING while it runs.
        cancelled: somebody cancelled it, which is FAILED too.
        flags: those environment variables that the settings list, and no others.
        client, owner: as for a service.
    """

    name: str
    project: str
    region: str
    image: Image
    containers: tuple[Container, ...] = ()
    executions: Count = 0
    last_run: AwareDatetime | None = None
    last_execution: str | None = None
    last_state: State = State.UNKNOWN
    cancelled: bool = False
    commit: Untrusted | None = None
    flags: dict[str, Untrusted] = Field(default_factory=dict[str, str])
    client: Untrusted | None = None
    owner: Owner | None = None

    @property
    def every(self) -> tuple[Container, ...]:
        """The containers of its template, also where there is one alone."""
        return self.containers or (Container(image=self.image, flags=self.flags, commit=self.commit),)


def is_execution_of(execution: str, job: str) -> bool:
    """Whether Cloud Run may have given an execution of a job this name: the job's own, a hyphen, five characters.

    A prefix says nothing: ``backfill-props-x7k2p`` is an execution of ``backfill-props``, and none of ``backfill``.
    """
    return _EXECUTION.fullmatch(execution.removeprefix(job)) is not None and execution.startswith(job)


class Tag(Evidence):
    """Where a tag points at the moment of the check; or whether a digest is there, and what it is made of.

    Attributes:
        repository, tag: what was asked; a digest stands in the place of the tag.
        digest: of the manifest or index, None where the registry has no such tag.
        children: digests of an index's runnable manifests: Cloud Run may record one of these.
        runs: the one of them that Cloud Run runs, which is linux/amd64.
    """

    repository: str
    tag: str
    digest: str | None
    children: tuple[str, ...] = ()
    runs: str | None = None

    def points_at(self, digest: str) -> bool:
        """Whether the tag means this digest, directly or as one of its platforms."""
        return digest == self.digest or digest in self.children


def run_of(tags: Iterable[Tag], digest: str) -> str:
    """The manifest that Cloud Run runs of a digest: that of an index, where the registry told of it; else itself."""
    return next((tag.runs for tag in tags if tag.digest == digest and tag.runs), digest)


class Deployments(Evidence):
    """Everything that is deployed in the projects and regions that were asked.

    ``complete`` is false where a listing was cut or a region failed: then what is absent here may exist. ``inspected``
    are the images that code probes looked into. ``other_services`` and ``other_jobs`` are somebody else's, as
    ``own_deployments`` tells them apart; ``unread_others`` counts those that could not even be read. ``foreign`` are
    the repositories of registries that are not asked.
    """

    services: tuple[Service, ...] = ()
    jobs: tuple[Job, ...] = ()
    other_services: tuple[Service, ...] = ()
    other_jobs: tuple[Job, ...] = ()
    unread_others: Count = 0
    foreign: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    inspected: tuple[Inspected, ...] = ()
    complete: bool = True

    def tag(self, image: Image) -> Tag | None:
        """Where an image's tag points, if the registry was asked."""
        return next((each for each in self.tags if (each.repository, each.tag) == (image.repository, image.tag)), None)

    def lacks(self, image: Image) -> bool:
        """Whether the registry said that it does not have an image: the digest that decides, else the tag."""
        wanted = image.digest or image.tag
        found = (each for each in self.tags if (each.repository, each.tag) == (image.repository, wanted))
        return any(each.digest is None for each in found)

    def meets(self, tag: Tag, digest: str) -> bool:
        """Whether a digest that was recorded runs what a tag means, whichever of the two is an index of the other."""
        return tag.points_at(digest) or tag.points_at(run_of(self.tags, digest))

    def same_image(self, one: str, other: str) -> bool:
        """Whether two digests run the same: they are equal, or one is an index and the other what runs of it."""
        return run_of(self.tags, one) == run_of(self.tags, other)

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
