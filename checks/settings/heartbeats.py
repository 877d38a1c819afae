"""The heartbeats of a pipeline: the collection, the processors that must beat, and how late is too late."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import (
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from checks.settings.heartbeat_fields import HeartbeatFields, StatusWords
from checks.settings.section import Name, Section
from checks.text.duration import Duration, format_duration
from heartbeat.document_id import canonical_id

Beats = Duration | Literal["off"]
"""How often a run beats; ``"off"``: nobody watches its runs."""


STALE_BEATS: Final = 3
DEAD_BEATS: Final = 5


class RunLimits(NamedTuple):
    """How long a run that promised beats may be silent before it is stale, and before it counts as dead."""

    stale_after: timedelta
    dead_after: timedelta


class Processor(Section):
    """One entry of ``[heartbeats] processors``: a processor that is known by name.

    Attributes:
        name: the id of its heartbeat document, canonical however it looks.
        former_names: names it wrote under earlier; their documents count for it.
        late_after, down_after: its own limits; None takes those of ``[heartbeats]``.
        stale_after, dead_after: its own limits of a run that promised beats; None takes those of ``[heartbeats]``.
        beats_every: how often its runs beat, whatever their documents say; ``"off"``: no limit of a run holds for it.
        service: the Cloud Run service or job that runs it, named in findings.
        expected: it must beat. False registers the name only: absence and silence are no findings.
        retired: it must no longer beat; its old documents are no findings.
    """

    name: str
    former_names: tuple[str, ...] = ()
    late_after: Duration | None = None
    down_after: Duration | None = None
    stale_after: Duration | None = None
    dead_after: Duration | None = None
    beats_every: Beats | None = None
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
    """``[heartbeats]``: the collection, and the processors that belong in it.

    ``trash_collection`` is where a cleanup moves documents, by default next to the collection. With
    ``trash_expires_after`` each moved document says in ``expires_at`` from when on it may go: what then deletes it is a
    TTL policy on that field, which only its owner creates.

    ``late_after`` and ``down_after`` ask whether a processor has run lately; ``stale_after`` and ``dead_after`` whether
    a run died: they hold while a document says that it runs, and shows that it promised to go on beating.
    ``beats_every`` is such a promise for all processors; ``"off"`` watches no runs.
    """

    project: Name | None = None
    database: Name = "(default)"
    collection: Name = "processor_heartbeats"
    trash_collection: Name | None = None
    trash_expires_after: Duration | None = None
    late_after: Duration = timedelta(hours=2)
    down_after: Duration = timedelta(hours=24)
    stale_after: Duration = timedelta(minutes=5)
    dead_after: Duration = timedelta(minutes=15)
    beats_every: Beats | None = None
    processors: tuple[Annotated[Processor, BeforeValidator(_plain_name)], ...] = ()
    fields: HeartbeatFields = HeartbeatFields()
    status: StatusWords = StatusWords()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for processor in (None, *self.processors):
            whose = f"processor {processor.name!r}: " if processor else ""
            stale, dead = self._run_limits(processor)
            if stale > dead:
                raise ValueError(
                    f"{whose}stale_after ({format_duration(stale)}) is above dead_after ({format_duration(dead)}): "
                    "a run is stale before it is dead"
                )
            late, down = self.limits(processor)
            if late > down:
                raise ValueError(
                    f"{whose}late_after ({format_duration(late)}) is above down_after ({format_duration(down)}): "
                    "a processor is late before it is down"
                )
        counts = Counter(name for processor in self.processors for name in processor.names)
        if twice := [name for name, count in counts.items() if count > 1]:
            raise ValueError(f"{twice[0]!r} is named twice among processors and former_names: name each once")
        if self.collection in {self.trash, self.restores}:
            raise ValueError(f"trash_collection is the collection {self.collection!r} itself: name another")
        return self

    @property
    def trash(self) -> str:
        """The id of the collection that a cleanup moves documents to."""
        return self.trash_collection or f"{self.collection}_trash"

    @property
    def restores(self) -> str:
        """The id of the collection where a restore notes what it moved back, and when that was created before."""
        return f"{self.trash}_restores"

    def limits(self, processor: Processor | None) -> tuple[timedelta, timedelta]:
        """The late and the down limit that hold for a processor; None asks for the defaults."""
        late = processor.late_after if processor else None
        down = processor.down_after if processor else None
        return late or self.late_after, down or self.down_after

    def beats(self, processor: Processor | None) -> timedelta | Literal["off"] | None:
        """How often a processor's runs beat, as the settings say; None where they leave it to the documents."""
        own = processor.beats_every if processor else None
        return own or self.beats_every

    def run_limits(self, processor: Processor | None, every: timedelta) -> RunLimits:
        """The limits of a processor's run that beats so often; None asks for the defaults.

        The limits of ``[heartbeats]`` suit a beat a minute. They grow with longer intervals: a run is stale when it
        missed ``STALE_BEATS``, and dead when it missed ``DEAD_BEATS``. A processor's own limits hold as they are, but
        no run is silent before its next beat is due.
        """
        stale, dead = self._run_limits(processor)
        stale_beats = 1 if processor and processor.stale_after else STALE_BEATS
        dead_beats = 1 if processor and processor.dead_after else DEAD_BEATS
        dead = max(dead, dead_beats * every)
        return RunLimits(min(dead, max(stale, stale_beats * every)), dead)

    def _run_limits(self, processor: Processor | None) -> RunLimits:
        stale = processor.stale_after if processor else None
        dead = processor.dead_after if processor else None
        return RunLimits(stale or self.stale_after, dead or self.dead_after)

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
