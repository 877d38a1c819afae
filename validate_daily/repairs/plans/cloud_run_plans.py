"""What a change of Cloud Run will do, before anybody agrees: plans of services and jobs."""

import shlex
from abc import ABC, abstractmethod
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from checks.evidence.base import Count, Evidence, Untrusted
from checks.settings.section import Name
from validate_daily.repairs.plans.errors import RefusedError
from validate_daily.repairs.plans.ownership import Ownership, refusal_of
from validate_daily.repairs.plans.plan import Plan, Untouched

LATEST: Final = ""
"""Stands for a revision's name in traffic that follows the latest ready one."""


EVEN_IF_BAD: Final = "even if bad"
"""What a person types besides, to agree to an image that is known to be bad."""


class Version(Evidence):
    """Which state of a service or job a plan is about.

    Attributes:
        generation: counts what somebody wanted of it.
        etag: Cloud Run's own fingerprint, at the time of planning.
        spec: a digest over everything that somebody can want of it, computed here.
    """

    generation: Count
    etag: str
    spec: str


class Traffic(Evidence):
    """A part of the traffic that is wanted: ``percent`` goes to a revision, or to the latest ready one."""

    revision: str = LATEST
    percent: Annotated[int, Field(ge=0, le=100)]
    tag: str = ""

    def __str__(self) -> str:
        return f"{self.percent} % to {self.revision or 'the latest'}"


class Serving(Evidence):
    """A share of the observed traffic, and what that revision runs; ``digest`` is None where it is not told."""

    revision: str
    percent: Count
    digest: str | None


class Relabel(Evidence):
    """What becomes of the label that claims a commit: ``after`` None takes it away."""

    label: str
    before: Untrusted
    after: str | None


class ServicePlan(Plan, ABC):
    """What every plan of a service says.

    Attributes:
        service: its short name; ``service_project`` and ``region`` say where it is.
        version: the state that was read.
        wanted: the traffic that was wanted then, and ``serving`` what was observed.
        ready: the newest ready revision then, which was what traffic to the latest met.
        relabel: what becomes of the service's own label that claims a commit, together with the traffic.
        changes: everything that will change, in sentences.
        notes: what a person should know before they agree.
        bad: why the image is known to be bad, where a person wants it nevertheless.
        owned: another tool's hold on the service; None where nobody else deploys it.
        override_owner: a person wants it changed past that tool.
    """

    service: Name
    service_project: Name
    region: Name
    version: Version
    wanted: tuple[Traffic, ...]
    serving: tuple[Serving, ...]
    ready: str
    relabel: Relabel | None
    changes: tuple[str, ...]
    notes: tuple[str, ...]
    bad: tuple[Untrusted, ...]
    owned: Ownership | None
    override_owner: bool

    @property
    def subject(self) -> str:
        """The service."""
        return self.service

    @property
    def words(self) -> str:
        """The service and how many; and that its image is known to be bad, where it is."""
        return f"{super().words} {EVEN_IF_BAD}" if self.bad else super().words

    @property
    def refusal(self) -> RefusedError | None:
        """Another tool deploys it."""
        owned = [self.owned] if self.owned else []
        return refusal_of(owned, override=self.override_owner, again=shlex.join(("validate-daily", *self.arguments)))

    @property
    @abstractmethod
    def arguments(self) -> tuple[str, ...]:
        """The arguments of ``validate-daily`` that plan the same once more."""

    @property
    def overrides(self) -> tuple[str, ...]:
        """Those of them that say what somebody wants nevertheless."""
        bad = ("--even-if-bad",) if self.bad else ()
        return (*bad, *(("--override-owner",) if self.override_owner else ()))

    @property
    def size(self) -> int:
        """One service at a time."""
        return 1

    @property
    def resource(self) -> str:
        """The service's full name."""
        return f"projects/{self.service_project}/locations/{self.region}/services/{self.service}"


