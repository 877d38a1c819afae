"""The pipeline that the practice world simulates: its services, its jobs and the processors in them."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from validate_daily.sandbox.strict import Duration, Strict

Code = Literal["new", "old", "silent"]
"""How the code in an image writes heartbeats: one document per processor, one per run, or none without a word."""


class PipelineService(Strict):
    """A Cloud Run service.

    Attributes:
        name: its name.
        serves: the number and the ending of the revision that serves when a story begins.
        logs: whether its processors log text, or JSON with a message.
        before: the commit that it was built from before the fix.
    """

    name: str
    serves: str
    logs: Literal["text", "json"] = "text"
    before: str = "2de48c04"

    @property
    def number(self) -> int:
        """How often it was deployed when a story begins."""
        return int(self.serves.partition("-")[0])


class Job(Strict):
    """A Cloud Run job.

    Attributes:
        name: its name.
        follows: the service whose image it should run.
        processor: the processor that it runs.
    """

    name: str
    follows: str
    processor: str


class Processor(Strict):
    """A processor.

    Attributes:
        name: its canonical name, under which fixed code writes.
        class_name: the name under which old code wrote.
        service: the service that it runs in.
        every: how often it beats.
        runs_per_day: how often a new run of it starts: old code made a document of each.
        operation: a long operation at the beginning of each run, which it tells of.
    """

    name: str
    class_name: str
    service: str
    every: Duration = timedelta(minutes=15)
    runs_per_day: Annotated[float, Field(gt=0, strict=False)] = 2.85
    operation: str | None = None

    @property
    def run_length(self) -> timedelta:
        """From the start of one run to the next."""
        return timedelta(days=1) / self.runs_per_day

    @property
    def beat(self) -> timedelta:
        """From one heartbeat of old code to the next: a run that is shorter than the interval beats once."""
        return min(self.every, self.run_length)


class Pipeline(Strict):
    """All of it.

    Attributes:
        registry: where the images of services are.
        fixed: the commit that services are built from since the fix.
        test_doubles: class names that once wrote heartbeats and are no processors.
    """

    project: str
    region: str
    registry: str
    fixed: str
    database: str = "(default)"
    collection: str
    services: tuple[PipelineService, ...] = Field(strict=False)
    jobs: tuple[Job, ...] = Field(strict=False)
    processors: tuple[Processor, ...] = Field(strict=False)
    test_doubles: tuple[str, ...] = Field(default=(), strict=False)

    @property
    def database_name(self) -> str:
        """The full resource name of its Firestore database."""
        return f"projects/{self.project}/databases/{self.database}"

    def repository(self, service: str) -> str:
        """Where a service's images are."""
        return f"{self.registry}/{service}"

    def service(self, name: str) -> PipelineService:
        """The service of this name.

        Raises:
            ValueError: there is none.
        """
        for service in self.services:
            if service.name == name:
                return service
        raise ValueError(
            f"{name} is no service of this pipeline: it has {', '.join(one.name for one in self.services)}"
        )

    @model_validator(mode="after")
    def _is_consistent(self) -> "Pipeline":
        services = {service.name for service in self.services}
        for processor in self.processors:
            if processor.service not in services:
                raise ValueError(f"processor {processor.name} runs in {processor.service}, which is no service")
        names = [processor.name for processor in self.processors]
        for job in self.jobs:
            if job.follows not in services or job.processor not in names:
                raise ValueError(f"job {job.name} follows no service, or runs no processor, of this pipeline")
        if len(set(names)) < len(names):
            raise ValueError("two processors have the same name")
        return self
