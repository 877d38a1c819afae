"""How a scenario becomes a world: the documents that are there when the story begins."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from heartbeat.fields import heartbeat_fields
from sandbox.clock import Clock
from sandbox.firestore import encode, stamps
from sandbox.firestore.messages import Document
from sandbox.pipeline import Code, Processor
from sandbox.scenario import Canonical, OddDocument, RunScoped, Scenario, load_pipeline, load_scenario
from sandbox.simulated import FIXED_COMMIT, Run, run_id, run_scoped_fields, run_scoped_id
from sandbox.world import World

_DEPLOYED: Final = timedelta(days=20)
_REMEMBERED: Final = timedelta(minutes=75)
_SECOND: Final = timedelta(seconds=1)
_RUN_TAIL: Final = timedelta(minutes=2)
_DOUBLE_RUN: Final = timedelta(minutes=28)
"""How often a test double's runs started."""


def build(scenario: Scenario | str, *, clock: Clock | None = None, seed: int = 0) -> World:
    """The world of a scenario, given or named, at its beginning."""
    told = load_scenario(scenario) if isinstance(scenario, str) else scenario
    pipeline = load_pipeline(told.pipeline)
    code: dict[str, Code] = {}
    for name, runs in told.code.items():
        code |= {service.name: runs for service in pipeline.services} if name == "*" else {name: runs}
    world = World(pipeline, code=code, clock=clock, faults=told.faults, seed=seed)
    genesis = _Genesis(world, random.Random(f"{seed}/genesis"))  # noqa: S311 - a simulation, no secret
    genesis.start()
    if told.canonical is not None:
        genesis.place_canonical(told.canonical)
    if told.run_scoped is not None:
        genesis.place_run_scoped(told.run_scoped)
    for document in told.documents:
        genesis.place_odd(document)
    return world


class _Genesis:
    def __init__(self, world: World, source: random.Random) -> None:
        self._world = world
        self._random = source
        self._now = world.clock.now()
        self._heartbeats = world.heartbeats

    def start(self) -> None:
        """Give every processor a moment for its next beat: with old code, for its next run."""
        for name, simulated in self._world.processors.items():
            processor = simulated.processor
            wait = processor.run_length if self._code(processor) == "old" else processor.every
            self._world.processors[name].due = self._now + self._random.random() * wait

    def place_canonical(self, canonical: Canonical) -> None:
        """One document per processor, with the heartbeats of the last hour behind it."""
        for name, simulated in self._world.processors.items():
            processor = simulated.processor
            if name in canonical.absent or (canonical.only is not None and name not in canonical.only):
                simulated.due = None
                continue
            last = self._now - self._age(processor, canonical)
            if name in canonical.late:
                simulated.due = None
            elif self._code(processor) == "new":
                simulated.due = last + processor.every
            for moment in _beats(last, processor.every, since=self._now - _REMEMBERED):
                fields = heartbeat_fields(
                    processor_name=name,
                    at=moment,
                    status="running",
                    run_id=run_id(self._random),
                    commit=FIXED_COMMIT,
                )
                self._put(name, moment, fields, created=self._now - _DEPLOYED)

    def place_run_scoped(self, batch: RunScoped) -> None:
        """One document per run of old code."""
        processors = {one.processor.class_name: one for one in self._world.processors.values()}
        others = [name for name in processors if name not in batch.counts]
        share, more = divmod(batch.others, len(others))
        counts = dict(batch.counts) | {
            name: share + (place < more) for place, name in enumerate(others) if batch.others
        }
        for class_name, count in counts.items():
            simulated = processors.get(class_name)
            length = _DOUBLE_RUN if simulated is None else simulated.processor.run_length
            oldest = batch.newest + count * length if batch.oldest is None else batch.oldest
            beat = length if simulated is None else simulated.processor.beat
            runs = self._runs(class_name, self._starts(count, oldest, batch.newest), batch.newest, beat)
            if simulated is not None and runs and self._code(simulated.processor) == "old":
                run, last = runs[-1]
                simulated.run, simulated.due = run, last + simulated.processor.beat

    def place_odd(self, odd: OddDocument) -> None:
        """A document that is not as it should be."""
        document_id = odd.id + "x" * ((odd.pad_to or 0) - len(odd.id.encode()))
        if document_id in self._world.processors:
            self._world.processors[document_id].due = None
        fields: dict[str, object] = {"processor_name": document_id[:200], "status": "running"}
        if odd.heartbeat is not None:
            fields["last_heartbeat"] = self._now - odd.heartbeat
        if odd.last_heartbeat is not None:
            fields["last_heartbeat"] = odd.last_heartbeat
        if odd.junk_bytes:
            fields["junk"] = self._random.randbytes(odd.junk_bytes)
        self._put(document_id, self._now - _SECOND, fields, created=self._now - _DEPLOYED)

    def _code(self, processor: Processor) -> Code:
        return self._world.code_of(processor.service)

    def _age(self, processor: Processor, canonical: Canonical) -> timedelta:
        fresh = self._random.random() * processor.every
        if processor.name in canonical.late:
            return canonical.late[processor.name]
        if self._code(processor) == "old":
            return canonical.before_old_code + fresh
        return fresh if canonical.age is None else canonical.age + fresh

    def _starts(self, count: int, oldest: timedelta, newest: timedelta) -> list[datetime]:
        step = (oldest - newest) / max(count, 1)
        return [self._now - oldest + (place + self._random.random()) * step for place in range(count)]

    def _runs(
        self, class_name: str, starts: list[datetime], newest: timedelta, beat: timedelta
    ) -> list[tuple[Run, datetime]]:
        """The runs, each with its last heartbeat: the last run of a living processor still beats."""
        ends = [*starts[1:], self._now - newest]
        runs: list[tuple[Run, datetime]] = []
        document = encode.document(run_scoped_fields(class_name, "", self._now))
        for started, end in zip(starts, ends, strict=True):
            last = end - min(end - started, _RUN_TAIL) * self._random.random()
            run = Run(run_scoped_id(class_name, "None", self._random), started)
            document.fields["run_id"].string_value = run.document_id.rpartition("_")[2]
            # What is older than any read may look back is stored as it was last.
            since = self._now - _REMEMBERED
            moments = [last] if last < since else [started, *_beats(last, beat, since=max(started, since))]
            self._store(run.document_id, moments, document, created=started)
            runs.append((run, last))
        return runs

    def _put(self, document_id: str, at: datetime, fields: Mapping[str, object], *, created: datetime) -> None:
        born = stamps.from_datetime(created)
        self._heartbeats.put(document_id, stamps.from_datetime(at), encode.fields(fields), created=born)

    def _store(self, document_id: str, moments: list[datetime], document: Document, *, created: datetime) -> None:
        """Store a run's document as it was at these moments."""
        born = stamps.from_datetime(created)
        for moment in moments:
            updated = stamps.from_datetime(moment)
            document.fields["last_heartbeat"].timestamp_value.CopyFrom(stamps.to_timestamp(updated))
            self._heartbeats.put(document_id, updated, document.SerializeToString(deterministic=True), created=born)


def _beats(last: datetime, every: timedelta, *, since: datetime) -> Iterator[datetime]:
    """The last heartbeat and those before it, as far back as a read may look."""
    before = max(0, (last - since) // every)
    return (last - place * every for place in range(before, -1, -1))
