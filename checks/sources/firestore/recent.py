"""Reads the heartbeats of a window by one query over ``last_heartbeat``, newest first: its price is what it finds.

The lower bound is a timestamp, and so keeps texts and numbers out of the answer: Firestore compares like with like.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from google.cloud.firestore_v1.types import RunQueryRequest, RunQueryResponse, StructuredQuery, Value

from checks.evidence.recent_heartbeats import RecentMalformed, RecentProcessor
from checks.evidence.snapshot import Gap, Target
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget, ask, patient
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.firestore.calls import NO_FIRESTORE, ROLE
from checks.sources.firestore.census import SOURCE
from checks.sources.firestore.channel import Connection, connect
from checks.sources.firestore.queries import document_of, micros_of, projection, stamp
from checks.sources.firestore.tally import HeartbeatDocument, heartbeat_of
from checks.sources.progress import Progress
from checks.sources.times import micros, moment
from checks.text.plural import counted
from checks.text.show import show
from heartbeat.document_id import Kind, parse

_FIELD: Final = "last_heartbeat"
_REVISIONS: Final = 5
_CHUNK: Final = 256


async def read_recent(
    pipeline: Pipeline, target: Target, since: datetime, most: int, budget: Budget, progress: Progress, *, login: Login
) -> tuple[RecentMalformed | None, tuple[Gap, ...]]:
    """The malformed heartbeats since a moment.

    Args:
        pipeline: whose.
        target: where Firestore is.
        since: where the window begins.
        most: how many heartbeats are read at most; where there are more, that is a gap.
        budget: what the call may take.
        progress: told how far it is.
        login: whose credentials.

    Returns:
        None where nothing could be read; and what could not be read.
    """
    try:
        async with patient(budget, connect(target, login)) as connection:
            reader = _Reader(connection, pipeline, since, most, budget, progress)
            await ask(reader.read, budget, role=ROLE)
    except SourceError as error:
        what = f"recent heartbeats of {show(pipeline.heartbeats.collection)}"
        return None, (Gap(source=SOURCE, reason=f"{what}: {error}", next_step=error.next_step),)
    return reader.told()


@dataclass(slots=True)
class _Reader:
    connection: Connection
    pipeline: Pipeline
    since: datetime
    most: int
    budget: Budget
    progress: Progress
    _until: datetime | None = None
    _seen: list[HeartbeatDocument] = field(default_factory=list[HeartbeatDocument])

    async def read(self) -> None:
        """Read all of it; a retry begins anew."""
        self._seen.clear()
        self._until = None
        self.progress("reading recent heartbeats", 0, None)
        async with self.budget.patience() as patience:
            stream = await self.connection.api.run_query(
                self._request(), retry=None, timeout=self.budget.deadline(), metadata=self.connection.metadata
            )
            async for response in stream:
                self._take(RunQueryResponse.pb(response))
                if len(self._seen) % _CHUNK == 0:
                    self.budget.extend(patience)
        if self._until is None:
            raise SourceError("the server ended the stream without a read time", NO_FIRESTORE)

    def _take(self, answer: Any) -> None:  # noqa: ANN401 - protobuf's own classes are made at run time
        if self._until is None and answer.read_time.seconds > 0:
            self._until = moment(micros_of(answer.read_time))
        if answer.document.name:
            self._seen.append(document_of(answer.document))

    def _request(self) -> RunQueryRequest:
        beat = StructuredQuery.FieldReference(field_path=_FIELD)
        operator, direction = StructuredQuery.FieldFilter.Operator, StructuredQuery.Direction
        bound = Value(timestamp_value=stamp(micros(self.since)))
        query = StructuredQuery(
            from_=[StructuredQuery.CollectionSelector(collection_id=self.pipeline.heartbeats.collection)],
            select=projection(),
            where=StructuredQuery.Filter(
                field_filter=StructuredQuery.FieldFilter(field=beat, op=operator.GREATER_THAN_OR_EQUAL, value=bound)
            ),
            order_by=[StructuredQuery.Order(field=beat, direction=direction.DESCENDING)],
            limit=self.most + 1,
        )
        return RunQueryRequest(parent=f"{self.connection.target.resource}/documents", structured_query=query)

    def told(self) -> tuple[RecentMalformed, tuple[Gap, ...]]:
        """What was read, and a gap where there is more."""
        heartbeats, whole = self.pipeline.heartbeats, len(self._seen) <= self.most
        seen = self._seen[: self.most]
        families: dict[str, list[HeartbeatDocument]] = {}
        for document in seen:
            if document.doc not in heartbeats.registered and (read := parse(document.doc)).kind is not Kind.CANONICAL:
                families.setdefault(read.family, []).append(document)
        processors = [self._processor(name, own) for name, own in families.items()]
        found = RecentMalformed(
            collection=f"{self.connection.target.resource}/documents/{heartbeats.collection}",
            since=self.since,
            until=self._until or self.since,
            scanned=len(seen),
            malformed=sum(each.malformed for each in processors),
            processors=tuple(sorted(processors, key=lambda each: (-each.malformed, each.processor))),
            complete=whole,
            billed_reads=max(1, len(self._seen)),
        )
        reason = f"more than {counted(self.most, 'heartbeat')} in the window; the newest of them were read"
        more = Gap(source=SOURCE, reason=reason, next_step="look at a shorter window, or count all of them")
        return found, () if whole else (more,)

    def _processor(self, name: str, own: list[HeartbeatDocument]) -> RecentProcessor:
        revisions = dict.fromkeys(each.revision for each in own if each.revision)
        return RecentProcessor(
            processor=name,
            malformed=len(own),
            created=_created(own, micros(self.since)),
            newest=heartbeat_of(own[0]),
            revisions=tuple(revisions)[:_REVISIONS],
            service=self.pipeline.heartbeats.services.get(name),
        )


def _created(documents: Iterable[HeartbeatDocument], since: int) -> int:
    return sum(each.created >= since for each in documents)
