"""The documents that are there when the story begins."""

import random
import string
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from validate_daily.sandbox.firestore import encode, stamps
from validate_daily.sandbox.firestore.messages import Document
from validate_daily.sandbox.genesis.deployments import DEPLOYED
from validate_daily.sandbox.genesis.run_documents import run_document
from validate_daily.sandbox.pipeline import Code, Processor
from validate_daily.sandbox.processors.simulated import Run, run_id, run_scoped_fields, run_scoped_id
from validate_daily.sandbox.processors.stage import Instance, Rota
from validate_daily.sandbox.scenario import Canonical, OddDocument, RunScoped, Scenario
from validate_daily.sandbox.world import World

_REMEMBERED: Final = timedelta(minutes=75)
_SECOND: Final = timedelta(seconds=1)
_RUN_TAIL: Final = timedelta(minutes=2)
_DOUBLE_RUN: Final = timedelta(minutes=28)
"""How often a test double's runs started."""


def place(world: World, told: Scenario, now: datetime, source: random.Random) -> None:
    """Put all documents there, and settle when every processor beats next."""
    genesis = _Genesis(world, told, now, source)
    genesis.start()
    if told.canonical is not None:
        genesis.place_canonical(told.canonical)
    if told.run_scoped is not None:
        genesis.place_run_scoped(told.run_scoped)
    for document in told.documents:
        genesis.place_odd(document)


class _Genesis:
    def __init__(self, world: World, told: Scenario, now: datetime, source: random.Random) -> None:
        self._world = world
        self._told = told
        self._random = source
        self._now = now
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
            stopped = name in canonical.late or name in canonical.last_runs
            if stopped or (canonical.age is not None and self._code(processor) == "new"):
                simulated.due = None
            elif self._code(processor) == "new" and self._cut(processor) is None:
                simulated.due = last + processor.every
            for moment, instance in self._spoken(processor, last):
                left = canonical.last_runs.get(name) if moment == last else None
                fields = run_document(name, moment, run_id(self._random), instance, left)
                told = self._world.as_clocked(processor.service, fields)
                self._put(name, moment, told, created=self._now - DEPLOYED)

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
            runs = self._runs(class_name, self._starts(count, oldest, batch.newest), batch, beat)
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
        self._put(document_id, self._now - _SECOND, fields, created=self._now - DEPLOYED)

    def _spoken(self, processor: Processor, last: datetime) -> list[tuple[datetime, Instance | None]]:
        """The heartbeats up to the last one, but for those that fell to a revision with old code."""
        rota = Rota()
        moments = _beats(last, processor.every, since=self._now - _REMEMBERED)
        spoken = [(moment, self._world.instance_at(processor.service, moment, rota)) for moment in moments]
        return [one for one in spoken if one[1] is None or one[1].build.code != "old"] or spoken[-1:]

    def _code(self, processor: Processor) -> Code:
        return self._world.code_of(processor.service)

    def _age(self, processor: Processor, canonical: Canonical) -> timedelta:
        fresh = self._random.random() * processor.every
        if (cut := self._cut(processor)) is not None:
            return cut + fresh
        if processor.name in canonical.late:
            return canonical.late[processor.name]
        if processor.name in canonical.last_runs:
            return canonical.last_runs[processor.name].ago
        if self._code(processor) == "old":
            return canonical.before_old_code + fresh
        return fresh if canonical.age is None else canonical.age + fresh

    def _cut(self, processor: Processor) -> timedelta | None:
        """How long ago this service's heartbeats were denied or switched off, and still are."""
        different = self._told.deployment(processor.service)
        if different.denied is not None and different.allowed is None:
            return different.denied
        off = (later.ago for later in different.later if later.environment.get("ENABLE_HEARTBEATS") == "false")
        return next(off, None)

    def _starts(self, count: int, oldest: timedelta, newest: timedelta) -> list[datetime]:
        step = (oldest - newest) / max(count, 1)
        return [self._now - oldest + (place + self._random.random()) * step for place in range(count)]

    def _runs(
        self, class_name: str, starts: list[datetime], batch: RunScoped, beat: timedelta
    ) -> list[tuple[Run, datetime]]:
        """The runs, each with its last heartbeat: the last run of a living processor still beats."""
        ends = [*starts[1:], self._now - batch.newest]
        runs: list[tuple[Run, datetime]] = []
        document = encode.document(run_scoped_fields(class_name, "", self._now))
        for started, end in zip(starts, ends, strict=True):
            last = end - min(end - started, _RUN_TAIL) * self._random.random()
            by_run = run_scoped_id(class_name, "None", self._random)
            run = Run(by_run if batch.named == "run-scoped" else self._made_up(), started)
            document.fields["run_id"].string_value = by_run.rpartition("_")[2]
            # What is older than any read may look back is stored as it was last.
            since = self._now - _REMEMBERED
            moments = [last] if last < since else [started, *_beats(last, beat, since=max(started, since))]
            self._store(run.document_id, moments, document, created=started)
            runs.append((run, last))
        return runs

    def _made_up(self) -> str:
        """An id as Firestore's clients make them up."""
        return "".join(self._random.choices(string.ascii_letters + string.digits, k=20))

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
