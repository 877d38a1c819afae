"""The pipeline under validation: which processors must beat, where, and how late is too late.

These are the settings' types and their own consistency; ``file.py`` finds and reads the file.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from checks.settings.address import Endpoint
from checks.settings.code_probe import CodeProbe
from checks.settings.named_file_only import Agent, AuditLog, Http, Writes
from checks.settings.section import Name, Section
from checks.text.duration import Duration, format_duration
from heartbeat.document_id import canonical_id

CONFIG_NAME: Final = "validate-daily.toml"


class Identity(Section):
    """``[pipeline]``: what the pipeline is called and where it lives."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    project: Name
    region: Name | None = None
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError):
            raise ValueError('no such time zone: use an IANA name, as in "America/Los_Angeles"') from None
        return value


class Processor(Section):
    """One entry of ``[heartbeats] processors``: a processor that is known by name.

    Attributes:
        name: the id of its heartbeat document, canonical however it looks.
        former_names: names it wrote under earlier; their documents count for it.
        late_after, down_after: its own limits; None takes those of ``[heartbeats]``.
        service: the Cloud Run service or job that runs it, named in findings.
        expected: it must beat. False registers the name only: absence and silence are no findings.
        retired: it must no longer beat; its old documents are no findings.
    """

    name: str
    former_names: tuple[str, ...] = ()
    late_after: Duration | None = None
    down_after: Duration | None = None
    service: Name | None = None
    expected: bool = True
    retired: bool = False

    @field_validator("name")
    @classmethod
    def _can_be_an_id(cls, value: str) -> str:
        return canonical_id(value, registered=True)

    @property
    def must_beat(self) -> bool:
        """Whether its absence or silence is a finding."""
        return self.expected and not self.retired

    @property
    def names(self) -> tuple[str, ...]:
        """Its name and all former ones."""
        return (self.name, *self.former_names)


def _moment(value: object) -> object:
    """A TOML date is midnight UTC; a local time without a zone stays as it is, and is refused."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


def _plain_name(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Heartbeats(Section):
    """``[heartbeats]``: the collection, and the processors that belong in it.

    ``trash_collection`` is where a cleanup moves documents, by default next to the collection. With
    ``trash_expires_after`` each moved document says in ``expires_at`` from when on it may go: what then deletes it is a
    TTL policy on that field, which only its owner creates.
    """

    project: Name | None = None
    database: Name = "(default)"
    collection: Name = "processor_heartbeats"
    trash_collection: Name | None = None
    trash_expires_after: Duration | None = None
    late_after: Duration = timedelta(hours=2)
    down_after: Duration = timedelta(hours=24)
    processors: tuple[Annotated[Processor, BeforeValidator(_plain_name)], ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for processor in (None, *self.processors):
            late, down = self.limits(processor)
            if late > down:
                whose = f"processor {processor.name!r}: " if processor else ""
                raise ValueError(
                    f"{whose}late_after ({format_duration(late)}) is above down_after ({format_duration(down)}): "
                    "a processor is late before it is down"
                )
        counts = Counter(name for processor in self.processors for name in processor.names)
        if twice := [name for name, count in counts.items() if count > 1]:
            raise ValueError(f"{twice[0]!r} is named twice among processors and former_names: name each once")
        if self.trash == self.collection:
            raise ValueError(f"trash_collection is the collection {self.collection!r} itself: name another")
        return self

    @property
    def trash(self) -> str:
        """The id of the collection that a cleanup moves documents to."""
        return self.trash_collection or f"{self.collection}_trash"

    def limits(self, processor: Processor | None) -> tuple[timedelta, timedelta]:
        """The late and the down limit that hold for a processor; None asks for the defaults."""
        late = processor.late_after if processor else None
        down = processor.down_after if processor else None
        return late or self.late_after, down or self.down_after

    @cached_property
    def registered(self) -> frozenset[str]:
        """Every id that is canonical because the settings name it."""
        return frozenset(name for processor in self.processors for name in processor.names)

    @cached_property
    def services(self) -> Mapping[str, str]:
        """The service or job that runs a processor, by the processor's name and former names."""
        return {name: each.service for each in self.processors if each.service for name in each.names}

    def processors_of(self, service: str) -> tuple[Processor, ...]:
        """The processors that a service or job runs."""
        return tuple(each for each in self.processors if each.service == service)


class Thresholds(Section):
    """``[thresholds]``: a total of documents *above* one of these is a finding (Phase 0.2)."""

    notice: Annotated[int, Field(ge=1)] = 50
    p1: Annotated[int, Field(ge=1)] = 100
    p0: Annotated[int, Field(ge=1)] = 500

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.notice < self.p1 < self.p0:
            raise ValueError(f"notice ({self.notice}) < p1 ({self.p1}) < p0 ({self.p0}) must hold")
        return self


class Endpoints(Section):
    """``[endpoints]``: where to reach an API instead of Google's own address; for practice, on loopback."""

    run: Endpoint | None = None
    logging: Endpoint | None = None
    registry: Endpoint | None = None


Switch = Literal["on", "off"]
Flag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]


class Sources(Section):
    """``[sources]``: what is looked at besides the heartbeats, and how.

    Attributes:
        cloud_run, logging, registry: "off" is a choice, and every report names it.
        window: how far back the logs are searched.
        run_marker: what stands before a processor's name in the log line of a finished run, the second witness.
        operation_limit: an operation that told of its START longer ago than this, and of no END, is stuck.
        flags: the environment variables whose values may leave Cloud Run; all others stay there.
        commit_label: the label that claims a commit.
    """

    cloud_run: Switch = "on"
    logging: Switch = "on"
    registry: Switch = "on"
    window: Duration = timedelta(hours=24)
    run_marker: Annotated[str, StringConstraints(min_length=3, max_length=100)] = "Processor run completed: "
    operation_limit: Duration = timedelta(minutes=30)
    flags: tuple[Flag, ...] = ("ENABLE_HEARTBEATS",)
    commit_label: Name = "commit-sha"


