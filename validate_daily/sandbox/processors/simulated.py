"""Simulated processors: what they would have written, in the format of the code that serves them."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.api_core.exceptions import PermissionDenied

from validate_daily.sandbox.pipeline import Code, Processor
from validate_daily.sandbox.processors.stage import Instance, Rota, Stage, Writer
from validate_daily.sandbox.processors.voice import Voice


@dataclass(frozen=True, slots=True)
class Run:
    """A run of old code, which has a document of its own."""

    document_id: str
    started: datetime


class SimulatedProcessor:
    """The heartbeats of one processor.

    Attributes:
        due: when it beats next, or None while it is stopped.
        run: the run of old code that it is in.
    """

    def __init__(self, processor: Processor, *, stage: Stage, seed: int) -> None:
        self.processor = processor
        self.due: datetime | None = None
        self.run: Run | None = None
        self._stage = stage
        self._store = Writer(stage, processor.service)
        self._random = random.Random(f"{seed}/{processor.name}")  # noqa: S311 - a simulation, no secret
        self._rota = Rota()
        self._voices: dict[str, Voice] = {}

    def act(self) -> None:
        """Do what is due, in the way of the code that serves, and settle when the next is due."""
        now = self.due or self._stage.clock.now()
        instance = self._stage.instance(self.processor.service, self._rota)
        if instance is not None:
            self._beat(instance, now)
        self.due = now + self.interval(instance.build.code if instance else "silent")

    def restart(self) -> None:
        """A new run begins in a new process."""
        self._voices.clear()

    def interval(self, code: Code) -> timedelta:
        """From one heartbeat to the next."""
        return self.processor.beat if code == "old" else self.processor.every

    def _beat(self, instance: Instance, now: datetime) -> None:
        match instance.build.code:
            case "new":
                if instance.name not in self._voices:
                    self._voices[instance.name] = Voice(self._stage, self.processor.name, instance, self._store)
                self._voices[instance.name].run(run_id(self._random), self._stage.clock.now())
            case "old":
                self._beat_of_run(instance, now)
            case "silent":
                pass

    def _beat_of_run(self, instance: Instance, now: datetime) -> None:
        if self.run is None or now - self.run.started >= self.processor.run_length:
            self.run = Run(run_scoped_id(self.processor.class_name, "None", self._random), now)
        fields = run_scoped_fields(self.processor.class_name, self.run.document_id, self._stage.clock.now())
        try:
            self._store.write(self.run.document_id, fields, timeout=0)
        except PermissionDenied as error:
            line = f"Heartbeat write failed for {self.processor.class_name}: {error}"
            self._stage.say(instance, line, severity="WARNING", at=now, log="stderr")


def run_id(source: random.Random) -> str:
    """The eight hexadecimal digits that name a run."""
    return f"{source.getrandbits(32):08x}"


def run_scoped_id(class_name: str, scope: str, source: random.Random) -> str:
    """An id as old code made them."""
    return f"{class_name}_{scope}_{run_id(source)}"


def run_scoped_fields(class_name: str, document_id: str, at: datetime) -> dict[str, object]:
    """The fields that old code wrote."""
    return {
        "processor_name": class_name,
        "run_id": document_id.rpartition("_")[2],
        "data_date": None,
        "last_heartbeat": at,
        "status": "running",
    }
