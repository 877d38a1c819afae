"""A walk over the ids of a collection, the price of which follows its processors and not its documents.

It reads the next id. Where that begins as the ids of runs do, the server counts all ids that begin so, now and 55
minutes ago, and the walk goes on behind them; any other document is read, and after it twice as many at once. Walkers
start side by side at registered names, and counts are made while they go on. All of it is as of one moment.

Where the first step takes longer than a step over an index does, or the steps do not lead past enough documents to be
worth their price, the rest is read one by one from there: nothing is counted twice, and nothing starts again.
"""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Final

from checks.evidence.snapshot import Method
from checks.sources.budget import ask
from checks.sources.errors import SourceError
from checks.sources.firestore.calls import ROLE, Reads
from checks.sources.firestore.queries import Ids
from checks.sources.firestore.tally import BACK, MOST, HeartbeatDocument, Tally
from checks.sources.progress import Progress
from heartbeat.document_id import shared_prefix

_AT_ONCE: Final = 16
_MOST_IN_A_STEP: Final = 4_096
_CHUNK: Final = 256
_FEW: Final = 2_000
"""So many documents come faster than another channel opens."""


@dataclass(frozen=True, slots=True)
class Terms:
    """When to walk, and what it may cost.

    Attributes:
        families: whether to find out whose the documents are, or only how many there are.
        small: a collection of at most so many documents is read one by one.
        walkers: how many walk at the same time.
        slow: seconds that the first count, of hardly more than ``small``, may take; it is not waited for any longer.
        patience: seconds that the first step may then take; over an index it takes a round trip.
        trial: how many ranges are counted before their worth is looked at.
        worth: how many documents the steps must lead past, each of them, in the middle.
        most: how many processors are told apart.
        newest: how many of the newest heartbeats are read, step by step while processors are missing among them.
    """

    families: bool = True
    small: int = 2_000
    walkers: int = 8
    slow: float = 1.0
    patience: float = 0.5
    trial: int = 64
    worth: int = 20
    most: int = MOST
    newest: tuple[int, ...] = (64, 256, 1_024)


