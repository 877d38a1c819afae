"""Tries what a census needs of Firestore: to count and to read a document, of at most one; and compares the clocks."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from google.cloud.firestore_v1.types import (
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    RunQueryRequest,
    RunQueryResponse,
    StructuredAggregationQuery,
    StructuredQuery,
)
from google.protobuf.timestamp_pb2 import Timestamp

from checks.evidence.permission_checks import MOST_SKEW, Permission, PermissionCheck, PermissionResult
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget, patient
from checks.sources.errors import SourceError
from checks.sources.firestore.calls import ROLE
from checks.sources.firestore.census import SOURCE
from checks.sources.firestore.channel import GOOGLE, Connection, connect
from checks.sources.source import PermissionRequest, Permissions
from checks.text.show import show

_NO_FIRESTORE: Final = "check that the address is a Firestore's, or its emulator's"
_SET_THE_CLOCK: Final = "timedatectl set-ntp true"


async def check(request: PermissionRequest) -> Permissions:
    """Both reads, and the clock.

    Raises:
        SourceError: the way there could not be opened.
    """
    pipeline, checker = request.pipeline, request.checker
    async with patient(checker.budget(), connect(request.target, checker.login)) as connection:
        reads = _Reads(connection, pipeline.heartbeats.collection, pipeline.heartbeats.fields.time)
        count, document = await asyncio.gather(
            checker.attempt(_want(pipeline, "count", "datastore.entities.list"), reads.count),
            checker.attempt(_want(pipeline, "read one document of", "datastore.entities.get"), reads.document),
        )
    skew = min(reads.skews, key=abs, default=None)
    return Permissions(checks=(count.check, document.check, _clock(skew)), skew=skew)


@dataclass(slots=True)
class _Reads:
    """The two reads. Each notes how far the clocks are apart."""

    connection: Connection
    collection: str
    time: str
    skews: list[float] = field(default_factory=list[float])

    async def count(self, budget: Budget) -> None:
        """Count up to one document."""
        aggregation = StructuredAggregationQuery.Aggregation
        request = RunAggregationQueryRequest(
            parent=self._parent,
            structured_aggregation_query=StructuredAggregationQuery(
                structured_query=self._one(),
                aggregations=[aggregation(alias="total", count=aggregation.Count())],
            ),
        )
        await self._ask(self.connection.api.run_aggregation_query, request, RunAggregationQueryResponse, budget)

    async def document(self, budget: Budget) -> None:
        """Read one document, of its fields no more than one."""
        query = self._one()
        query.select = StructuredQuery.Projection(fields=[StructuredQuery.FieldReference(field_path=self.time)])
        request = RunQueryRequest(parent=self._parent, structured_query=query)
        await self._ask(self.connection.api.run_query, request, RunQueryResponse, budget)

    async def _ask(self, method: Callable[..., Any], request: object, answers: Any, budget: Budget) -> None:  # noqa: ANN401 - Google's
        asked, read_time = datetime.now(UTC), None
        stream = await method(request, retry=None, timeout=budget.deadline(), metadata=self.connection.metadata)
        async for response in stream:
            read_time = _read_time(answers.pb(response).read_time) or read_time
        if read_time is None:
            raise SourceError("the answer bears no read time", _NO_FIRESTORE)
        self.skews.append(_skew(asked, read_time, datetime.now(UTC)))

    def _one(self) -> StructuredQuery:
        return StructuredQuery(
            from_=[StructuredQuery.CollectionSelector(collection_id=self.collection)],
            limit=1,
        )

    @property
    def _parent(self) -> str:
        return f"{self.connection.target.resource}/documents"


def _want(pipeline: Pipeline, verb: str, permission: str) -> Permission:
    project = pipeline.heartbeat_project
    return Permission(
        source=SOURCE,
        what=f"{verb} {show(pipeline.heartbeats.collection)}",
        permission=permission,
        role=ROLE,
        api=GOOGLE,
        project=project,
        elsewhere=f"gcloud firestore databases list --project {project}, and name one under [heartbeats]",
    )


def _skew(asked: datetime, read_time: datetime, answered: datetime) -> float:
    """Seconds that this machine is ahead, as far as the way there and back cannot explain them."""
    return max((asked - read_time).total_seconds(), 0.0) - max((read_time - answered).total_seconds(), 0.0)


def _clock(skew: float | None) -> PermissionCheck:
    what = "compare this machine's clock with Firestore's"
    if skew is None:
        reason, mend = "Firestore gave no read time", "mend what is wrong with Firestore; it tells the time then"
        return PermissionCheck(source="clock", what=what, result=PermissionResult.UNKNOWN, reason=reason, mend=mend)
    if abs(skew) <= MOST_SKEW:
        return PermissionCheck(source="clock", what=what, result=PermissionResult.OK)
    reason = f"this machine's clock is {abs(skew):,.0f} s {'ahead of' if skew > 0 else 'behind'} Firestore's"
    return PermissionCheck(
        source="clock", what=what, result=PermissionResult.FAILED, reason=reason, mend=_SET_THE_CLOCK
    )


def _read_time(stamp: Timestamp) -> datetime | None:
    return stamp.ToDatetime(UTC) if 0 < stamp.seconds < _END_OF_TIME else None


_END_OF_TIME: Final = 253_402_300_800  # the year 10000
