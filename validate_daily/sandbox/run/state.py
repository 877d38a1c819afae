"""What Cloud Run keeps, in plain words: no protobuf in here, so that it can be told in more than one dialect."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

PORT: Final = 8080

Status = Literal["RECONCILING", "FAILED", "SUCCEEDED"]
Labels = Mapping[str, str]


def _none() -> Labels:
    return {}


@dataclass(frozen=True, slots=True)
class Place:
    """A project and a location in it."""

    project: str
    location: str

    @property
    def name(self) -> str:
        """``projects/P/locations/L``."""
        return f"projects/{self.project}/locations/{self.location}"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is true of a resource, or not, or not yet.

    Attributes:
        type: such as ``Ready``.
        status: whether it holds.
        at: since when.
        reason: Cloud Run's word for it, such as ``HEALTH_CHECK_CONTAINER_ERROR``.
        message: the same in a sentence.
        info: it is no error although it does not hold.
    """

    type: str
    status: Status
    at: datetime
    reason: str = ""
    message: str = ""
    info: bool = False


@dataclass(frozen=True, slots=True)
class Container:
    """One container: its image as it was typed, or by digest where it was resolved."""

    image: str
    name: str = ""
    port: int | None = None
    environment: Labels = field(default_factory=_none)
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    limits: Labels = field(default_factory=_none)


@dataclass(frozen=True, slots=True)
class Template:
    """What the next revision of a service will be. ``revision`` is its name, where somebody gave one."""

    containers: tuple[Container, ...]
    revision: str = ""
    labels: Labels = field(default_factory=_none)
    annotations: Labels = field(default_factory=_none)
    service_account: str = ""
    timeout: timedelta = timedelta(minutes=5)
    max_instances: int = 0
    concurrency: int = 80


@dataclass(frozen=True, slots=True)
class Target:
    """A part of a service's traffic. Without a revision it follows the latest ready one."""

    percent: int
    revision: str = ""
    tag: str = ""


ALL_TO_LATEST: Final = (Target(100),)


@dataclass(slots=True)
class Revision:
    """One revision: a template whose images are resolved. ``conditions`` begin with Ready."""

    name: str
    service: str
    template: Template
    created: datetime
    updated: datetime
    conditions: tuple[Condition, ...] = ()

    @property
    def image(self) -> str:
        """The image of its first container."""
        return self.template.containers[0].image

    @property
    def ready(self) -> bool:
        """Whether it can serve, or could until it was retired."""
        return bool(self.conditions) and self.conditions[0].status == "SUCCEEDED"


@dataclass(slots=True)
class Service:
    """One service.

    Attributes:
        traffic: what is wanted; ``observed`` is what is so.
        created_revision, ready_revision: the newest, and the newest that became ready.
        revisions: all of them by name, oldest first.
        conditions: the first is the terminal one.
        version: counts every change of the service, so that its etag changes.
        client: the program that changed it last.
    """

    place: Place
    short: str
    uid: str
    labels: Labels
    template: Template
    created: datetime
    updated: datetime
    actor: str
    annotations: Labels = field(default_factory=_none)
    traffic: tuple[Target, ...] = ALL_TO_LATEST
    observed: tuple[Target, ...] = ()
    generation: int = 1
    observed_generation: int = 0
    created_revision: str = ""
    ready_revision: str = ""
    revisions: dict[str, Revision] = field(default_factory=dict[str, Revision])
    conditions: tuple[Condition, ...] = ()
    reconciling: bool = False
    version: int = 1
    client: str = "gcloud"

    @property
    def name(self) -> str:
        """Its full resource name."""
        return f"{self.place.name}/services/{self.short}"

    def serving(self) -> Iterator[tuple[Revision, int]]:
        """The revisions that get traffic, and their percentages."""
        for target in self.observed:
            revision = self.revisions.get(target.revision or self.ready_revision)
            if revision is not None and target.percent:
                yield revision, target.percent


@dataclass(frozen=True, slots=True)
class Task:
    """What the next execution of a job will do."""

    containers: tuple[Container, ...]
    labels: Labels = field(default_factory=_none)
    service_account: str = ""
    timeout: timedelta = timedelta(minutes=10)
    max_retries: int = 3
    tasks: int = 1


@dataclass(slots=True)
class Execution:
    """One execution of a job. ``image`` is what its tag was resolved to, which Cloud Run does not tell."""

    name: str
    job: str
    uid: str
    task: Task
    image: str
    created: datetime
    completed: datetime | None = None
    failure: str = ""

    @property
    def status(self) -> Status:
        """Whether it is over, and well."""
        if self.completed is None:
            return "RECONCILING"
        return "FAILED" if self.failure else "SUCCEEDED"


@dataclass(slots=True)
class Job:
    """One job. ``earlier`` counts the executions that are no longer kept."""

    place: Place
    short: str
    uid: str
    labels: Labels
    task: Task
    created: datetime
    updated: datetime
    actor: str
    annotations: Labels = field(default_factory=_none)
    generation: int = 1
    executions: dict[str, Execution] = field(default_factory=dict[str, Execution])
    earlier: int = 0
    version: int = 1
    client: str = "gcloud"

    @property
    def name(self) -> str:
        """Its full resource name."""
        return f"{self.place.name}/jobs/{self.short}"
