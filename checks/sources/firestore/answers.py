"""What Firestore must say for an answer to count: a broken proxy, a replay or a wrong emulator says something else.

Documents are of the collection that was asked, each of them once, in the order and the range of the query, as of the
moment asked for. Anything else is an error, and so a gap: nothing is concluded from an answer to another question.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from checks.sources.errors import SourceError
from checks.sources.firestore.document_fields import MOMENTS, DocumentFields, micros_of
from checks.sources.firestore.queries import CollectionPlace, DocumentQuery, Ids
from checks.sources.firestore.tally import HOUR, HeartbeatDocument
from checks.sources.times import Micros, moment
from checks.text.duration import format_duration
from checks.text.plural import counted
from checks.text.show import show

NO_FIRESTORE: Final = "check that the address is a Firestore's, or its emulator's"
NOT_BETWEEN: Final = "look for a proxy, a cache or a replay between here and Firestore: it changes answers"
APART: Final = timedelta(hours=1)
"""How far Firestore's time may be from this machine's. Clocks drift by minutes; another answer is not of now."""
PRACTICE_CLOCK: Final = "practice-clock"
"""The header in which the practice cloud says what its clock says."""

_NUMBERED: Final = re.compile(r"__id(-?\d+)__")


@dataclass(slots=True)
class AnswerReader:
    """Reads the documents of one answer, one after another, and refuses what was not asked for.

    Attributes:
        place: the collection that was asked.
        query: what was asked.
    """

    place: CollectionPlace
    query: DocumentQuery
    _seen: int = 0
    _last: HeartbeatDocument | None = None
    _collection: str = field(init=False)
    _fields: DocumentFields = field(init=False)
    _most: float = field(init=False)

    def __post_init__(self) -> None:
        self._collection, self._fields = self.place.name, self.place.fields
        self._most = math.inf if self.query.limit is None else self.query.limit

    def read(self, raw: Any, at: Micros) -> HeartbeatDocument:  # noqa: ANN401 - protobuf's own classes are made at run time
        """The next document.

        Args:
            raw: Firestore's message.
            at: the moment that the answer is of.

        Raises:
            SourceError: it is none of those that were asked for.
        """
        document = read_document(self._fields, self._collection, raw, at)
        last, self._last = self._last, document
        self._seen += 1
        if self._seen > self._most:
            raise SourceError(f"more than the {self._most:,} documents came that were asked for", NOT_BETWEEN)
        ids = self.query.ids
        if ids is None:
            self._check_beat(document, last or self.query.after)
        elif last is None or last.doc >= document.doc or (ids.high is not None and document.doc >= ids.high):
            check_next(last.doc if last else None, document.doc, ids)
        return document

    def _check_beat(self, document: HeartbeatDocument, last: HeartbeatDocument | None) -> None:
        query, beat = self.query, document.beat
        if (
            beat is None
            or (query.since is not None and beat <= query.since)
            or (query.until is not None and beat > query.until)
        ):
            raise SourceError("a heartbeat came that is not of the time asked for", NOT_BETWEEN)
        if last is not None and last.beat is not None and (beat, document.doc) >= (last.beat, last.doc):
            raise SourceError("the newest heartbeats came in no order, or twice", NOT_BETWEEN)


def read_document(fields: DocumentFields, collection: str, raw: Any, at: Micros) -> HeartbeatDocument:  # noqa: ANN401 - as above
    """A document of a collection, by its full name, as of a moment.

    Raises:
        SourceError: it is of another collection, or was written after that moment.
    """
    name = raw.name
    parent, _, document_id = name.rpartition("/")
    if parent != collection or not document_id:
        id_of(collection, name)
    document = fields.read(raw, document_id)
    if not 0 < document.created <= document.updated <= at:
        raise SourceError(f"{show(document.doc, limit=200)} was created or updated after it was read", NOT_BETWEEN)
    return document


def id_of(collection: str, name: str) -> str:
    """The id of a document by its full name.

    Args:
        collection: the full name of the collection that was asked.
        name: what the document is called in the answer.

    Raises:
        SourceError: it is of another collection.
    """
    parent, _, document_id = name.rpartition("/")
    if parent != collection or not document_id:
        raise SourceError(f"a document came that is not of {collection}: {show(name, limit=200)}", NOT_BETWEEN)
    return document_id


def check_next(last: str | None, document_id: str, ids: Ids) -> None:
    """Check that a document comes next in a listing of a range.

    Raises:
        SourceError: it came before, or should have, or is not of the range.
    """
    if last is None:
        _check_range(document_id, ids)
    elif not (last < document_id and (ids.high is None or document_id < ids.high)):
        _check_order(last, document_id, ids)


def read_all(names: list[str], answers: list[Any], read: Callable[[Any], HeartbeatDocument]) -> list[HeartbeatDocument]:
    """The documents that exist of those that were asked for by name.

    Raises:
        SourceError: one was not told of, or told of twice, or was not asked for.
    """
    told = sorted(answer.found.name or answer.missing for answer in answers)
    if told != sorted(names):
        other = next((each for each in told if each not in set(names)), None)
        what = f"{show(other, limit=200)} was told of" if other else f"{counted(len(told), 'answer')} came"
        raise SourceError(
            f"{counted(len(names), 'document was', 'documents were')} asked for by name, and {what}", NOT_BETWEEN
        )
    return [read(answer) for answer in answers if answer.found.name]


def total_of(answers: list[Any], up_to: int | None) -> int:
    """The number in an answer to a count.

    Raises:
        SourceError: there is none, or more than one, or one that nobody can count.
    """
    fields = [answer.result.aggregate_fields for answer in answers if answer.result.aggregate_fields]
    total = fields[0]["total"] if len(fields) == 1 and "total" in fields[0] else None  # to look is to make, in a map
    number = total.integer_value if total is not None and total.HasField("integer_value") else None
    if number is None or number < 0:
        raise SourceError(f"the answer holds no total ({number})", NO_FIRESTORE)
    if up_to is not None and number > up_to:
        raise SourceError(f"{number:,} were counted where at most {up_to:,} were asked for", NOT_BETWEEN)
    return number


def check_moment(read_time: Timestamp, asked: Timestamp | None, first: Timestamp | None) -> None:
    """Check the moment that an answer is of.

    Args:
        read_time: what it says.
        asked: the moment that the request named.
        first: what an answer before it said, where the request named none. Then they may be some moments apart.

    Raises:
        SourceError: it is of another moment than it should be.
    """
    at = micros_of(read_time)
    if at not in MOMENTS:
        raise SourceError("the answer bears a read time that is none", NO_FIRESTORE)
    due = asked or first
    if due is not None and abs(at - micros_of(due)) > (0 if asked else HOUR):
        was = moment(micros_of(due))
        raise SourceError(
            f"the answer is as of {moment(at):%Y-%m-%d %H:%M:%S} and not {was:%Y-%m-%d %H:%M:%S}", NOT_BETWEEN
        )


def untimely(now: Micros, here: datetime | None) -> SourceError | None:
    """Why an answer is not of now, where its moment is far from that of a clock.

    Args:
        now: the moment that the answer is of.
        here: what the clock says; this machine's is asked unless given.
    """
    apart = (here or datetime.now(UTC)) - moment(now)
    if abs(apart) <= APART:
        return None
    off = f"{format_duration(abs(apart), units=1)} {'before' if apart > timedelta() else 'after'} this machine's time"
    return SourceError(
        f"the answers are as of {moment(now):%Y-%m-%d %H:%M} UTC, {off}",
        "compare the clocks with validate-daily doctor; if this machine's is right, something replays old answers",
    )


async def practice_time(stream: Any) -> datetime | None:  # noqa: ANN401 - Google types it for every kind of call at once
    """What a practice cloud's own clock says, where it tells: it can be set ahead. Ask only practice."""
    told = {str(key): str(value) for key, value in await stream.initial_metadata() or ()}
    try:
        return datetime.fromisoformat(told[PRACTICE_CLOCK])
    except (KeyError, ValueError):
        return None


def _check_range(document_id: str, ids: Ids) -> None:
    low = ids.low is None or (_key(document_id) > _key(ids.low) if ids.after else _key(document_id) >= _key(ids.low))
    if not low or (ids.high is not None and _key(document_id) >= _key(ids.high)):
        raise SourceError(f"{show(document_id, limit=200)} is not in the range that was asked for", NOT_BETWEEN)


def _check_order(last: str, document_id: str, ids: Ids) -> None:
    if last == document_id:
        raise SourceError(f"{show(document_id, limit=200)} came twice", NOT_BETWEEN)
    if _key(last) > _key(document_id):
        raise SourceError(f"{show(document_id, limit=200)} came out of order", NOT_BETWEEN)
    _check_range(document_id, ids)


def _key(document_id: str) -> tuple[int, int, str]:
    """What Firestore orders ids by: numbers that Datastore gave before all texts, and these by their UTF-8 bytes."""
    numbered = _NUMBERED.fullmatch(document_id)
    return (0, int(numbered[1]), "") if numbered else (1, 0, document_id)
