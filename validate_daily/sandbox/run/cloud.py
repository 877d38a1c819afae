"""Cloud Run at work: what is asked of it, and what comes of that when its time has come."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.images import Images
from validate_daily.sandbox.run import rollout, v2
from validate_daily.sandbox.run.rehearsal import Rehearsal
from validate_daily.sandbox.run.state import (
    Container,
    Execution,
    Job,
    Labels,
    Place,
    Revision,
    Service,
    Target,
    Task,
    Template,
)

_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_RUN: Final = timedelta(minutes=2)

Started = Callable[[Service, Revision], None]
Executed = Callable[[Job, Execution], None]


@dataclass(slots=True)
class Operation:
    """A change under way.

    Attributes:
        name: its full resource name.
        about: the service, or the job and its execution, that it changes.
        due: when it is over.
        done: whether it is.
        failure: why it came to nothing, once it has.
    """

    name: str
    about: Service | tuple[Job, Execution] | Job
    due: datetime
    revision: Revision | None = None
    done: bool = False
    failure: str = ""


class CloudRun:
    """All services and jobs of the practice world.

    Args:
        images: the registry that images are pulled from.
        clock: the world's time.
        seed: makes the ends of names.

    Attributes:
        takes: how long a change of a service takes; zero lets it be over at once.
        lock: held by whoever reads or changes anything here.
        on_failed_start: told of each revision that did not start.
        on_executed: told of each execution that is over.
        permissions: what clients may do; everything while it is None.
        rehearsal: how changes are answered that are only to be validated.
    """

    def __init__(self, images: Images, clock: Clock, *, seed: int = 0) -> None:
        self.images = images
        self.clock = clock
        self.takes = timedelta(seconds=5)
        self.lock = threading.RLock()
        self.services: dict[str, Service] = {}
        self.jobs: dict[str, Job] = {}
        self.operations: dict[str, Operation] = {}
        self.permissions: frozenset[str] | None = None
        self.rehearsal = Rehearsal()
        self.on_failed_start: Started = lambda _service, _revision: None
        self.on_executed: Executed = lambda _job, _execution: None
        self._seed = seed
        self._pending: list[Operation] = []

    def add_service(
        self, place: Place, short: str, template: Template, *, number: int, at: datetime, actor: str, labels: Labels
    ) -> Service:
        """A service comes into being, and is deployed ``number`` times by now."""
        service = Service(
            place, short, v2.uid(place.name, short), labels, template, at, at, actor, generation=number - 1
        )
        self.services[service.name] = service
        self.update(service, template=template, at=at, takes=timedelta())
        return service

    def add_job(self, place: Place, short: str, task: Task, *, at: datetime, actor: str, labels: Labels) -> Job:
        """A job comes into being."""
        job = Job(place, short, v2.uid(place.name, short), labels, task, at, at, actor)
        self.jobs[job.name] = job
        return job

    def update(
        self,
        service: Service,
        *,
        template: Template | None = None,
        traffic: tuple[Target, ...] | None = None,
        labels: Labels | None = None,
        annotations: Labels | None = None,
        at: datetime,
        takes: timedelta | None = None,
    ) -> Operation:
        """Begin to change a service: a template that differs from the last makes a revision."""
        service.generation += 1
        revision = None
        if template is not None and (template != service.template or not service.revisions):
            revision = self._create_revision(service, template, at)
            service.template = template
        service.traffic = service.traffic if traffic is None else traffic
        service.labels = service.labels if labels is None else labels
        service.annotations = service.annotations if annotations is None else annotations
        rollout.change_began(service, at)
        due = at + (self.takes if takes is None else takes)
        operation = self._begin(service.place, service, due, revision)
        if due <= at:
            self.finish(operation)
        return operation

    def update_job(self, job: Job, *, task: Task, labels: Labels, annotations: Labels, at: datetime) -> Operation:
        """Change a job, which takes no time and starts nothing."""
        job.task, job.labels, job.annotations = task, labels, annotations
        job.generation += 1
        job.version += 1
        job.updated = at
        operation = self._begin(job.place, job, at)
        self.finish(operation)
        return operation

    def execute(self, job: Job, *, at: datetime, takes: timedelta = _RUN) -> Operation:
        """Start a job: its image's tag is resolved now."""
        name = self._named(f"{job.short}-", job.short, len(job.executions) + job.earlier, length=5)
        typed = self.images.program(job.task.containers).image
        image = self.images.pinned(typed)
        failure = "" if image else f"Image '{typed}' not found."
        execution = Execution(name, job.short, v2.uid(job.uid, name), job.task, image or typed, at, failure=failure)
        job.executions[name] = execution
        job.version += 1
        operation = self._begin(job.place, (job, execution), at + (takes if image else timedelta()))
        if operation.due <= at:
            self.finish(operation)
        return operation

    def due(self) -> datetime | None:
        """When the next change under way is over."""
        return min((one.due for one in self._pending), default=None)

    def settle(self, until: datetime) -> None:
        """Let everything be over that is by then, in its order."""
        for operation in sorted(self._pending, key=lambda one: one.due):
            if operation.due <= until:
                self.finish(operation)

    def finish(self, operation: Operation, *, told: bool = True) -> None:
        """Let one change be over, and those be told of it who want to know of executions."""
        operation.done = True
        self._pending.remove(operation)
        match operation.about:
            case Service() as service:
                operation.failure = self._roll_out(service, operation.revision, operation.due)
            case (Job() as job, Execution() as execution):
                execution.completed = operation.due
                operation.failure = execution.failure
                job.version += 1
                if told:
                    self.on_executed(job, execution)
            case Job():
                pass

    def _roll_out(self, service: Service, revision: Revision | None, at: datetime) -> str:
        failure = None
        if revision is not None:
            failure = rollout.examine(self.images, revision.template, v2.log_uri(service, revision.name))
            if failure is None:
                rollout.ready(revision, at)
                if revision.name == service.created_revision:
                    service.ready_revision = revision.name
            else:
                rollout.failed(revision, failure, at)
                self.on_failed_start(service, revision)
        if failure is None or revision is None:
            rollout.changed(service, at)
        else:
            rollout.broken(service, revision, failure, at)
        if any(one.about is service for one in self._pending):
            rollout.change_began(service, at)
        return service.conditions[0].message if failure else ""

    def _create_revision(self, service: Service, template: Template, at: datetime) -> Revision:
        stem = f"{service.short}-{service.generation:05d}-"
        name = template.revision or self._named(stem, service.short, service.generation)
        containers = tuple(self._resolved(each) for each in template.containers)
        revision = Revision(name, service.short, replace(template, containers=containers, revision=""), at, at)
        rollout.created(revision, at)
        service.revisions[name] = revision
        service.created_revision = name
        return revision

    def _resolved(self, container: Container) -> Container:
        return replace(container, image=self.images.pinned(container.image) or container.image)

    def _named(self, stem: str, *parts: object, length: Literal[3, 5] = 3) -> str:
        source = random.Random("/".join(map(str, (self._seed, *parts))))  # noqa: S311 - a simulation, no secret
        return stem + "".join(source.choice(_LETTERS) for _ in range(length))

    def _begin(
        self,
        place: Place,
        about: Service | tuple[Job, Execution] | Job,
        due: datetime,
        revision: Revision | None = None,
    ) -> Operation:
        name = f"{place.name}/operations/{v2.uid(self._seed, place.name, len(self.operations))}"
        operation = self.operations[name] = Operation(name, about, due, revision)
        self._pending.append(operation)
        return operation
