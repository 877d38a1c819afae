"""The pipeline that the practice world simulates: its services, its jobs and the processors in them."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sandbox.strict import Duration, Strict

Code = Literal["new", "old", "silent"]
"""How the code in an image writes heartbeats: one document per processor, one per run, or none without a word."""


class Service(Strict):
    """A Cloud Run service."""

    name: str


class Job(Strict):
    """A Cloud Run job."""

    name: str


class Processor(Strict):
    """A processor.

    Attributes:
        name: its canonical name, under which fixed code writes.
        class_name: the name under which old code wrote.
        service: the service that it runs in.
        every: how often it beats.
        runs_per_day: how often a new run of it starts: old code made a document of each.
    """

    name: str
    class_name: str
    service: str
    every: Duration = timedelta(minutes=15)
    runs_per_day: Annotated[float, Field(gt=0, strict=False)] = 2.85

    @property
    def run_length(self) -> timedelta:
        """From the start of one run to the next."""
        return timedelta(days=1) / self.runs_per_day

    @property
    def beat(self) -> timedelta:
        """From one heartbeat of old code to the next: a run that is shorter than the interval beats once."""
        return min(self.every, self.run_length)


class Pipeline(Strict):
    """All of it. ``test_doubles`` are class names that once wrote heartbeats and are no processors."""

    project: str
    region: str
    database: str = "(default)"
    collection: str
    services: tuple[Service, ...] = Field(strict=False)
    jobs: tuple[Job, ...] = Field(strict=False)
    processors: tuple[Processor, ...] = Field(strict=False)
    test_doubles: tuple[str, ...] = Field(default=(), strict=False)

    @property
    def database_name(self) -> str:
        """The full resource name of its Firestore database."""
        return f"projects/{self.project}/databases/{self.database}"

    @model_validator(mode="after")
    def _is_consistent(self) -> "Pipeline":
        services = {service.name for service in self.services}
        for processor in self.processors:
            if processor.service not in services:
                raise ValueError(f"processor {processor.name} runs in {processor.service}, which is no service")
        names = [processor.name for processor in self.processors]
        if len(set(names)) < len(names):
            raise ValueError("two processors have the same name")
        return self
