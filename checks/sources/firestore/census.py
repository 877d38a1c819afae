"""Reads the heartbeat collection as of one moment: how many there are, whose they are, and what the newest of them say.

A small collection is listed. A large one is walked (``id_walk.py``), and its newest heartbeats are read by their time;
where the first calls tell that a walk is not worth its price, it is listed as well. Raw messages are streamed: the
high-level client's snapshots, which cost three times as much, are never built. All is as of the first read time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from checks.evidence.snapshot import Census, Gap, Target
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget, patient
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.firestore.calls import Reads
from checks.sources.firestore.channel import connect
from checks.sources.firestore.document_fields import DocumentFields, micros_of
from checks.sources.firestore.id_walk import IdWalk, Terms
from checks.sources.firestore.newest import read_newest
from checks.sources.firestore.queries import CollectionPlace, stamp
from checks.sources.firestore.restore_notes import RestoreNotes
from checks.sources.progress import Progress
from checks.sources.source import ReadRequest, SourceAnswer
from checks.sources.times import micros, moment
from checks.text.plural import counted
from checks.text.show import show

SOURCE: Final = "firestore"


@dataclass(frozen=True, slots=True)
class CensusResult:
    """What a census brought home. ``read_time`` and ``census`` are None where nothing at all could be read."""

    read_time: datetime | None
    census: Census | None
    gaps: tuple[Gap, ...]


async def read_heartbeats(
    pipeline: Pipeline,
    target: Target,
    budget: Budget,
    progress: Progress,
    *,
    login: Login | None = None,
    as_of: datetime | None = None,
    terms: Terms = Terms(),  # noqa: B008 - frozen
) -> CensusResult:
    """One census of the pipeline's heartbeat collection, now or as of a read time; whatever fails is a gap in it."""
    heartbeats = pipeline.heartbeats
    try:
        async with patient(budget, connect(target, login or Login())) as connection:
            place = CollectionPlace(target.resource, heartbeats.collection, DocumentFields.of(heartbeats.fields))
            reads = Reads(connection, place, budget)
            if as_of is not None:
                reads.read_time = stamp(micros(as_of))
            walk = IdWalk(reads, heartbeats.registered, terms, progress, growth=as_of is None)
            horizon = max(heartbeats.limits(each)[1] for each in (None, *heartbeats.processors))
            return await HeartbeatReader(reads, walk, horizon, heartbeats.restores, progress).read()
    except SourceError as error:
        return CensusResult(None, None, (error.gap(SOURCE),))


async def read(request: ReadRequest) -> SourceAnswer:
    """The census, as a check asks for it."""
    reading = await read_heartbeats(
        request.pipeline,
        request.target,
        request.budget,
        request.progress,
        login=request.login,
        as_of=request.as_of,
        terms=Terms(families=not request.count_only),
    )
    return SourceAnswer(reading.census, reading.gaps, reading.read_time)


