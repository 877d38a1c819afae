"""Heartbeat collections for a census: documents with any ids, what reading each of them finds, and a census of them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from checks.evidence.snapshot import Family, Gap, Target
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget
from checks.sources.firestore.census import CensusResult, read_heartbeats
from checks.sources.firestore.id_walk import Terms
from checks.sources.firestore.tally import HeartbeatDocument, Tally
from checks.sources.progress import quiet
from checks.sources.times import Micros, moment
from validate_daily.sandbox import Sandbox
from validate_daily.sandbox.firestore import encode

WALKED = Terms(small=0)


@dataclass(frozen=True, slots=True)
class Held:
    """A document: its id, when it was created, and its heartbeat, both in microseconds since 1970."""

    doc: str
    created: Micros
    beat: Micros | None


@dataclass(slots=True)
class Heap:
    """One collection of documents.

    Attributes:
        address: where it is.
        database: the full resource name of its database.
        collection: its id, which no other has.
    """

    address: str
    database: str = "projects/census/databases/(default)"
    collection: str = field(default_factory=lambda: f"c{uuid.uuid4().hex[:12]}")

    async def census(
        self,
        registered: Iterable[str] = (),
        *,
        terms: Terms = WALKED,
        seconds: float = 30.0,
        as_of: datetime | None = None,
    ) -> CensusResult:
        """Take a census of it as the product does."""
        pipeline = settings(self.collection, registered)
        target = Target(source="firestore", address=self.address, resource=self.database, practice=True)
        return await read_heartbeats(pipeline, target, Budget(seconds), quiet, as_of=as_of, terms=terms)


def settings(collection: str, registered: Iterable[str] = ()) -> Pipeline:
    """Settings that register these processors."""
    return Pipeline.model_validate(
        {
            "pipeline": {"name": "census", "project": "census"},
            "heartbeats": {"collection": collection, "processors": list(registered)},
        }
    )


def fill_sandbox(cloud: Sandbox, documents: Iterable[Held]) -> Heap:
    """Put documents into a new collection of the practice cloud, each as it was when it was created."""
    heap = Heap(cloud.firestore_address)
    with cloud.world.firestore.lock:
        database = cloud.world.firestore.database(heap.database)
        collection = database.collection(heap.collection)
        for each in sorted(documents, key=lambda held: held.created):
            at = {} if each.beat is None else {"last_heartbeat": moment(each.beat)}
            collection.put(each.doc, each.created, encode.fields(at))
    return heap


def brute_force(documents: Iterable[Held], registered: Iterable[str], now: Micros) -> dict[str, Family]:
    """What reading every document finds."""
    tally = Tally(now, frozenset(registered))
    for each in sorted(documents, key=lambda held: held.doc):
        missing = None if each.beat is not None else "there is no last_heartbeat"
        tally.add(HeartbeatDocument(each.doc, each.beat, missing, each.created, each.created))
    return {family.processor: family for family in tally.families()}


def reasons(gaps: Iterable[Gap]) -> list[str]:
    """Why something could not be seen."""
    return [gap.reason for gap in gaps]
