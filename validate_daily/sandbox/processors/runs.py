"""Runs, as they tell of themselves in the log: the second witness beside the heartbeats."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from validate_daily.sandbox.pipeline import Processor
from validate_daily.sandbox.processors.simulated import SimulatedProcessor, run_id
from validate_daily.sandbox.processors.stage import Instance, Rota, Stage

_TOLD_EVERY: Final = timedelta(minutes=5)
_OPERATION: Final = timedelta(minutes=12)
_REST: Final = timedelta(seconds=30)
_MINUTE: Final = timedelta(minutes=1)

Line = tuple[datetime, str]


def told(processor: Processor, instance: Instance, run: str, started: datetime, records: int) -> Iterator[Line]:
    """The lines of one run, in the name that the code of the instance gives itself."""
    name = processor.class_name if instance.build.code == "old" else processor.name
    if processor.operation is not None:
        yield from operation(processor.operation, started, signs=_OPERATION // _TOLD_EVERY)
        started += _OPERATION
        yield started, f"HEARTBEAT END: {processor.operation} completed in {_OPERATION / _MINUTE:.1f} min"
        started += _REST
    yield started, f"Processor run completed: {name} status=success records={records} run_id={run}"


def operation(name: str, started: datetime, *, signs: int) -> Iterator[Line]:
    """What a long operation says before its end."""
    yield started, f"HEARTBEAT START: {name}"
    for place in range(1, signs + 1):
        elapsed = place * _TOLD_EVERY
        yield started + elapsed, f"HEARTBEAT: {name} still running ({elapsed / _MINUTE:.1f} min elapsed)"


class Runner:
    """Lets one processor run, again and again.

    Attributes:
        due: when it has something to say next, or None while it is stopped.
    """

    def __init__(self, simulated: SimulatedProcessor, *, stage: Stage, seed: int) -> None:
        self.due: datetime | None = None
        self.processor = simulated.processor
        self._simulated = simulated
        self._stage = stage
        self._random = random.Random(f"{seed}/{self.processor.name}/runs")  # noqa: S311 - a simulation, no secret
        self._rota = Rota()
        self._instance: Instance | None = None
        self._lines: list[Line] = []
        self._next: datetime | None = None

    def act(self) -> None:
        """Say what is due."""
        now = self.due or self._stage.clock.now()
        if not self._lines:
            self._begin(now, self._stage.instance(self.processor.service, self._rota))
        self._say(now)

    def begin_before(self, first: datetime, since: datetime, now: datetime, *, last: datetime) -> None:
        """Run as if it had always run: again at ``first``, and before that as far back as ``since``.

        Args:
            first: the next start.
            since: how far back the log goes.
            now: what is after it is still to come.
            last: no run starts after it.
        """
        starts: list[datetime] = []
        start = first
        while (start := start - self._pause()) >= since:
            starts.append(start)
        for start in reversed(starts):
            if start <= last:
                self._begin(start, self._stage.instance_at(self.processor.service, start, self._rota))
                self._say(now)
        stopped = first > last
        self._next = None if stopped else first
        self.due = self._lines[0][0] if self._lines else self._next

    def _begin(self, start: datetime, instance: Instance | None) -> None:
        self._instance = instance
        self._next = start + self._pause()
        self._simulated.restart()
        if instance is not None:
            old = self._simulated.run if instance.build.code == "old" else None
            run = old.document_id.rpartition("_")[2] if old else run_id(self._random)
            self._lines = list(told(self.processor, instance, run, start, self._random.randrange(40, 460)))

    def _say(self, until: datetime) -> None:
        as_json = self._stage.pipeline.service(self.processor.service).logs == "json"
        while self._lines and self._lines[0][0] <= until:
            at, text = self._lines.pop(0)
            if self._instance is not None:
                self._stage.say(self._instance, {"message": text} if as_json else text, at=at)
        self.due = self._lines[0][0] if self._lines else self._next

    def _pause(self) -> timedelta:
        return self.processor.run_length * self._random.uniform(0.9, 1.1)