Repository = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._-]*)+$")
]


class ServiceSettings(Section):
    """One entry of ``[[services]]``: a service that must be there.

    ``tag`` is the one that it should serve; None takes the one that it was deployed from, if it was deployed by a tag.
    ``repository`` is where a redeploy takes the image from; None takes the repository of the image that serves.
    Where the project or region is not that of the pipeline, name it.
    """

    name: Name
    project: Name | None = None
    region: Name | None = None
    tag: Name | None = None
    repository: Repository | None = None


class JobSettings(Section):
    """One entry of ``[[jobs]]``: a job that must be there, and ``follows`` a service's image if it should."""

    name: Name
    project: Name | None = None
    region: Name | None = None
    follows: Name | None = None


ReasonText = Annotated[str, StringConstraints(min_length=3, max_length=500)]


class Quiet(Section):
    """One entry of ``[[quiet]]``: processors that are expected to be silent for a while (off-season, maintenance).

    Their missing and stale heartbeats are listed as quiet; growth and malformed ids are never hidden. The window
    includes ``from`` and ends before ``until``; both are times with a zone, or dates in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_alias=True)

    processors: Annotated[tuple[Name, ...], Field(min_length=1)]
    since: Annotated[Moment, Field(alias="from")]
    until: Moment
    reason: ReasonText

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.since < self.until:
            raise ValueError(f"from ({self.since:%Y-%m-%d}) must come before until ({self.until:%Y-%m-%d})")
        return self

    def holds_at(self, moment: datetime) -> bool:
        """Whether a moment lies within the window."""
        return self.since <= moment < self.until


class Accepted(Section):
    """One entry of ``[[accepted]]``: a finding that somebody knows of and lives with, until a day.

    It stays printed and leaves the exit code. It returns when it expires or worsens: beyond ``severity``, or beyond
    ``count`` where that is given. P0 and what could not be seen cannot be accepted.
    """

    rule: Name
    subject: Annotated[str, StringConstraints(min_length=1)]
    reason: ReasonText
    by: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    until: Moment
    severity: Literal["P1", "P2"] = "P2"
    count: Annotated[int, Field(ge=0)] | None = None


class Pipeline(Section):
    """All settings of one pipeline."""

    pipeline: Identity
    heartbeats: Heartbeats = Heartbeats()
    thresholds: Thresholds = Thresholds()
    endpoints: Endpoints = Endpoints()
    sources: Sources = Sources()
    http: Http = Http()
    services: tuple[ServiceSettings, ...] = ()
    jobs: tuple[JobSettings, ...] = ()
    code_probes: tuple[CodeProbe, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    writes: Writes = Writes()
    audit: AuditLog = AuditLog()
    agent: Agent = Agent()

    @model_validator(mode="after")
    def _probes_what_exists(self) -> Self:
        twice = [name for name, count in Counter(each.name for each in self.code_probes).items() if count > 1]
        if twice:
            raise ValueError(f"code probe {twice[0]!r} is there twice: give each a name of its own")
        known = {each.name for each in (*self.services, *self.jobs)}
        for probe in self.code_probes:
            if unknown := [name for name in probe.subjects if name not in known]:
                raise ValueError(
                    f"code probe {probe.name!r} is about {unknown[0]!r}, which is not among [[services]] and [[jobs]]"
                )
        return self

    @model_validator(mode="after")
    def _follows_what_exists(self) -> Self:
        services = {service.name for service in self.services}
        for job in self.jobs:
            if job.follows is not None and job.follows not in services:
                raise ValueError(f"job {job.name!r} follows {job.follows!r}, which is not among [[services]]")
        return self

    @property
    def unasked(self) -> dict[str, str]:
        """The sources that these settings leave out, and why."""
        switches = {"cloud-run": "cloud_run", "logging": "logging", "registry": "registry"}
        if not self.places:
            reason = "the settings name no region, under [pipeline] or a service: only heartbeats are looked at"
            return dict.fromkeys(switches, reason)
        return {
            source: f'switched off by choice: [sources] {key} = "off"'
            for source, key in switches.items()
            if getattr(self.sources, key) == "off"
        }

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Every project and region that services and jobs live in; empty where no region is named."""
        own = (self.pipeline.project, self.pipeline.region)
        named = [(each.project or own[0], each.region or own[1]) for each in (*self.services, *self.jobs)]
        return tuple(dict.fromkeys((project, region) for project, region in (own, *named) if region))

    def tag_of(self, service: str) -> str | None:
        """The tag that the settings want a service to serve, if they name one."""
        return next((each.tag for each in self.services if each.name == service), None)

    def place_of(self, service: str) -> tuple[str, str | None]:
        """The project and region that a service lives in; the pipeline's own where the settings say nothing else."""
        known = next((each for each in self.services if each.name == service), None)
        own = self.pipeline
        return (known and known.project) or own.project, (known and known.region) or own.region

    def probes_of(self, name: str) -> tuple[CodeProbe, ...]:
        """The code probes that a service or job must pass."""
        named = {each.name for each in (*self.services, *self.jobs)}
        return tuple(each for each in self.code_probes if name in (each.subjects or named or {name}))

    @property
    def collection(self) -> str:
        """The full resource name of the heartbeat collection."""
        heartbeats = self.heartbeats
        return f"projects/{self.heartbeat_project}/databases/{heartbeats.database}/documents/{heartbeats.collection}"

    @property
    def heartbeat_project(self) -> str:
        """The project whose Firestore holds the heartbeats."""
        return self.heartbeats.project or self.pipeline.project
