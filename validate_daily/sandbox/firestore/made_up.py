"""Documents that are made up as they are read, so that a million of them take no room."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn, overload

from validate_daily.sandbox.errors import unimplemented
from validate_daily.sandbox.firestore import encode, stamps
from validate_daily.sandbox.firestore.documents import Collection, IdRange, Version
from validate_daily.sandbox.firestore.fields import Path
from validate_daily.sandbox.firestore.messages import Value
from validate_daily.sandbox.firestore.queries import values

FIELD: Final = "last_heartbeat"
_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Runs:
    """The documents of runs, of several processors by turns.

    Attributes:
        processors: in the order of their ids, none of which begins another's.
        documents: how many.
        newest: the heartbeat of the last run.
        apart: from the heartbeat of one run to that of the next.
    """

    processors: Sequence[str]
    documents: int
    newest: datetime
    apart: timedelta = timedelta(seconds=1)

    def size(self, processor: int) -> int:
        """How many documents a processor has, by its place."""
        share, more = divmod(self.documents, len(self.processors))
        return share + (processor < more)

    def start(self, processor: int) -> int:
        """How many documents the processors before it have."""
        share, more = divmod(self.documents, len(self.processors))
        return processor * share + min(processor, more)

    def id(self, processor: int, run: int) -> str:
        """The id of a processor's run."""
        return f"{self.processors[processor]}_None_{run:0{_DIGITS}x}"

    def alive(self, processor: int, first: int, last: int, at: int) -> int:
        """How many of a processor's documents there were at a moment, of those from one place to another."""
        age = stamps.from_datetime(self.newest) - at
        later = -(-age // (self.apart // timedelta(microseconds=1)))  # so many runs, of anybody, began after it
        start = self.start(processor)
        born = -(-(later - processor) // len(self.processors))
        return max(0, min(last - start, self.size(processor)) - max(first - start, born, 0))

    def beat(self, processor: int, run: int) -> datetime:
        """Its only heartbeat. The first runs are the last ones to beat."""
        return self.newest - (run * len(self.processors) + processor) * self.apart


class MadeUp(Collection):
    """A collection of such documents, which nobody can change."""

    def __init__(self, prefix: str, runs: Runs) -> None:
        super().__init__(prefix)
        self._runs = runs
        self._made = _Ids(runs)

    def __len__(self) -> int:
        return self._runs.documents

    def get(self, document_id: str, at: int) -> Version | None:
        """The document as of a moment; each was created with its heartbeat."""
        place = bisect_left(self._made, document_id)
        if place == len(self._made) or self._made[place] != document_id:
            return None
        version = self._version(document_id, *self._made.find(place))
        return version if version.created <= at else None

    def scan(self, within: IdRange, at: int, *, reverse: bool = False) -> Iterator[tuple[str, Version]]:
        """The documents of a range as of a moment, in the order of their ids."""
        first, last = within.slice(self._made)
        for place in reversed(range(first, last)) if reverse else range(first, last):
            found = self._made.find(place)
            version = self._version(self._runs.id(*found), *found)
            if version.created <= at:
                yield self._made[place], version

    def count(self, within: IdRange, at: int) -> int:
        """How many documents a range held at a moment."""
        first, last = within.slice(self._made)
        if first == last:
            return 0
        places = range(self._made.find(first)[0], self._made.find(last - 1)[0] + 1)
        return sum(self._runs.alive(place, first, last, at) for place in places)

    def ranked(self, path: Path) -> "_Ranks | None":
        """The documents in the order of their heartbeats."""
        return _Ranks(self._runs) if path == (FIELD,) else None

    def put(self, document_id: str, at: int, fields: bytes | None, *, created: int | None = None) -> NoReturn:
        """Refuse."""
        del at, fields, created
        unimplemented(f"writing {document_id} where documents are made up")

    def _version(self, document_id: str, processor: int, run: int) -> Version:
        beat = self._runs.beat(processor, run)
        told = {"processor_name": self._runs.processors[processor], "run_id": document_id[-_DIGITS:], FIELD: beat}
        moment = stamps.from_datetime(beat)
        return Version(moment, moment, encode.fields({**told, "status": "running"}))


class _Ids(Sequence[str]):
    """All ids, sorted, none of which is kept."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._starts = [runs.start(place) for place in range(len(runs.processors))]

    def __len__(self) -> int:
        return self._runs.documents

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        return self._runs.id(*self.find(place))

    def find(self, place: int) -> tuple[int, int]:
        """The processor and the run at a place."""
        processor = bisect_left(self._starts, place + 1) - 1
        return processor, place - self._starts[processor]


class _Ranks:
    """All documents by their heartbeats, oldest first."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def __len__(self) -> int:
        return self._runs.documents

    def __getitem__(self, place: int, /) -> tuple[values.Key, str]:
        run, processor = divmod(self._runs.documents - 1 - place, len(self._runs.processors))
        beat = stamps.to_timestamp(stamps.from_datetime(self._runs.beat(processor, run)))
        return values.key(Value(timestamp_value=beat)), self._runs.id(processor, run)
