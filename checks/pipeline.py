"""The pipeline under validation: which processors must beat, where, and how late is too late.

These are the settings' types and their own consistency; ``settings.py`` finds and reads the file.
"""

from collections import Counter
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator

from checks.duration import Duration, format_duration
from checks.endpoint import Endpoint
from heartbeat.document_id import canonical_id

CONFIG_NAME: Final = "validate-daily.toml"

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\s/\x00-\x1f\x7f]+$")]


class Section(BaseModel):
    """The base of all settings: immutable, and a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


def _plain_name(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Heartbeats(Section):
    """``[heartbeats]``: the collection, and the processors that belong in it."""

    project: Name | None = None
    database: Name = "(default)"
    collection: Name = "processor_heartbeats"
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
        return self

    def limits(self, processor: Processor | None) -> tuple[timedelta, timedelta]:
        """The late and the down limit that hold for a processor; None asks for the defaults."""
        late = processor.late_after if processor else None
        down = processor.down_after if processor else None
        return late or self.late_after, down or self.down_after

    @cached_property
    def registered(self) -> frozenset[str]:
        """Every id that is canonical because the settings name it."""
        return frozenset(name for processor in self.processors for name in processor.names)


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


class Pipeline(Section):
    """All settings of one pipeline."""

    pipeline: Identity
    heartbeats: Heartbeats = Heartbeats()
    thresholds: Thresholds = Thresholds()
    endpoints: Endpoints = Endpoints()

    @property
    def heartbeat_project(self) -> str:
        """The project whose Firestore holds the heartbeats."""
        return self.heartbeats.project or self.pipeline.project
