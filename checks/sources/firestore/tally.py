"""Counts heartbeat documents as they stream by, so that memory grows with processors and not with documents.

Documents that share a prefix may also be counted by the server; then some of them are only *seen*, not counted again.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, NamedTuple

from checks.evidence.snapshot import Family, Heartbeat
from checks.sources.firestore.attribution import Nature, attribute, by_id
from checks.sources.firestore.restores import Restores
from checks.sources.times import Micros, moment
from heartbeat.document_id import parse, shared_prefix

HOUR: Final[Micros] = 3_600_000_000
DAY: Final[Micros] = 24 * HOUR
BACK: Final[Micros] = 55 * 60_000_000
"""How long ago growth is counted from where documents are counted and not read: Firestore keeps an hour."""
CLOCK_SKEW: Final[Micros] = 60_000_000
"""A heartbeat this far ahead of Firestore's clock is the writer's clock running ahead, not a future heartbeat."""

_MOST_WAITING: Final = 256
"""How many families may keep whole messages of Firestore, the size of which is up to strangers."""

MOST: Final = 10_000
"""How many families a census tells apart: each takes some kilobytes."""


class HeartbeatDocument(NamedTuple):
    """What one listed document showed. ``beat`` is None where ``unparsable`` says why.

    From ``revision`` on, ``Heartbeat`` says what the fields mean. They are details: most documents are only counted, so
    the details are read of those that are kept. Until then ``unread`` holds the message's fields.
    """

    doc: str
    beat: Micros | None
    unparsable: str | None
    created: Micros
    updated: Micros
    revision: str | None = None
    commit: str | None = None
    name: str | None = None
    status: str | None = None
    started: Micros | None = None
    run_id: str | None = None
    data_date: str | None = None
    progress: float | str | None = None
    total: float | None = None
    beats_every: float | None = None
    names_its_build: bool = False
    unread: Any = None


def _as_it_is(document: HeartbeatDocument) -> HeartbeatDocument:
    return document


@dataclass(slots=True)
class _FamilyTally:
    canonical: int = 0
    malformed: int = 0
    run_scoped: int = 0
    unmarked: str = ""
    last_hour: int = 0
    last_day: int = 0
    malformed_last_hour: int = 0
    malformed_last_day: int = 0
    newest: HeartbeatDocument | None = None
    newest_malformed: HeartbeatDocument | None = None
    future: int = 0
    future_sample: HeartbeatDocument | None = None
    unparsable: int = 0
    unparsable_sample: HeartbeatDocument | None = None
    written: Micros = 0
    written_at_once: int = 0
    malformed_lately: int = 0
    doubtful: dict[Micros, int] = field(default_factory=dict[Micros, int])
    newest_doubtful: HeartbeatDocument | None = None
    ranges: int = 0
    counted: int = 0
    counted_then: int | None = 0
    waits: bool = False
    unsure: bool = False

    @property
    def total(self) -> int:
        return self.canonical + self.malformed

    @property
    def growth(self) -> int | None:
        """Malformed documents more than ``BACK`` ago; of those that were read, the ones created since."""
        return None if self.counted_then is None else self.counted - self.counted_then + self.malformed_lately

    def read_details(self, details: Callable[[HeartbeatDocument], HeartbeatDocument]) -> None:
        """Read the details of the documents that are kept."""
        self.newest = self.newest and details(self.newest)
        self.newest_malformed = self.newest_malformed and details(self.newest_malformed)
        self.newest_doubtful = self.newest_doubtful and details(self.newest_doubtful)
        self.future_sample = self.future_sample and details(self.future_sample)
        self.unparsable_sample = self.unparsable_sample and details(self.unparsable_sample)
        self.waits = False


@dataclass(slots=True)
class Tally:
    """A running count.

    Attributes:
        now: the census's read time.
        registered: ids that are canonical however they look.
        seen: documents counted so far, one by one or by the server.
        most: how many families are told apart, besides registered ones; the documents of others are only counted.
        reach: how far back every document with a heartbeat was seen; None is all the way.
        details: reads the details of a document that is kept.
    """

    now: Micros
    registered: AbstractSet[str]
    seen: int = 0
    most: int = MOST
    reach: Micros | None = None
    details: Callable[[HeartbeatDocument], HeartbeatDocument] = _as_it_is
    _families: dict[str, _FamilyTally] = field(default_factory=dict[str, _FamilyTally])
    _ranges: set[str] = field(default_factory=set[str])
    _others: _FamilyTally = field(default_factory=_FamilyTally)
    _waiting: list[_FamilyTally] = field(default_factory=list[_FamilyTally])

    def add(self, document: HeartbeatDocument) -> None:
        """Count one document."""
        self.seen += 1
        doc = document.doc
        told = by_id(doc, self.registered)
        if told is None:
            document = self.details(document)
            live, new = self.now - document.updated <= DAY, self.now - document.created <= DAY
            told = attribute(doc, document.name, self.registered, live=live, new=new)
        family, malformed = self._family(told.writer), told.malformed
        family.canonical += not malformed
        family.malformed += malformed
        family.run_scoped += told.nature is Nature.RUN_SCOPED
        if told.nature is Nature.UNMARKED:
            family.unmarked = doc
        self._add_growth(family, document, malformed=malformed)
        self._add_beat(family, document)

    def add_range(self, first: HeartbeatDocument, now: int, then: int | None) -> None:
        """Count all documents whose ids begin with a prefix.

        Args:
            first: the first of them.
            now: how many there are.
            then: how many there were ``BACK`` ago; None where nobody could tell.
        """
        prefix = shared_prefix(first.doc) or first.doc
        family = self._family(parse(first.doc).family)
        if not self._ranges:
            self.reach = self.now + CLOCK_SKEW
        self.seen += now
        self._ranges.add(prefix)
        family.ranges += 1
        family.malformed += now
        family.counted += now
        family.counted_then = None if then is None or family.counted_then is None else family.counted_then + then
        if first.doc not in self.registered:
            self._add_sample(family, first)
            if first.beat is None:
                self._add_beat(family, first)

    def see(self, document: HeartbeatDocument) -> None:
        """Take a look at a heartbeat that was counted in a range; any other was looked at when it was read."""
        if shared_prefix(document.doc) in self._ranges and document.doc not in self.registered:
            family = self._family(parse(document.doc).family)
            self._add_sample(family, document)
            self._add_beat(family, document)

    @property
    def registered_in_ranges(self) -> list[str]:
        """The registered ids that were counted in a range, if they exist; each is of a family of its own."""
        return sorted(each for each in self.registered if shared_prefix(each) in self._ranges)

    def move(self, document: HeartbeatDocument) -> None:
        """Count a registered document for itself, and no longer in the range that its id begins with."""
        family = self._family(parse(document.doc).family)
        family.malformed -= 1
        family.counted -= 1
        if family.counted_then is not None and document.created <= self.now - BACK:
            family.counted_then -= 1
        self.seen -= 1
        self.add(document)

    @property
    def doubtful_since(self) -> Micros | None:
        """From when on documents look new that a restore may have moved back; None where there are none."""
        times = list[Micros]()
        for family in self._families.values():
            times += family.doubtful
            if (document := _later(family.newest_malformed, family.newest_doubtful)) is family.newest_doubtful:
                times += [document.created] if document else []
            if family.ranges and (family.growth or 0) > 0:
                times.append(self.now - BACK)
        return min(times, default=None)

    def restore(self, restores: Restores) -> None:
        """Count what was moved back by the time when it was first created. Call it once, when all is counted."""
        for name, family in self._families.items():
            for moved, count in family.doubtful.items():
                for created in restores.moved_to(name, moved, count):
                    self._take_back(family, self.now - moved, self.now - created)
            if (document := family.newest_doubtful) is not None:
                created = restores.created(document.doc, document.created)
                family.newest_doubtful = document._replace(created=created)
        for each in restores.moved_since(self.now - BACK):
            if shared_prefix(each.doc) in self._ranges and each.doc not in self.registered:
                family = self._families.get(parse(each.doc).family)
                if family is not None and family.counted_then is not None:
                    family.counted_then += 1

    def leave_in_doubt(self) -> None:
        """Claim nothing of documents that may have been moved back: what was restored could not be read."""
        for family in self._families.values():
            family.unsure = bool(family.doubtful)
            family.newest_doubtful = None
            family.counted_then = None if family.ranges else family.counted_then

    @staticmethod
    def _take_back(family: _FamilyTally, age: Micros, real: Micros) -> None:
        hour, day = int(age <= HOUR < real), int(age <= DAY < real)
        family.last_hour -= hour
        family.last_day -= day
        family.malformed_last_hour -= hour
        family.malformed_last_day -= day
        family.malformed_lately -= int(age <= BACK < real)

    @property
    def others(self) -> int:
        """How many documents are of families that are not told apart."""
        return self._others.total

    @property
    def unreached(self) -> int:
        """How many families may have a newer heartbeat than any that was seen of them."""
        return sum(self._older_than(each) is not None for each in self._families.values())

    def families(self) -> tuple[Family, ...]:
        """All processors seen so far, most documents first."""
        self._read_details()
        families = (self._family_evidence(name, tally) for name, tally in self._families.items() if tally.total)
        return tuple(sorted(families, key=lambda family: (-family.total, family.processor)))

    def _family(self, name: str) -> _FamilyTally:
        family = self._families.get(name)
        if family is not None:
            return family
        if len(self._families) >= self.most and name not in self.registered:
            return self._others
        family = self._families[name] = _FamilyTally()
        return family

    def _older_than(self, family: _FamilyTally) -> Micros | None:
        if not family.ranges or self.reach is None:
            return None
        newest = family.newest.beat if family.newest else None
        return self.reach if newest is None or newest < self.reach else None

    def _add_growth(self, family: _FamilyTally, document: HeartbeatDocument, *, malformed: bool) -> None:
        age = self.now - document.created
        if age <= DAY:
            family.last_day += 1
            family.last_hour += age <= HOUR
            if malformed:
                family.malformed_last_day += 1
                family.malformed_last_hour += age <= HOUR
                family.malformed_lately += age <= BACK
                if self._is_doubtful(document):
                    family.doubtful[document.created] = family.doubtful.get(document.created, 0) + 1
        if malformed:
            self._add_sample(family, document)

    def _is_doubtful(self, document: HeartbeatDocument) -> bool:
        """Whether its heartbeat is not of the time since it was created: perhaps it was only moved back then."""
        beat = document.beat
        return beat is None or not document.created - CLOCK_SKEW <= beat <= self.now + CLOCK_SKEW

    def _add_sample(self, family: _FamilyTally, document: HeartbeatDocument) -> None:
        if family.newest_malformed is not None and document.created <= family.newest_malformed.created:
            return
        if not self._is_doubtful(document):
            family.newest_malformed = self._kept(family, document)
        elif family.newest_doubtful is None or document.created > family.newest_doubtful.created:
            family.newest_doubtful = self._kept(family, document)

    def _add_beat(self, family: _FamilyTally, document: HeartbeatDocument) -> None:
        if document.updated > family.written:
            family.written, family.written_at_once = document.updated, 1
        elif document.updated == family.written:
            family.written_at_once += 1
        if document.beat is None:
            family.unparsable += 1
            family.unparsable_sample = family.unparsable_sample or self._kept(family, document)
        elif document.beat > self.now + CLOCK_SKEW:
            family.future += 1
            if family.future_sample is None or document.beat > (family.future_sample.beat or 0):
                family.future_sample = self._kept(family, document)
        elif family.newest is None or _is_newer(document, family.newest):
            family.newest = self._kept(family, document)

    def _kept(self, family: _FamilyTally, document: HeartbeatDocument) -> HeartbeatDocument:
        """A document to keep. Its details wait until few others can replace it, but whole messages do not pile up."""
        if not family.waits and document.unread is not None:
            if len(self._waiting) >= _MOST_WAITING:
                self._read_details()
            family.waits = True
            self._waiting.append(family)
        return document

    def _read_details(self) -> None:
        for family in self._waiting:
            family.read_details(self.details)
        self._waiting.clear()

    def _family_evidence(self, name: str, tally: _FamilyTally) -> Family:
        family = self._evidence(name, tally)
        if not tally.unmarked or tally.total > 1 or tally.unmarked in self._families:
            return family
        # The only document of its writer is canonical under its own id.
        right = {"canonical": 1, "malformed": 0, "malformed_last_hour": 0, "malformed_last_day": 0}
        growth = {"malformed_growth": 0 if self._ranges else None, "newest_malformed": None}
        return family.model_copy(update={"processor": tally.unmarked, **right, **growth})

    def _evidence(self, name: str, tally: _FamilyTally) -> Family:
        read = not tally.ranges
        dated = read and not tally.unsure
        older_than = self._older_than(tally)
        return Family(
            processor=name,
            canonical=tally.canonical,
            malformed=tally.malformed,
            run_scoped=tally.run_scoped if read else None,
            created_last_hour=tally.last_hour if dated else None,
            created_last_day=tally.last_day if dated else None,
            malformed_last_hour=tally.malformed_last_hour if dated else None,
            malformed_last_day=tally.malformed_last_day if dated else None,
            malformed_growth=tally.growth if self._ranges else None,
            newest=_heartbeat(tally.newest),
            older_than=None if older_than is None else moment(older_than),
            newest_malformed=_heartbeat(_later(tally.newest_malformed, tally.newest_doubtful)),
            future=tally.future,
            future_sample=_heartbeat(tally.future_sample),
            unparsable=tally.unparsable,
            unparsable_sample=_heartbeat(tally.unparsable_sample),
            written=moment(tally.written) if read and tally.written else None,
            written_at_once=tally.written_at_once if read else 0,
        )


def _later(one: HeartbeatDocument | None, other: HeartbeatDocument | None) -> HeartbeatDocument | None:
    """The one that was created later."""
    return max(filter(None, (one, other)), key=lambda document: document.created, default=None)


def _is_newer(document: HeartbeatDocument, than: HeartbeatDocument) -> bool:
    """Whether it bears the newer heartbeat; of equal ones, the one that was stored last, and then by the id."""
    beat, other = document.beat or 0, than.beat or 0
    if beat != other:
        return beat > other
    return (document.updated, document.doc) > (than.updated, than.doc)


def _heartbeat(document: HeartbeatDocument | None) -> Heartbeat | None:
    return heartbeat_of(document) if document else None


def heartbeat_of(document: HeartbeatDocument) -> Heartbeat:
    """A listed document as evidence."""
    return Heartbeat(
        doc=document.doc,
        last_heartbeat=None if document.beat is None else moment(document.beat),
        unparsable=document.unparsable,
        created_at=moment(document.created),
        updated_at=moment(document.updated),
        revision=document.revision,
        commit=document.commit,
        name=document.name,
        status=document.status,
        started_at=None if document.started is None else moment(document.started),
        run_id=document.run_id,
        data_date=document.data_date,
        progress=document.progress,
        total=document.total,
        beats_every=None if document.beats_every is None else timedelta(seconds=document.beats_every),
        names_its_build=document.names_its_build,
    )