@dataclass(slots=True)
class IdWalk:
    """One walk over one collection. What it found stays found if it is cut off.

    Attributes:
        reads: the way to Firestore.
        registered: ids that are canonical however they look.
        terms: what it may cost.
        progress: told how far it is.
        total: how many documents there are, as far as that is known.
        ranges: how many ranges were counted.
        counting: whether ranges are counted; else every document is read.
        growth: whether to count the documents of a while ago, too.
        untold: why the documents of a while ago could not be counted.
    """

    reads: Reads
    registered: frozenset[str]
    terms: Terms
    progress: Progress
    total: int | None = None
    ranges: int = 0
    counting: bool = True
    growth: bool = True
    untold: SourceError | None = None
    _passed: int = 0
    _tally: Tally | None = None
    _rest: Ids = field(default_factory=Ids)
    _found: list[HeartbeatDocument] = field(default_factory=list[HeartbeatDocument])
    _group: asyncio.TaskGroup | None = None
    _counts: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    @property
    def tally(self) -> Tally:
        """What was counted.

        Raises:
            SourceError: no answer bore a read time.
        """
        if self._tally is None:
            self._tally = Tally(
                self.reads.now, self.registered, most=self.terms.most, details=self.reads.place.fields.details
            )
        return self._tally

    @property
    def answered(self) -> bool:
        """Whether anything was read or counted, if only that there is nothing."""
        return self._tally is not None

    @property
    def seen(self) -> int:
        """Documents counted so far."""
        return self._tally.seen if self._tally else 0

    @property
    def others(self) -> int:
        """How many of them are of processors that are not told apart, because there are too many."""
        return self._tally.others if self._tally else 0

    @property
    def large(self) -> bool:
        """Whether so many documents would be read that a channel of their own is worth it, as far as that is known."""
        return self.total is None or self.total > _FEW

    @property
    def method(self) -> Method:
        """How."""
        if not self.ranges:
            return Method.LISTING
        return Method.RANGES if self.counting else Method.MIXED

    async def first_step(self) -> None:
        """Make the first step; where it takes too long, documents are listed from here on.

        Raises:
            SourceError: it has no answer.
        """
        walker = _Walker(self, self._rest)
        try:
            async with asyncio.timeout(self.terms.patience):
                await walker.step(1)
        except TimeoutError:
            self.counting = False
        if self.counting or not self._found:
            self._rest = walker.rest
        else:  # what began a range is read like all others: nobody would look for registered ids in the range
            self._found.clear()

    async def run(self) -> None:
        """Walk the rest.

        Raises:
            SourceError: a call has no answer; all others are given up.
        """
        starts = self._starts() if self.counting else []
        try:
            async with asyncio.TaskGroup() as self._group:
                for first in self._found:
                    self.count(first)
                for low, high in zip((None, *starts), (*starts, None), strict=True):
                    rest = replace(self._rest, high=high) if low is None else Ids(low, high)
                    self._group.create_task(_Walker(self, rest).walk())
        except ExceptionGroup as failed:
            _, others = failed.split(SourceError)
            raise (others or _first(failed)) from failed
        finally:
            self._group = None
        self.progress("counting heartbeats", self.tally.seen, self.tally.seen)

    def count(self, first: HeartbeatDocument) -> None:
        """See to it that all documents are counted whose ids begin as the first one's does."""
        if self._group is None:
            self._found.append(first)
            return
        task = self._group.create_task(self._count(first))
        self._counts.add(task)
        task.add_done_callback(self._counts.discard)

    async def room(self) -> None:
        """Wait until so few counts are under way that another step makes sense."""
        while len(self._counts) >= _AT_ONCE:
            await asyncio.wait(self._counts, return_when=asyncio.FIRST_COMPLETED)

    def _starts(self) -> list[str]:
        """Registered names that lie in no range, as many as there are walkers to start at them."""
        low = self._rest.low or ""
        names = sorted(each for each in self.registered if each > low and shared_prefix(each) is None)
        share = -(-len(names) // self.terms.walkers)
        return names[share::share] if share else []

    async def _count(self, first: HeartbeatDocument) -> None:
        ids = Ids.beginning_with(shared_prefix(first.doc) or first.doc)
        now = await self.reads.count(ids)
        then = await self._count_then(ids)
        if not now:
            raise SourceError(
                "a document was read and then not counted, as of the same moment",
                "try again; if it stays so, something between here and Firestore drops answers",
            )
        self.tally.add_range(first, now, then)
        self.ranges += 1
        self._passed += now
        if self.ranges >= self.terms.trial and self._passed < self.ranges * self.terms.worth:
            self.counting = False
        self.progress("counting heartbeats", self.tally.seen, self.total)

    async def _count_then(self, ids: Ids) -> int | None:
        if not self.growth or self.untold is not None:
            return None
        try:
            return await self.reads.count(ids, at=self.reads.now - BACK)
        except SourceError as error:
            self.untold = error
            return None


@dataclass(slots=True)
class _Walker:
    """What walks one range of ids; ``rest`` is what is left of it."""

    of: IdWalk
    rest: Ids
    _prefix: str | None = None

    async def walk(self) -> None:
        """Walk to the end."""
        size, more = 1, True
        while more and not self.rest.empty:
            await self.of.room()
            before = self._prefix
            more = await self.step(size)
            size = min(2 * size, _MOST_IN_A_STEP) if self._prefix == before else 1

    async def step(self, size: int) -> bool:
        """Read so many documents, or all that are left where nothing is counted; whether there may be more of them."""
        counting, taken = self.of.counting, 0
        limit = size if counting else None

        def take(document: HeartbeatDocument) -> None:
            nonlocal taken
            taken += 1
            self._take(document, counting=counting)

        async def attempt() -> None:
            """Go on after the last document that was taken, so that a retry bills and counts none of them twice."""
            left = None if limit is None else limit - taken
            if left != 0:
                query = self.of.reads.place.within(self.rest, limit=left)
                await self.of.reads.documents(query, take, long=not counting and self.of.large)

        await ask(attempt, self.of.reads.budget, role=ROLE)
        return taken == limit

    def _take(self, document: HeartbeatDocument, *, counting: bool) -> None:
        prefix = shared_prefix(document.doc) if counting else None
        if prefix is None:
            self.of.tally.add(document)
            self.rest = self.rest.beyond(document.doc)
        elif prefix != self._prefix:
            self._prefix = prefix
            self.of.count(document)
            self.rest = Ids(Ids.beginning_with(prefix).high, self.rest.high)
        if self.of.seen % _CHUNK == 0:
            self.of.progress("listing heartbeats", self.of.seen, self.of.total)


def _first(failed: BaseException) -> BaseException:
    while isinstance(failed, BaseExceptionGroup):
        failed = failed.exceptions[0]
    return failed
