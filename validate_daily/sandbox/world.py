"""The practice world: one pipeline, one clock, and everything that Google would keep about it."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from validate_daily.sandbox.calls import Calls, recorder
from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.faults import Fault, Faults
from validate_daily.sandbox.images import Build
from validate_daily.sandbox.pipeline import Code, Pipeline
from validate_daily.sandbox.processors.jobs import JobRunner
from validate_daily.sandbox.processors.runs import Runner
from validate_daily.sandbox.processors.simulated import SimulatedProcessor
from validate_daily.sandbox.processors.stage import Stage
from validate_daily.sandbox.run.state import ALL_TO_LATEST, Revision, Service

COMMIT_LABEL = "commit-sha"


class Actor(Protocol):
    """Something that acts when its time has come."""

    due: datetime | None

    def act(self) -> None:
        """Act, and settle when to act next."""
        ...


class World(Stage):
    """A pipeline at work. Deterministic: the same seed and the same steps of the clock give the same state.

    Attributes:
        faults: what goes wrong on purpose.
        calls: what clients asked.
        processors: the heartbeats of the simulated processors, by name.
        runners: their runs, by name.
    """

    def __init__(
        self, pipeline: Pipeline, *, clock: Clock | None = None, faults: Iterable[Fault] = (), seed: int = 0
    ) -> None:
        super().__init__(pipeline, clock or Clock(), seed=seed)
        self.faults = Faults(faults)
        self.calls: Calls = recorder()
        self.processors = {
            processor.name: SimulatedProcessor(processor, stage=self, seed=seed) for processor in pipeline.processors
        }
        self.runners = {name: Runner(one, stage=self, seed=seed) for name, one in self.processors.items()}
        self.run.on_failed_start = self._tell_failed_start
        self.run.on_executed = JobRunner(self, seed=seed).executed

    def code_of(self, service: str) -> Code:
        """What a service runs: the code that gets most of its traffic."""
        revision, _ = max(self.service(service).serving(), key=lambda share: share[1])
        build = self.images.build(self.images.program(revision.template.containers).image)
        return build.code if build else "silent"

    def deploy(self, service: str, code: Code) -> Revision:
        """Let a service run other code from now on: build, push, deploy, send all traffic there."""
        with self.lock:
            one = self.service(service)
            known = self.pipeline.service(service)
            commit = known.before if code == "old" else self.pipeline.fixed
            repository = self.pipeline.repository(service)
            self.images.push(repository, Build(code, commit), at=self.clock.now())
            program = self.images.program(one.template.containers)
            containers = tuple(
                replace(each, image=f"{repository}:latest") if each is program else each
                for each in one.template.containers
            )
            labels = {COMMIT_LABEL: commit}
            template = replace(
                one.template,
                containers=containers,
                revision="",
                labels={**labels, "redeploy-nonce": str(one.generation)},
            )
            now = self.clock.now()
            self.run.update(one, template=template, traffic=ALL_TO_LATEST, labels=labels, at=now, takes=timedelta())
            return one.revisions[one.created_revision]

    def deny(self, service: str) -> None:
        """Let the account of a service no longer write to Firestore."""
        self.denied.add(self.service(service).short)

    def allow(self, service: str) -> None:
        """Let it write again."""
        self.denied.discard(self.service(service).short)

    def advance(self, by: timedelta) -> None:
        """Let time pass, and everything happen that happens in it."""
        with self.lock:
            until = self.clock.now() + by
            self._work(until)
            self._wait_for(until)

    def tick(self) -> None:
        """Let everything happen that is due by now."""
        with self.lock:
            self._work(self.clock.now())

    def _actors(self) -> Iterator[Actor]:
        yield from self.processors.values()
        yield from self.runners.values()

    def _work(self, until: datetime) -> None:
        actors = [actor for actor in self._actors() if actor.due is not None and actor.due <= until]
        agenda = [(actor.due, place) for place, actor in enumerate(actors) if actor.due is not None]
        heapq.heapify(agenda)
        while agenda:
            due, place = agenda[0]
            actor = actors[place]
            self._settle_changes(due)
            self._wait_for(due)
            with self.firestore.lock:
                actor.act()
            if actor.due is not None and actor.due <= until:
                heapq.heapreplace(agenda, (actor.due, place))
            else:
                heapq.heappop(agenda)
        self._settle_changes(until)

    def _settle_changes(self, until: datetime) -> None:
        """Let the changes of services and the executions of jobs be over that are by then."""
        while (due := self.run.due()) is not None and due <= until:
            self._wait_for(due)
            with self.firestore.lock:
                self.run.settle(due)

    def _wait_for(self, moment: datetime) -> None:
        if (ahead := moment - self.clock.now()) > timedelta():
            self.clock.advance(ahead)

    def _tell_failed_start(self, service: Service, revision: Revision) -> None:
        """What the platform logs of a container that does not start."""
        build = self.images.build(self.images.program(revision.template.containers).image)
        instance, at = self.of_revision(service, revision), revision.updated
        if build is not None and build.lacks is not None:
            line = f'exec: "{build.lacks}": executable file not found in $PATH'
            self.say(instance, line, severity="ERROR", at=at, log="system")
        self.say(
            instance,
            'Default STARTUP TCP probe failed 1 time consecutively for container "worker-1" on port 8080. The instance '
            "was not started.\nConnection failed with status CANCELLED.",
            severity="ERROR",
            at=at,
            log="system",
        )
