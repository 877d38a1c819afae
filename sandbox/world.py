"""The practice world: one pipeline, one clock, and everything that Google would keep about it."""

import heapq
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sandbox.calls import Calls, recorder
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.firestore.documents import Collection, Database, DocumentStore
from sandbox.pipeline import Code, Pipeline
from sandbox.simulated import SimulatedProcessor, Writer


class World:
    """A pipeline at work. Deterministic: the same seed and the same steps of the clock give the same documents.

    Attributes:
        clock: the world's time.
        pipeline: what is simulated.
        firestore: all documents.
        faults: what goes wrong on purpose.
        calls: what clients asked.
        processors: the simulated processors by name.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        code: Mapping[str, Code] | None = None,
        clock: Clock | None = None,
        faults: Iterable[Fault] = (),
        seed: int = 0,
    ) -> None:
        self.clock = clock or Clock()
        self.pipeline = pipeline
        self.firestore = DocumentStore(self.clock)
        self.faults = Faults(faults)
        self.calls: Calls = recorder()
        self._code: dict[str, Code] = {service.name: "new" for service in pipeline.services}
        self._lock = threading.RLock()
        for service, runs in (code or {}).items():
            self.deploy(service, runs)
        writer = Writer(self.database, self.heartbeats)
        self.processors = {
            processor.name: SimulatedProcessor(processor, writer=writer, clock=self.clock, seed=seed)
            for processor in pipeline.processors
        }

    @property
    def database(self) -> Database:
        """The pipeline's Firestore database."""
        return self.firestore.database(self.pipeline.database_name)

    @property
    def heartbeats(self) -> Collection:
        """The pipeline's heartbeat collection."""
        return self.database.collection(self.pipeline.collection)

    def code_of(self, service: str) -> Code:
        """What a service runs."""
        return self._code[service]

    def deploy(self, service: str, code: Code) -> None:
        """Let a service run other code from now on."""
        if service not in self._code:
            raise ValueError(f"{service} is no service of this pipeline: it has {', '.join(self._code)}")
        self._code[service] = code

    def advance(self, by: timedelta) -> None:
        """Let time pass, and everything happen that happens in it."""
        with self._lock:
            until = self.clock.now() + by
            self._work(until)
            self._wait_for(until)

    def tick(self) -> None:
        """Let everything happen that is due by now."""
        with self._lock:
            self._work(self.clock.now())

    def _work(self, until: datetime) -> None:
        agenda = [
            (processor.due, name)
            for name, processor in self.processors.items()
            if processor.due is not None and processor.due <= until
        ]
        heapq.heapify(agenda)
        while agenda:
            due, name = agenda[0]
            processor = self.processors[name]
            self._wait_for(due)
            with self.firestore.lock:
                processor.beat(self._code[processor.processor.service])
            if processor.due is not None and processor.due <= until:
                heapq.heapreplace(agenda, (processor.due, name))
            else:
                heapq.heappop(agenda)

    def _wait_for(self, moment: datetime) -> None:
        if (ahead := moment - self.clock.now()) > timedelta():
            self.clock.advance(ahead)