class RedeployPlan(ServicePlan):
    """Makes a service run another digest, and changes nothing else of it.

    Attributes:
        repository, digest: what it shall run; ``children`` are the manifests of an index, which Cloud Run may record.
        tag: the tag that was looked up; None where a person named the digest.
        before: the image that the template names now.
        uploaded_at, serving_uploaded_at: when the registry got the new image, and the one that serves.
        commit: the commit that the new image claims in a label of its own.
        older: the new image was uploaded before the one that serves; None where that is not known.
        template_label: what becomes of the label that claims a commit in the template.
        moves_traffic: traffic that is pinned now follows the latest revision afterwards.
    """

    kind: Literal["redeploy"] = "redeploy"
    repository: str
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    children: tuple[str, ...]
    tag: str | None
    before: Untrusted
    uploaded_at: AwareDatetime | None
    serving_uploaded_at: AwareDatetime | None
    commit: Untrusted | None
    older: bool | None
    template_label: Relabel | None
    moves_traffic: bool

    @property
    def image(self) -> str:
        """The new image, by digest."""
        return f"{self.repository}@{self.digest}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """The same image, by its tag where it has one."""
        which = ("--tag", self.tag) if self.tag else ("--digest", self.digest)
        return (self.repair, self.service, *which, *(("--unpin",) if self.moves_traffic else ()), *self.overrides)

    def runs_it(self, digest: str | None) -> bool:
        """Whether a revision of this digest runs what the plan is about."""
        return digest is not None and (digest == self.digest or digest in self.children)


class RollbackPlan(ServicePlan):
    """Moves a service's traffic to revisions that are ready, and makes none.

    Attributes:
        traffic: what will be wanted.
        undoes: the plan whose change is undone; None where a person named the revision.
    """

    kind: Literal["rollback"] = "rollback"
    traffic: tuple[Traffic, ...]
    undoes: str | None

    @property
    def arguments(self) -> tuple[str, ...]:
        """The last redeploy, or the revision that a person named."""
        to = next((each.revision for each in self.traffic if each.percent), "")
        return (self.repair, self.service, *(() if self.undoes else ("--to", to)), *self.overrides)


class JobChange(Evidence):
    """One job: the state that was read, its image before and after, and what becomes of its label of a commit.

    ``container`` is the one that the settings name, where they name one; ``beside`` counts those that stay as they are.
    """

    name: Name
    project: Name
    region: Name
    version: Version
    container: Name | None = None
    beside: Count = 0
    before: Untrusted
    after: str
    relabel: Relabel | None
    owned: Ownership | None
    last_run: AwareDatetime | None
    executions: Count

    @property
    def repository(self) -> str:
        """The repository of the image afterwards."""
        return self.after.partition("@")[0]

    @property
    def resource(self) -> str:
        """The job's full name."""
        return f"projects/{self.project}/locations/{self.region}/jobs/{self.name}"


class JobsPlan(Plan):
    """Makes jobs run the digest that the service serves which they follow. Starts no execution.

    Attributes:
        service: the service; ``service_project`` and ``region`` say where it is.
        digest: what every share of its traffic runs.
        jobs: those that change.
        only: the jobs that somebody named; none means all that follow it.
        untouched: those that do not, and why.
        notes: what a person should know before they agree.
        override_owner: a person wants jobs changed past the tools that deploy them.
    """

    kind: Literal["jobs"] = "jobs"
    service: Name
    service_project: Name
    region: Name
    digest: str
    jobs: Annotated[tuple[JobChange, ...], Field(min_length=1)]
    only: tuple[Name, ...]
    untouched: tuple[Untouched, ...]
    notes: tuple[str, ...]
    override_owner: bool

    @property
    def subject(self) -> str:
        """The service that they follow."""
        return self.service

    @property
    def refusal(self) -> RefusedError | None:
        """Another tool deploys one of them."""
        owned = [each.owned for each in self.jobs if each.owned]
        return refusal_of(owned, override=self.override_owner, again=shlex.join(("validate-daily", *self.arguments)))

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of ``validate-daily`` that plan the same once more."""
        only = (part for name in self.only for part in ("--job", name))
        override = ("--override-owner",) if self.override_owner else ()
        return (self.repair, "--update", self.service, *only, *override)

    @property
    def size(self) -> int:
        """Jobs."""
        return len(self.jobs)

    @property
    def resource(self) -> str:
        """The jobs that follow the service, under the service's full name."""
        return f"projects/{self.service_project}/locations/{self.region}/services/{self.service}/jobs"
