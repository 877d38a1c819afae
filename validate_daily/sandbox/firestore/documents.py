"""Documents in memory, with an hour of history.

A version holds its fields as the bytes of a ``Document`` message, so that every type comes back exactly as it was
written, a hundred thousand of them stay small, and streaming them is a matter of joining bytes. Python orders strings
by code point, which is the order of their UTF-8 bytes and so Firestore's own order of ids.

A query needs of a collection only ``prefix``, ``get``, ``scan``, ``count`` and ``ranked``: a collection whose documents
are made up as they are read (``made_up.py``) can take the place of ``Collection``. A range of ids is found and counted
in a time that hardly grows with the collection, now and as of any moment that is kept.
"""

import threading
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.errors import RefusedError, invalid
from validate_daily.sandbox.firestore import stamps
from validate_daily.sandbox.firestore.fields import Path
from validate_daily.sandbox.firestore.messages import Timestamp
from validate_daily.sandbox.firestore.queries import values

HISTORY: Final = 3_600 * stamps.SECOND
"""How far back a read may look: production's default, without point-in-time recovery."""
_FEW: Final = 64


@dataclass(slots=True)
class Version:
    """One state of a document, from ``updated`` until the next. ``fields`` is None while the document is deleted."""

    created: int
    updated: int
    fields: bytes | None
    previous: "Version | None" = None


@dataclass(frozen=True, slots=True)
class IdRange:
    """The ids between two bounds; no bound where there is None."""

    low: str | None = None
    high: str | None = None
    low_open: bool = False
    high_open: bool = False

    def slice(self, ids: Sequence[str]) -> tuple[int, int]:
        """Where the range begins and ends in sorted ids."""
        first = 0 if self.low is None else (bisect_right if self.low_open else bisect_left)(ids, self.low)
        last = len(ids) if self.high is None else (bisect_left if self.high_open else bisect_right)(ids, self.high)
        return first, max(first, last)

    def holds(self, document_id: str) -> bool:
        """Whether an id is in it."""
        above = self.low is None or document_id > self.low or (document_id == self.low and not self.low_open)
        return above and (
            self.high is None or document_id < self.high or (document_id == self.high and not self.high_open)
        )


class Ranks(Protocol):
    """Documents in the ascending order of one field. Those without it are not among them."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: int, /) -> tuple[values.Key, str]:
        """The field's sort key and the id of the document at a place."""
        ...


def _moment_of(turn: tuple[int, str, int]) -> int:
    return turn[0]


