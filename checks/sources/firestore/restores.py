"""When documents that a restore moved back were first created: Firestore's create time is the time of the move.

Whoever takes create times for growth asks here first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from checks.sources.times import Micros
from heartbeat.document_id import parse


@dataclass(frozen=True, slots=True)
class Restored:
    """One document that was moved back.

    Attributes:
        doc: its id.
        moved: when it was moved back, which is its create time now.
        created: when it was created before it was first moved away.
        trashed: when it had been moved away.
    """

    doc: str
    moved: Micros
    created: Micros
    trashed: Micros


@dataclass(frozen=True)
class Restores:
    """The documents that were moved back lately.

    Attributes:
        documents: in any order; one that was moved back twice is in it twice.
    """

    documents: tuple[Restored, ...] = ()
    _by_move: dict[tuple[str, Micros], Restored] = field(default_factory=dict[tuple[str, Micros], Restored], repr=False)

    def __post_init__(self) -> None:
        self._by_move.update({(each.doc, each.moved): each for each in self.documents})

    def created(self, doc: str, created: Micros) -> Micros:
        """When a document was first created.

        Args:
            doc: its id.
            created: its create time, as Firestore tells it.
        """
        while (found := self._by_move.get((doc, created))) is not None and found.created < created:
            created = found.created
        return created

    @cached_property
    def _by_family(self) -> Mapping[tuple[str, Micros], list[Micros]]:
        found: dict[tuple[str, Micros], list[Micros]] = {}
        for each in self.documents:
            found.setdefault((parse(each.doc).family, each.moved), []).append(self.created(each.doc, each.moved))
        return {key: sorted(times) for key, times in found.items()}

    def moved_to(self, family: str, moved: Micros, count: int) -> list[Micros]:
        """When documents of a family with the same create time were first created: the newest, if more were moved.

        Args:
            family: the processor.
            moved: their create time, as Firestore tells it.
            count: how many of them are there.
        """
        times = self._by_family.get((family, moved), [])
        return times[max(0, len(times) - count) :]

    def moved_since(self, since: Micros) -> Iterable[Restored]:
        """Those that were moved back after a moment, and had been moved away before it."""
        return (each for each in self.documents if each.trashed <= since < each.moved)


NO_RESTORES: Final = Restores()
