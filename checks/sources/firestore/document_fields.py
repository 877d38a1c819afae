"""The fields of a heartbeat document that are judged: how Firestore is asked for them, and how they are read.

A document may hold anything under these names. What has the wrong type, or is too long for what it should be, is None.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

from google.cloud.firestore_v1.types import DocumentMask, StructuredQuery
from google.protobuf.timestamp_pb2 import Timestamp

from checks.settings.heartbeat_fields import HeartbeatFields, segments
from checks.sources.firestore.tally import HeartbeatDocument
from checks.sources.times import Micros
from checks.text.show import show

_DATA_DATE: Final = "data_date"
_PROGRESS: Final = "progress"
_TOTAL: Final = "total"
_BEATS_EVERY: Final = "beats_every"
_WRITER: Final = ("revision", "commit")
_WRITER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

_LONGEST_NAME: Final = 1_500
_LONGEST_TEXT: Final = 500
"""Characters that our own library stores of one text."""
_LONGEST_INTERVAL: Final = 31 * 86_400.0
"""Seconds. Whoever promises a beat more seldom than once a month promises nothing that could be watched."""
MOMENTS: Final = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
"""The years 1 to 9999, which is what a timestamp can hold."""

_Message = Any
"""One of protobuf's own classes, which are made at run time: no type checker can see them."""


class _Where(NamedTuple):
    """A field: its path as Firestore's requests have it, and the names that it leads through."""

    path: str
    way: tuple[str, ...]

    @classmethod
    def of(cls, path: str) -> Self:
        return cls(path, segments(path))


@dataclass(frozen=True, slots=True)
class DocumentFields:
    """Where one pipeline's documents hold what is judged."""

    time: _Where
    status: _Where
    name: _Where
    started: _Where
    run_id: _Where
    absent: str

    @classmethod
    def of(cls, fields: HeartbeatFields) -> Self:
        """As the settings name them."""
        return cls(
            *(_Where.of(path) for path in (fields.time, fields.status, fields.name, fields.started, fields.run_id)),
            absent=f"there is no {show(fields.time)}",
        )

    @property
    def paths(self) -> list[str]:
        """All of them, as a request names them; none lies within another."""
        named = [self.time, self.status, self.name, self.started, self.run_id]
        own = [_Where.of(each) for each in (*_WRITER, _DATA_DATE, _PROGRESS, _TOTAL, _BEATS_EVERY)]
        ways = {each.way: each.path for each in (*own, *named)}
        return [path for way, path in ways.items() if not any(way[:depth] in ways for depth in range(1, len(way)))]

    @property
    def projection(self) -> StructuredQuery.Projection:
        """What a query asks for: a projection bills the same as a whole document."""
        return StructuredQuery.Projection(
            fields=[StructuredQuery.FieldReference(field_path=path) for path in self.paths]
        )

    @property
    def mask(self) -> DocumentMask:
        """The same, for documents that are got by name."""
        return DocumentMask(field_paths=self.paths)

    def read(self, document: _Message, document_id: str) -> HeartbeatDocument:
        """Read what every document is asked for. ``details`` reads the rest, of the few that are kept."""
        fields = document.fields
        value = _find(fields, self.time.way)
        beat: Micros | None = None
        unparsable: str | None = None
        if value is None:
            unparsable = self.absent
        elif (kind := value.WhichOneof("value_type")) == "timestamp_value":
            beat = micros_of(value.timestamp_value)
            if beat not in MOMENTS:
                beat, unparsable = None, f"{show(self.time.path)} is outside of the years 1 to 9999"
        else:
            unparsable = f"{show(self.time.path)} is no timestamp but a {str(kind).removesuffix('_value')}"
        return HeartbeatDocument(
            document_id,
            beat,
            unparsable,
            micros_of(document.create_time),
            micros_of(document.update_time),
            unread=fields,
        )

    def name_of(self, document: _Message) -> str | None:
        """What a document calls its writer."""
        return self._name_in(document.fields)

    def _name_in(self, fields: _Message) -> str | None:
        name = _find(fields, self.name.way)
        return None if name is None else _text(name, _LONGEST_NAME)

    def details(self, document: HeartbeatDocument) -> HeartbeatDocument:
        """A document with all that is judged, which holds on to no message of Firestore."""
        fields = document.unread
        if fields is None:
            return document
        writer = [fields.get(name) for name in _WRITER]
        texts = [_find(fields, each.way) for each in (self.status, self.run_id)] + [fields.get(_DATA_DATE)]
        status, run_id, data_date = (None if each is None else _text(each, _LONGEST_TEXT) for each in texts)
        revision, commit = (None if each is None else _writer(each) for each in writer)
        return document._replace(
            revision=revision,
            commit=commit,
            name=self._name_in(fields),
            status=status,
            started=_moment(_find(fields, self.started.way)),
            run_id=run_id,
            data_date=data_date,
            progress=_progress(fields.get(_PROGRESS)),
            total=_number(fields.get(_TOTAL)),
            beats_every=_interval(fields.get(_BEATS_EVERY)),
            names_its_build=None not in writer,
            unread=None,
        )


DEFAULT: Final = DocumentFields.of(HeartbeatFields())
"""As our own library writes them."""


def micros_of(timestamp: Timestamp) -> Micros:
    """A moment as Firestore tells it."""
    return timestamp.seconds * 1_000_000 + timestamp.nanos // 1_000


def _find(fields: _Message, way: tuple[str, ...]) -> _Message:
    if len(way) == 1:
        return fields.get(way[0])
    value = None
    for name in way:
        value = fields.get(name)
        if value is None:
            return None
        fields = value.map_value.fields
    return value


def _text(value: _Message, longest: int) -> str | None:
    text = value.string_value
    return text if text and len(text) <= longest else None


def _writer(value: _Message) -> str | None:
    return value.string_value if _WRITER_NAME.fullmatch(value.string_value) else None


def _moment(value: _Message) -> Micros | None:
    if value is None or value.WhichOneof("value_type") != "timestamp_value":
        return None
    moment = micros_of(value.timestamp_value)
    return moment if moment in MOMENTS else None


def _number(value: _Message) -> float | None:
    if value is None:
        return None
    kind = value.WhichOneof("value_type")
    if kind == "integer_value":
        return value.integer_value
    return value.double_value if kind == "double_value" and math.isfinite(value.double_value) else None


def _progress(value: _Message) -> float | str | None:
    if value is None:
        return None
    return _text(value, _LONGEST_TEXT) or _number(value)


def _interval(value: _Message) -> float | None:
    seconds = _number(value)
    return seconds if seconds is not None and 0 < seconds <= _LONGEST_INTERVAL else None
