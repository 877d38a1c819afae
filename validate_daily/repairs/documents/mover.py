"""Moves documents between two collections: each is created there and deleted here in one commit, or stays.

A commit that fails does not say which member is to blame, and one without an acknowledgement may have taken effect. So
after any failure both ends of every member are read again, and only what is unchanged is tried once more; a batch whose
members all are is halved until the one that cannot be stored stands alone.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from checks.sources.budget import Budget
from checks.sources.errors import SourceError
from checks.sources.progress import Progress
from validate_daily.repairs.plans.outcome import WHY, Fate
from validate_daily.repairs.stores.documents import CommitError, Documents, Move, MoveFailure, Stored

MEMBERS: Final = 250
"""Documents of one commit: two writes each, and Firestore takes 500 at the least."""

BYTES: Final = 3 << 20
"""Of documents in one commit: Firestore takes 10 MiB, its emulator 4."""

AT_ONCE: Final = 4
ATTEMPTS: Final = 6
_PAUSE: Final = 0.1


class Conversion(Protocol):
    """Where a document goes, what it becomes there, and how that is recognised."""

    @property
    def members(self) -> int:
        """Documents of one commit at most."""
        ...

    def target(self, path: str) -> str:
        """The path where a document goes."""
        ...

    def document(self, stored: Stored, move: Move) -> Any | None:  # noqa: ANN401 - protobuf's classes have no types
        """The message to create at the target, or None where the source does not tell."""
        ...

    def is_ours(self, target: Stored, move: Move) -> bool:
        """Whether what stands at the target is what this plan put there."""
        ...

    def note(self, moves: Sequence[Move]) -> Any | None:  # noqa: ANN401 - protobuf's classes have no types
        """A message to write in the commit of these moves; None where there is nothing to note."""
        ...


@dataclass(slots=True)
class Mover:
    """One plan's moves.

    Attributes:
        documents: reads and commits.
        root: what stands before a path in a full name.
        conversion: where documents go, and what they become.
        read_time: T: sources are read as of then.
        budget: what all of it may take.
        progress: told how many are settled.
        moved: how many moved.
        fates: what became of each of the others, by the path of its source, with the reason.
    """

    documents: Documents
    root: str
    conversion: Conversion
    read_time: datetime
    budget: Budget
    progress: Progress
    moved: int = 0
    fates: dict[str, tuple[Fate, str]] = field(default_factory=dict[str, tuple[Fate, str]])
    _total: int = 0
    _denied: str | None = None

    async def move(self, sources: Sequence[tuple[str, int]]) -> None:
        """Move documents. Never raises for what the server does: it is their fate.

        Args:
            sources: the path below the root and the planned version of each document, each once.
        """
        self._total = len(sources)
        waiting = self._batches(sources)
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work(waiting))

    async def _work(self, waiting: Iterator[Sequence[Move]]) -> None:
        for moves in waiting:
            try:
                parts = await self._load(moves)
            except SourceError as error:
                self._settle(moves, Fate.LEFT, f"it could not be read: {error}")
                continue
            for part in parts:
                await self._commit(part)

    async def _load(self, moves: Sequence[Move]) -> list[Sequence[Move]]:
        """Read sources as of T and say what they become; in parts that fit into a commit."""
        stored = await self.documents.read((move.source for move in moves), self.read_time)
        parts: list[list[Move]] = [[]]
        size = 0
        for move in moves:
            found = stored.get(move.source)
            if found is None or found.version != move.version:
                self._settle([move], Fate.CHANGED, "it is not what was listed")
                continue
            document = self.conversion.document(found, move)
            if document is None:
                self._settle([move], Fate.UNMOVABLE, "it does not hold an original")
                continue
            bytes_ = document.ByteSize()
            if size and size + bytes_ > BYTES:
                parts.append([])
                size = 0
            size += bytes_
            parts[-1].append(Move(move.source, move.version, move.target, document))
        return [part for part in parts if part]

    async def _commit(self, moves: Sequence[Move]) -> None:
        """Commit until each member's fate is known; only attempts that changed nothing are counted."""
        left, reason, idle = moves, "", 0
        while idle < ATTEMPTS:
            if self._denied is not None or self.budget.spent:
                self._settle(left, Fate.LEFT, self._denied or "the time given is used up")
                return
            try:
                await self.documents.commit(left, self.conversion.note(left))
            except CommitError as error:
                failure, reason = error.failure, str(error)
            else:
                self._settle(left, Fate.MOVED)
                return
            before, left = left, await self._unchanged(left, reason)
            if not left:
                return
            if failure is MoveFailure.DENIED:
                self._denied = reason
            if len(left) < len(before):
                continue
            if failure is MoveFailure.UNFIT:
                await self._halve(left, reason)
                return
            await asyncio.sleep(min(_PAUSE * 2**idle, self.budget.remaining()))
            idle += 1
        self._settle(left, Fate.LEFT, reason)

    async def _halve(self, moves: Sequence[Move], reason: str) -> None:
        if len(moves) == 1:
            self._settle(moves, Fate.UNMOVABLE, reason)
            return
        middle = len(moves) // 2
        await self._commit(moves[:middle])
        await self._commit(moves[middle:])

    async def _unchanged(self, moves: Sequence[Move], reason: str) -> Sequence[Move]:
        """Read both ends of every member again, settle those whose fate that tells, and return the others."""
        try:
            stored = await self.documents.read(name for move in moves for name in (move.source, move.target))
        except SourceError as error:
            self._settle(moves, Fate.UNKNOWN, f"{reason}; and reading again: {error}")
            return ()
        left: list[Move] = []
        for move in moves:
            fate = self._fate(move, stored.get(move.source), stored.get(move.target))
            if fate is None:
                left.append(move)
            else:
                self._settle([move], fate)
        return left

    def _fate(self, move: Move, source: Stored | None, target: Stored | None) -> Fate | None:
        gone = source is None or source.version != move.version
        if gone and target is not None and self.conversion.is_ours(target, move):
            return Fate.MOVED
        if source is None:
            return Fate.VANISHED
        if source.version != move.version:
            return Fate.CHANGED
        return None if target is None else Fate.OCCUPIED

    def _settle(self, moves: Iterable[Move], fate: Fate, reason: str | None = None) -> None:
        for move in moves:
            if fate is Fate.MOVED:
                self.moved += 1
            else:
                self.fates[move.source.removeprefix(self.root)] = (fate, reason or WHY.get(fate, ""))
        self.progress("moving documents", self.moved + len(self.fates), self._total)

    def _batches(self, sources: Sequence[tuple[str, int]]) -> Iterator[Sequence[Move]]:
        """Batches that several workers take turns at; each is made when its turn comes."""
        for start in range(0, len(sources), self.conversion.members):
            yield [
                Move(self.root + path, version, self.root + self.conversion.target(path))
                for path, version in sources[start : start + self.conversion.members]
            ]