class Collection:
    """The documents of one collection, sorted by id."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._heads: dict[str, Version] = {}
        self._live: list[str] = []
        self._added: set[str] = set()
        self._dropped: set[str] = set()
        self._changed = 0
        self._graves: deque[tuple[int, str]] = deque()
        self._turns: list[tuple[int, str, int]] = []
        self._ever: list[str] | None = None

    def __len__(self) -> int:
        return len(self._sorted())

    def get(self, document_id: str, at: int) -> Version | None:
        """The document as of a moment, or None where there was none."""
        version = self._heads.get(document_id)
        while version is not None and version.updated > at:
            version = version.previous
        return version if version is not None and version.fields is not None else None

    def scan(self, within: IdRange, at: int, *, reverse: bool = False) -> Iterator[tuple[str, Version]]:
        """The documents of a range as of a moment, in the order of their ids."""
        ids = self._ids(at)
        first, last = within.slice(ids)
        places = range(first, last)
        for place in reversed(places) if reverse else places:
            version = self.get(ids[place], at)
            if version is not None:
                yield ids[place], version

    def count(self, within: IdRange, at: int) -> int:
        """How many documents a range held at a moment: as many as now, but for what came and went since."""
        first, last = within.slice(self._sorted())
        since = self._turns[bisect_right(self._turns, at, key=_moment_of) :]
        return last - first - sum(change for _, document_id, change in since if within.holds(document_id))

    def ranked(self, path: Path) -> "Ranks | None":
        """The documents in the order of a field, where the collection knows it without looking at each of them."""
        del path
        return None

    def put(self, document_id: str, at: int, fields: bytes | None, *, created: int | None = None) -> Version:
        """Make this the document's newest state, from ``at`` on; without fields, delete it."""
        head = self._heads.get(document_id)
        if created is None:
            created = head.created if head is not None and head.fields is not None else at
        version = Version(created, at, fields, head)
        self._heads[document_id] = version
        self._changed = max(self._changed, at)
        if fields is None:
            self._graves.append((at, document_id))
            self._mark(document_id, self._dropped, self._added)
            self._turn(at, document_id, -1)
        elif head is None or head.fields is None:
            self._mark(document_id, self._added, self._dropped)
            self._turn(at, document_id, 1)
        self._forget(version, at)
        return version

    def _turn(self, at: int, document_id: str, change: int) -> None:
        """Write down that a document came or went, as long as somebody may ask how it was before."""
        horizon = self._changed - HISTORY
        if at > horizon:
            insort(self._turns, (at, document_id, change))
        if len(self._turns) > _FEW and self._turns[len(self._turns) // 2][0] <= horizon:
            del self._turns[: bisect_right(self._turns, horizon, key=_moment_of)]

    def _mark(self, document_id: str, into: set[str], out_of: set[str]) -> None:
        if document_id in out_of:
            out_of.remove(document_id)
        else:
            into.add(document_id)
        self._ever = None

    def _forget(self, version: Version, now: int) -> None:
        horizon = now - HISTORY
        while version.previous is not None and version.updated > horizon:
            version = version.previous
        version.previous = None
        while self._graves and self._graves[0][0] <= horizon:
            _, document_id = self._graves.popleft()
            if (head := self._heads.get(document_id)) is not None and head.fields is None and head.updated <= horizon:
                del self._heads[document_id]
                self._ever = None

    def _ids(self, at: int) -> list[str]:
        if at >= self._changed or not self._graves:
            return self._sorted()
        if self._ever is None:
            self._ever = sorted(self._heads)
        return self._ever

    def _sorted(self) -> list[str]:
        if len(self._dropped) > _FEW:
            self._live = [document_id for document_id in self._live if document_id not in self._dropped]
        else:
            for document_id in self._dropped:
                del self._live[bisect_left(self._live, document_id)]
        if len(self._added) > _FEW:
            self._live.extend(self._added)
            self._live.sort()
        else:
            for document_id in self._added:
                insort(self._live, document_id)
        self._dropped.clear()
        self._added.clear()
        return self._live


class Database:
    """The collections of one database, by path, and the order of its reads and commits."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.collections: dict[str, Collection] = {}
        self._clock = clock
        self._latest = 0

    def collection(self, path: str) -> Collection:
        """The collection at a path; an empty one comes into being."""
        if path not in self.collections:
            self.collections[path] = Collection(f"{self.name}/documents/{path}/")
        return self.collections[path]

    def parents(self, collection: Collection) -> set[str]:
        """The ids in a collection below which there are collections with documents, whether they exist or not."""
        return {
            held.prefix.removeprefix(collection.prefix).partition("/")[0]
            for held in self.collections.values()
            if held is not collection and held.prefix.startswith(collection.prefix) and len(held)
        }

    def commit_time(self) -> int:
        """The time of a new commit: after every commit and every read that has been answered."""
        self._latest = max(stamps.from_datetime(self._clock.now()), self._latest + 1)
        return self._latest

    def read_time(self, asked: Timestamp | None = None) -> int:
        """The moment that a read sees: the one that it asks for, or now."""
        self._latest = max(stamps.from_datetime(self._clock.now()), self._latest)
        if asked is None:
            return self._latest
        at = stamps.exactly(asked)
        if at > self._latest:
            invalid("The requested 'read_time' cannot be in the future.")
        if at < self._latest - HISTORY:
            raise RefusedError("FAILED_PRECONDITION", "The requested 'read_time' is too old.")
        return at


class DocumentStore:
    """All databases of the practice world; as with the official emulator, naming one is enough to have it.

    ``lock`` is held by whoever reads or writes: the server's thread and the world's own are not the same.
    """

    def __init__(self, clock: Clock) -> None:
        self.lock = threading.RLock()
        self._clock = clock
        self._databases: dict[str, Database] = {}

    def database(self, name: str) -> Database:
        """The database of this full resource name."""
        if name not in self._databases:
            self._databases[name] = Database(name, self._clock)
        return self._databases[name]
