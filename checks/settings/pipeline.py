"""The settings of one pipeline, section by section, and whether the sections agree."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import (
    StringConstraints,
    field_validator,
    model_validator,
)

from checks.settings.code_probe import CodeProbe
from checks.settings.deployments import JobSettings, ServiceSettings
from checks.settings.excuses import Accepted, Quiet
from checks.settings.heartbeats import Heartbeats, Thresholds
from checks.settings.named_file_only import Agent, AuditLog, Http, Writes
from checks.settings.section import Name, Section
from checks.settings.sources import NEED_A_REGION, Endpoints, Sources


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
    def _each_place_once(self) -> Self:
        for section, entries in (("services", self.services), ("jobs", self.jobs)):
            counts = Counter((each.name, *self.place(each)) for each in entries)
            for (name, project, region), count in counts.items():
                if count > 1:
                    where = f"{project}, {region}" if region else project
                    raise ValueError(f"{name!r} is there twice in [[{section}]], in {where}: name each once")
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
        nowhere = "the settings name no region, under [pipeline] or a service: only heartbeats are looked at"
        reasons: dict[str, str] = {}
        for key, switch in self.sources.switches.items():
            source = key.replace("_", "-")
            if source in NEED_A_REGION and not self.places:
                reasons[source] = nowhere
            elif switch == "off":
                reasons[source] = f'switched off by choice: [sources] {key} = "off"'
        return reasons

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Every project and region that services and jobs live in; empty where no region is named."""
        own = (self.pipeline.project, self.pipeline.region)
        named = [(each.project or own[0], each.region or own[1]) for each in (*self.services, *self.jobs)]
        return tuple(dict.fromkeys((project, region) for project, region in (own, *named) if region))

    def quiet_windows(self, processor: str, moment: datetime) -> list[Quiet]:
        """The windows in which a processor, under its name or a former one, is expected to be quiet at a moment."""
        known = next((each.names for each in self.heartbeats.processors if processor in each.names), (processor,))
        return [each for each in self.quiet if each.holds_at(moment) and not {*known}.isdisjoint(each.processors)]

    def follows(self, job: str) -> str | None:
        """The service whose image a job follows, if the settings name one."""
        return next((each.follows for each in self.jobs if each.name == job), None)

    def tag_of(self, service: str) -> str | None:
        """The tag that the settings want a service to serve, if they name one."""
        return next((each.tag for each in self.services if each.name == service), None)

    def place_of(self, service: str) -> tuple[str, str | None]:
        """The project and region that a service lives in; the pipeline's own where the settings say nothing else."""
        known = next((each for each in self.services if each.name == service), None)
        own = self.pipeline
        return (known and known.project) or own.project, (known and known.region) or own.region

    def place(self, entry: ServiceSettings | JobSettings) -> tuple[str, str | None]:
        """The project and region of an entry; the pipeline's own where it names none."""
        return entry.project or self.pipeline.project, entry.region or self.pipeline.region

    def probes_of(self, name: str) -> tuple[CodeProbe, ...]:
        """The code probes that a service or job must pass."""
        named = {each.name for each in (*self.services, *self.jobs)}
        return tuple(each for each in self.code_probes if name in (each.subjects or named or {name}))

    @property
    def collection(self) -> str:
        """The full resource name of the heartbeat collection."""
        return f"{self.database}/documents/{self.heartbeats.collection}"

    @property
    def database(self) -> str:
        """The full resource name of the database that holds the heartbeats."""
        return f"projects/{self.heartbeat_project}/databases/{self.heartbeats.database}"

    @property
    def heartbeat_project(self) -> str:
        """The project whose Firestore holds the heartbeats."""
        return self.heartbeats.project or self.pipeline.project
