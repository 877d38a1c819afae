"""Simulated processors: what they would have written, in the format of the code that their service runs."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from heartbeat.processor import ProcessorHeartbeat
from sandbox.clock import Clock
from sandbox.firestore import encode
from sandbox.firestore.documents import Collection, Database
from sandbox.pipeline import Code, Processor

FIXED_COMMIT: Final = "e1c10e88"
"""The commit whose code names a document by its processor."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of old code, which has a document of its own."""

    document_id: str
    started: datetime


class Writer:
    """Writes into the heartbeat collection as a processor's own client would: a ``heartbeat.HeartbeatStore``."""

    def __init__(self, database: Database, collection: Collection) -> None:
        self._database = database
        self._collection = collection

    def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:  # noqa: ARG002 - the contract's, and nothing here can take long
        """Replace a document."""
        self._collection.put(document_id, self._database.commit_time(), encode.fields(fields))


class SimulatedProcessor:
    """One processor at work.

    Attributes:
        due: when it beats next, or None while it is stopped.
        run: the run of old code that it is in.
    """

    def __init__(self, processor: Processor, *, writer: Writer, clock: Clock, seed: int) -> None:
        self.processor = processor
        self.due: datetime | None = None
        self.run: Run | None = None
        self._writer = writer
        self._clock = clock
        self._random = random.Random(f"{seed}/{processor.name}")  # noqa: S311 - a simulation, no secret
        self._heartbeat = ProcessorHeartbeat(processor.name, store=writer, clock=clock.now, commit=FIXED_COMMIT)

    def beat(self, code: Code) -> None:
        """Do what is due, in the way of this code, and settle when the next is due."""
        now = self.due or self._clock.now()
        match code:
            case "new":
                self._heartbeat.beat(run_id=run_id(self._random))
            case "old":
                self._beat_of_run(now)
            case "silent":
                pass
        self.due = now + self.interval(code)

    def interval(self, code: Code) -> timedelta:
        """From one heartbeat to the next."""
        return self.processor.beat if code == "old" else self.processor.every

    def _beat_of_run(self, now: datetime) -> None:
        if self.run is None or now - self.run.started >= self.processor.run_length:
            self.run = Run(run_scoped_id(self.processor.class_name, "None", self._random), now)
        fields = run_scoped_fields(self.processor.class_name, self.run.document_id, self._clock.now())
        self._writer.write(self.run.document_id, fields, timeout=0)


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
