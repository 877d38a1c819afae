"""What the log already holds: the runs of the last day, what went wrong in it, and what else was said."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from google.api_core.exceptions import PermissionDenied

from validate_daily.sandbox.pipeline import Processor
from validate_daily.sandbox.processors.jobs import JobRunner
from validate_daily.sandbox.processors.runs import Runner, operation
from validate_daily.sandbox.processors.simulated import run_id
from validate_daily.sandbox.processors.stage import Rota
from validate_daily.sandbox.processors.voice import Voice
from validate_daily.sandbox.scenario import Deployment, Hang, LogLine, Scenario
from validate_daily.sandbox.world import World

_KEPT: Final = timedelta(hours=26)
_SIGN: Final = timedelta(minutes=5)


def tell(world: World, told: Scenario, now: datetime, source: random.Random) -> None:
    """Fill the log, and settle when every processor runs next."""
    history = _History(world, told, now, source)
    for name, runner in world.runners.items():
        history.run(name, runner)
    for processor in world.pipeline.processors:
        history.complain(processor, told.deployment(processor.service))
    history.execute()
    for line in told.lines:
        history.add(line)
    for service in world.pipeline.services:
        different = told.deployment(service.name)
        if different.denied is not None and different.allowed is None:
            world.denied.add(service.name)


class _History:
    def __init__(self, world: World, told: Scenario, now: datetime, source: random.Random) -> None:
        self._world = world
        self._told = told
        self._now = now
        self._since = now - _KEPT
        self._random = source

    def run(self, name: str, runner: Runner) -> None:
        """The runs of one processor, until it stopped."""
        first = self._now + self._random.random() * runner.processor.run_length
        hang = self._told.runs.hanging.get(name)
        stopped = self._stopped(name)
        if stopped is None:
            return
        last = self._now - stopped if stopped else first
        if hang is not None:
            last = self._now - hang.ago - runner.processor.run_length / 2
        runner.begin_before(first, self._since, self._now, last=last)
        if hang is not None and runner.processor.operation is not None:
            self._hang(runner.processor, runner.processor.operation, hang)

    def complain(self, processor: Processor, different: Deployment) -> None:
        """What a processor said about heartbeats that it could not write, once a run."""
        off = [later.ago for later in different.later if later.environment.get("ENABLE_HEARTBEATS") == "false"]
        begun = off[0] if off else different.denied
        if begun is None or self._world.code_of(processor.service) != "new":
            return
        ended = self._now - (different.allowed or timedelta())
        moment = max(self._now - begun, self._since) + self._random.random() * _SIGN
        store = _Barred()
        while moment < ended:
            store.barred = True
            voice = self._voice(processor, moment, store)
            voice.run(run_id(self._random), moment)
            if different.allowed is not None:
                store.barred = False
                voice.run(run_id(self._random), ended + self._random.random() * _SIGN)
            moment += max(processor.run_length, timedelta(hours=1)) * self._random.uniform(0.9, 1.1)

    def execute(self) -> None:
        """What jobs said that ran within the time that the log goes back."""
        teller = JobRunner(self._world, seed=self._random.getrandbits(32))
        processors = {processor.name: processor for processor in self._world.pipeline.processors}
        for known in self._world.pipeline.jobs:
            job = self._world.run.jobs[f"{self._world.place.name}/jobs/{known.name}"]
            for execution in job.executions.values():
                if execution.created >= self._since and execution.completed is not None:
                    container = self._world.images.program(execution.task.containers)
                    instance = self._world.of_execution(job.short, execution.name, container, execution.image)
                    teller.tell(processors[known.processor], instance, execution.completed)

    def add(self, line: LogLine) -> None:
        """Something else, said by what served then."""
        rota = Rota()
        for place in range(line.times):
            at = self._now - line.ago + place * line.every
            instance = self._world.instance_at(line.source, at, rota)
            if instance is not None and at <= self._now:
                said = {"message": line.text} if line.json_payload else line.text
                log = "system" if line.system else "stderr"
                self._world.say(instance, said, severity=line.severity, at=at, log=log)

    def _stopped(self, name: str) -> timedelta | None:
        """How long ago its last run was; zero while it runs on, None if it never ran."""
        stopped = self._told.runs.stopped.get(name, self._told.runs.stopped.get("*"))
        canonical = self._told.canonical
        if stopped is not None or canonical is None:
            return stopped or timedelta()
        if name in canonical.absent or (canonical.only is not None and name not in canonical.only):
            return None
        if (run := canonical.last_runs.get(name)) is not None:
            return run.ago + run.lasted
        return canonical.late.get(name, timedelta())

    def _hang(self, processor: Processor, name: str, hang: Hang) -> None:
        started = self._now - hang.ago
        instance = self._world.instance_at(processor.service, started, Rota())
        if instance is not None:
            for at, text in operation(name, started, signs=hang.signs // _SIGN):
                self._world.say(instance, {"message": text}, at=at)

    def _voice(self, processor: Processor, moment: datetime, store: "_Barred") -> Voice:
        instance = self._world.instance_at(processor.service, moment, Rota())
        if instance is None:
            raise ValueError(f"{processor.service} served nothing at {moment}")
        return Voice(self._world, processor.name, instance, store)


class _Barred:
    """A store that may not be written to, and keeps nothing: what was written then is told elsewhere."""

    barred = True

    def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:
        """Refuse, while it is barred.

        Raises:
            PermissionDenied: it is.
        """
        del document_id, fields, timeout
        if self.barred:
            raise PermissionDenied("Missing or insufficient permissions.")