@dataclass(slots=True)
class HeartbeatReader:
    """One census of one collection; make a new reader for the next.

    Attributes:
        reads: the way to the database.
        walk: how its documents are counted.
        horizon: how old a heartbeat may get before its age no longer matters.
        restores: the id of the collection where restores leave their notes.
        progress: told how far it is.
    """

    reads: Reads
    walk: IdWalk
    horizon: timedelta
    restores: str
    progress: Progress
    _least: int | None = None
    _counted: int | None = None
    _slow: bool = False
    _listed: bool = False
    _failed: dict[str, SourceError] = field(default_factory=dict[str, SourceError])

    async def read(self) -> CensusResult:
        """Count, then list or walk. Never raises for what the server does: a failure is a gap, and the rest is kept."""
        self.progress("counting heartbeats", 0, None)
        if not self.walk.terms.families:
            await self._attempt("count", self._count)
            self._failed["families"] = _UNASKED
            return self._result()
        await self._attempt("count", self._count_few)
        if self._least is None or self._counted is not None or self._slow:
            await self._list()
            if self._slow and not self._listed:
                await self._attempt("count", self._count)
        else:
            await self._list_or_walk()
        await self._attempt("restores", self._look_at_restores)
        return self._result()

    def _result(self) -> CensusResult:
        read_time = self.reads.read_time
        return CensusResult(moment(micros_of(read_time)) if read_time else None, self._census(), self._gaps())

    async def _list_or_walk(self) -> None:
        await self._attempt("walk", self.walk.first_step)
        if "walk" not in self._failed and not self.walk.counting:
            await asyncio.gather(self._attempt("count", self._count), self._list())
            return
        if "walk" not in self._failed:
            await self._attempt("walk", self._walk)
        if "walk" in self._failed:
            await self._attempt("count", self._count)

    async def _list(self) -> None:
        self.walk.counting = False
        await self._attempt("listing", self._read_all)

    async def _read_all(self) -> None:
        await self.walk.run()
        self._listed = True
        if self._slow:
            self._counted = self.walk.seen

    async def _walk(self) -> None:
        await self.walk.run()
        self._listed, self._counted = True, self.walk.seen
        await self._attempt("newest", self._look_at_newest)

    async def _look_at_newest(self) -> None:
        horizon = self.reads.now - self.horizon // timedelta(microseconds=1)
        await read_newest(self.reads, self.walk.tally, self.walk.terms.newest, horizon)
        self._counted = self.walk.seen

    async def _look_at_restores(self) -> None:
        """What was moved back is not new. The notes of that are only read where something looks as if it were."""
        if self._failed or not self.walk.answered or (since := self.walk.tally.doubtful_since) is None:
            return
        notes = RestoreNotes(self.reads.connection, self.restores, self.reads.budget, self.reads.read_time)
        try:
            self.walk.tally.restore(await notes.read(since - 1))
        except SourceError:
            self.walk.tally.leave_in_doubt()
            raise
        finally:
            self.reads.billed += notes.billed

    async def _count_few(self) -> None:
        """Count as far as it matters for the choice: that bills next to nothing, whatever there is."""
        terms = self.walk.terms
        try:
            async with asyncio.timeout(terms.slow):
                self._least = await self.reads.count(up_to=terms.small + 1)
        except TimeoutError:
            self._slow = True
            self.reads.abandon(terms.small + 1)
            return
        if self._least <= terms.small:
            self._counted = self.walk.total = self._least

    async def _count(self) -> None:
        self._least = self._counted = self.walk.total = await self.reads.count()

    async def _attempt(self, what: str, call: Callable[[], Awaitable[None]]) -> None:
        try:
            await call()
        except SourceError as error:
            self._failed[what] = error

    def _census(self) -> Census | None:
        if self._least is None and not self.walk.answered:
            return None
        return Census(
            collection=self.reads.place.name,
            total=max(self._counted or self._least or 0, self.walk.seen),
            counted=self._counted is not None,
            listed=self._listed and not self.walk.others and self._counted in {None, self.walk.seen},
            method=self.walk.method,
            families=self.walk.tally.families() if self.walk.answered else (),
            billed_reads=self.reads.billed,
        )

    def _gaps(self) -> tuple[Gap, ...]:
        """One gap per failed read; one for those that failed alike."""
        alike: dict[tuple[str, str], list[str]] = {}
        for what, failure in (*self._failed.items(), *self._unlike()):
            seen = f", after {counted(self.walk.seen, 'document')}" if what in _LONG and self.walk.seen else ""
            alike.setdefault((f"{failure}{seen}", failure.next_step), []).append(what)
        where = show(self.reads.place.collection)
        return tuple(
            Gap(source=SOURCE, reason=f"{' and '.join(what)} of {where}: {reason}", next_step=step)
            for (reason, step), what in alike.items()
        )

    def _unlike(self) -> Iterator[tuple[str, SourceError]]:
        """What is wrong with answers that came."""
        if self.reads.untimely is not None:
            yield "time", self.reads.untimely
        if self.walk.untold is not None:
            yield "growth", self.walk.untold
        if others := self.walk.others:
            yield (
                "families",
                SourceError(
                    f"{counted(others, 'document is', 'documents are')} of more than "
                    f"{self.walk.terms.most:,} processors, and only counted",
                    "look at what the ids begin with: something else than processors writes here",
                ),
            )
        if self._listed and self._counted not in {None, self.walk.seen}:
            yield (
                "listing",
                SourceError(
                    f"{counted(self.walk.seen, 'document was', 'documents were')} listed where "
                    f"{self._counted:,} were counted as of the same moment",
                    "try again; if it stays so, something between here and Firestore drops or repeats answers",
                ),
            )


_UNASKED: Final = SourceError("not asked for, only their number was", "check without --count, to see whose they are")
_LONG: Final = frozenset({"listing", "walk"})
