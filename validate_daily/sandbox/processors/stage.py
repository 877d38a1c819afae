"""What processors and jobs find around them: the time, Firestore, their service's revisions, and a log to write to."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

from google.api_core.exceptions import PermissionDenied

from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.firestore import encode
from validate_daily.sandbox.firestore.documents import Collection, Database, DocumentStore
from validate_daily.sandbox.images import Build, Images
from validate_daily.sandbox.logging.store import Log, LogStore, Severity
from validate_daily.sandbox.pipeline import Pipeline
from validate_daily.sandbox.registry.store import Registry
from validate_daily.sandbox.run.cloud import CloudRun
from validate_daily.sandbox.run.state import Container, Place, Revision, Service

Say = Mapping[str, object] | str
"""What a process prints: a line of text, or a line of JSON."""

_NOTHING: Final = Build("silent", "")


@dataclass(frozen=True, slots=True)
class Instance:
    """A running container of a service's revision, or of a job's execution.

    Attributes:
        source: the service or the job.
        name: the revision or the execution.
        build: what its image was built from.
        environment: its environment variables.
    """

    kind: Literal["service", "job"]
    source: str
    name: str
    build: Build
    environment: Mapping[str, str]


class Rota:
    """Takes turns by share: of any ten turns, thirty percent get three."""

    def __init__(self) -> None:
        self._credit: dict[str, int] = {}

    def next(self, shares: Sequence[tuple[Revision, int]]) -> Revision:
        """Whose turn it is."""
        for revision, percent in shares:
            self._credit[revision.name] = self._credit.get(revision.name, 0) + percent
        chosen = max((revision for revision, _ in shares), key=lambda one: self._credit[one.name])
        self._credit[chosen.name] -= sum(percent for _, percent in shares)
        return chosen


class Stage:
    """Everything but the actors.

    Attributes:
        clock: the world's time.
        pipeline: what is simulated.
        firestore: all documents.
        registry, images: the images that were pushed.
        run: services and jobs.
        logs: all log entries.
        denied: the services whose account may not write to Firestore.
        clocks: how far the clocks of services are ahead, below zero for behind; ``*`` names all.
        lock: held by whoever lets time pass.
    """

    def __init__(self, pipeline: Pipeline, clock: Clock, *, seed: int = 0) -> None:
        self.pipeline = pipeline
        self.clock = clock
        self.firestore = DocumentStore(clock)
        self.registry = Registry()
        self.images = Images(self.registry)
        self.run = CloudRun(self.images, clock, seed=seed)
        self.logs = LogStore(clock)
        self.denied: set[str] = set()
        self.clocks: Mapping[str, timedelta] = {}
        self.lock: threading.RLock = self.run.lock
        self.place = Place(pipeline.project, pipeline.region)

    @property
    def database(self) -> Database:
        """The pipeline's Firestore database."""
        return self.firestore.database(self.pipeline.database_name)

    def as_clocked(self, service: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        """The fields of a document as a service writes them by its own clock."""
        off = self.clocks.get(service, self.clocks.get("*"))
        if off is None:
            return fields
        return {name: value + off if isinstance(value, datetime) else value for name, value in fields.items()}

    @property
    def heartbeats(self) -> Collection:
        """The pipeline's heartbeat collection."""
        return self.database.collection(self.pipeline.collection)

    def service(self, name: str) -> Service:
        """A service of the pipeline.

        Raises:
            ValueError: it is none.
        """
        return self.run.services[f"{self.place.name}/services/{self.pipeline.service(name).name}"]

    def instance(self, service: str, rota: Rota) -> Instance | None:
        """Where the next piece of work of a service is done, or None where nothing serves."""
        one = self.service(service)
        shares = list(one.serving())
        return self.of_revision(one, rota.next(shares)) if shares else None

    def instance_at(self, service: str, moment: datetime, rota: Rota) -> Instance | None:
        """The same for a moment in the past: what serves now, unless it was not there yet."""
        one = self.service(service)
        shares = [(revision, percent) for revision, percent in one.serving() if revision.created <= moment]
        if shares:
            return self.of_revision(one, rota.next(shares))
        earlier = [revision for revision in one.revisions.values() if revision.ready and revision.created <= moment]
        return self.of_revision(one, earlier[-1]) if earlier else None

    def of_revision(self, service: Service, revision: Revision) -> Instance:
        """A container of a revision."""
        program = self.images.program(revision.template.containers)
        build = self.images.build(program.image) or _NOTHING
        variables = {"K_SERVICE": service.short, "K_REVISION": revision.name}
        return Instance(
            "service",
            service.short,
            revision.name,
            build,
            _variables(build, program, variables),
        )

    def of_execution(self, job: str, execution: str, container: Container, image: str) -> Instance:
        """A container of an execution of a job."""
        build = self.images.build(image) or _NOTHING
        variables = {"CLOUD_RUN_JOB": job, "CLOUD_RUN_EXECUTION": execution}
        return Instance("job", job, execution, build, _variables(build, container, variables))

    def say(self, who: Instance, line: Say, *, severity: Severity = "INFO", at: datetime, log: Log = "stdout") -> None:
        """Write a line of an instance into the log."""
        text, payload = (line, None) if isinstance(line, str) else (None, line)
        write = (
            partial(self.logs.run_line, service=who.source, revision=who.name)
            if who.kind == "service"
            else partial(self.logs.job_line, job=who.source, execution=who.name)
        )
        write(
            project=self.place.project,
            location=self.place.location,
            text=text,
            payload=payload,
            severity=severity,
            at=at,
            log=log,
        )


class Writer:
    """Writes into the heartbeat collection as a processor's own client would: a ``heartbeat.HeartbeatStore``."""

    def __init__(self, stage: Stage, source: str) -> None:
        self._stage = stage
        self._source = source

    def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:  # noqa: ARG002 - the contract's, and nothing here can take long
        """Replace a document.

        Raises:
            PermissionDenied: the service's account may not write.
        """
        if self._source in self._stage.denied:
            raise PermissionDenied("Missing or insufficient permissions.")
        told = self._stage.as_clocked(self._source, fields)
        self._stage.heartbeats.put(document_id, self._stage.database.commit_time(), encode.fields(told))


def _variables(build: Build, container: Container, own: Mapping[str, str]) -> dict[str, str]:
    return {"COMMIT_SHA": build.commit, **container.environment, **own}
