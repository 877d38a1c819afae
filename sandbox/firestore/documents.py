"""Documents in memory, with an hour of history.

A version holds its fields as the bytes of a ``Document`` message, so that every type comes back exactly as it was
written, a hundred thousand of them stay small, and streaming them is a matter of joining bytes. Python orders strings
by code point, which is the order of their UTF-8 bytes and so Firestore's own order of ids.

A query needs of a collection only ``prefix``, ``get``, ``scan`` and ``count``: a collection whose documents are made
up as they are read can take the place of ``Collection``.
"""

import threading
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.clock import Clock
from sandbox.errors import RefusedError, invalid
from sandbox.firestore import stamps
from sandbox.firestore.messages import Timestamp

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
        chosen = ids[first:last]
        for document_id in reversed(chosen) if reverse else chosen:
            version = self.get(document_id, at)
            if version is not None:
                yield document_id, version

    def count(self, within: IdRange, at: int) -> int:
        """How many documents a range held at a moment; costs nothing when that moment is now."""
        if at >= self._changed:
            first, last = within.slice(self._sorted())
            return last - first
        return sum(1 for _ in self.scan(within, at))

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
        elif head is None or head.fields is None:
            self._mark(document_id, self._added, self._dropped)
        self._forget(version, at)
        return version

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
