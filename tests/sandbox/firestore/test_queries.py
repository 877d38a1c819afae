"""Random small collections and queries: the practice cloud and the official emulator give the same answer."""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from typing import Any, Final

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1 import types as t
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from validate_daily.sandbox import running

Query = t.StructuredQuery
Op = Query.FieldFilter.Operator
Unary = Query.UnaryFilter.Operator
NAME: Final = "__name__"
SERIAL: Final = count()

_numbers = st.sampled_from([-1, 0, 1, 2**53 + 1]).map(lambda each: t.Value(integer_value=each))
_doubles = st.sampled_from([-0.0, 0.0, 0.5, 1.0, math.inf, math.nan, 2.0**53]).map(
    lambda each: t.Value(double_value=each)
)
_texts = st.sampled_from(["", "a", "b", "\U0001f480", "ﬀ"]).map(lambda each: t.Value(string_value=each))
_times = st.sampled_from([0, 5]).map(lambda each: t.Value(timestamp_value={"seconds": each}))
_others = st.sampled_from(
    [t.Value(null_value=0), t.Value(boolean_value=True), t.Value(boolean_value=False), t.Value(bytes_value=b"\x80")]
)
_scalars = _numbers | _doubles | _texts | _times | _others
_arrays = st.lists(_scalars, max_size=2).map(lambda each: t.Value(array_value=t.ArrayValue(values=each)))
_maps = st.dictionaries(st.sampled_from(["k", "l"]), _scalars, max_size=2).map(
    lambda each: t.Value(map_value=t.MapValue(fields=each))
)
_values = _scalars | _arrays | _maps
_ids = st.sampled_from(["A", "A_None_1", "a", "é", "ﬀ", "\U0001f480", "b"])
_collections = st.dictionaries(_ids, st.dictionaries(st.sampled_from(["x", "y"]), _values, max_size=2), max_size=7)


class Both:
    """The same commits and queries for two Firestores."""

    def __init__(self, stack: ExitStack, addresses: Iterable[str], project: str) -> None:
        self.database = f"projects/{project}/databases/(default)"
        self._clients: list[Any] = [
            FirestoreClient(transport=FirestoreGrpcTransport(channel=stack.enter_context(grpc.insecure_channel(each))))
            for each in addresses
        ]
        self._metadata = [("authorization", "Bearer owner"), ("google-cloud-resource-prefix", self.database)]

    def path(self, collection: str, document_id: str = "") -> str:
        return f"{self.database}/documents/{collection}/{document_id}"

    def fill(self, collection: str, documents: Mapping[str, Mapping[str, t.Value]]) -> None:
        writes = [
            t.Write(update=t.Document(name=self.path(collection, document_id), fields=fields))
            for document_id, fields in documents.items()
        ]
        for client in self._clients:
            client.commit(request=t.CommitRequest(database=self.database, writes=writes), metadata=self._metadata)

    def ask(self, query: Query) -> list[list[str] | str]:
        """The ids that each Firestore answers with, or the words in which it refuses."""
        request = t.RunQueryRequest(parent=f"{self.database}/documents", structured_query=query)
        return [self._ids(client, request) for client in self._clients]

    def _ids(self, client: Any, request: t.RunQueryRequest) -> list[str] | str:
        try:
            responses = list(client.run_query(request=request, metadata=self._metadata, retry=None, timeout=10))
        except (exceptions.InvalidArgument, exceptions.FailedPrecondition) as error:
            return str(error)
        return [response.document.name.rpartition("/")[2] for response in responses if response.document.name]


@pytest.fixture(scope="module")
def firestores(emulator: str, worker_id: str) -> Iterator[Both]:
    with ExitStack() as stack:
        sandbox = stack.enter_context(running("healthy"))
        yield Both(stack, [sandbox.firestore_address, emulator], f"random-{worker_id}-{next(SERIAL)}")


def _is_comparable(value: t.Value) -> bool:
    return "null_value" not in value and not math.isnan(value.double_value)


@st.composite
def _filters(draw: st.DrawFn) -> Query.Filter:
    field = Query.FieldReference(field_path=draw(st.sampled_from(["x", "y", "x.k"])))
    if draw(st.integers(0, 5)) == 0:
        return Query.Filter(unary_filter=Query.UnaryFilter(field=field, op=draw(st.sampled_from(list(Unary)[1:]))))
    op = draw(st.sampled_from([Op.EQUAL, Op.NOT_EQUAL, Op.LESS_THAN, Op.LESS_THAN_OR_EQUAL, Op.GREATER_THAN,
                               Op.GREATER_THAN_OR_EQUAL, Op.IN]))  # fmt: skip
    # A range that ends at NaN or null holds nothing, which the emulator says before it looks at the rest of the query.
    value = draw(_values if op in {Op.EQUAL, Op.NOT_EQUAL} else _values.filter(_is_comparable))
    if op == Op.IN:
        value = t.Value(array_value=t.ArrayValue(values=draw(st.lists(_scalars, min_size=1, max_size=3))))
    return Query.Filter(field_filter=Query.FieldFilter(field=field, op=op, value=value))


@st.composite
def _queries(draw: st.DrawFn) -> Query:
    """Queries, most of which automatic indexes answer; the practice cloud refuses the others, as production does."""
    filters = draw(st.lists(_filters(), max_size=2))
    operator = Query.CompositeFilter.Operator.AND
    query = Query(limit=draw(st.none() | st.integers(0, 4)), offset=draw(st.integers(0, 2)))
    if filters:
        query.where = Query.Filter(composite_filter=Query.CompositeFilter(op=operator, filters=filters))
    if draw(st.booleans()):
        direction = draw(st.sampled_from([Query.Direction.ASCENDING, Query.Direction.DESCENDING]))
        path = draw(st.sampled_from(["x", "y", NAME]))
        query.order_by = [Query.Order(field=Query.FieldReference(field_path=path), direction=direction)]
        if path != NAME and draw(st.booleans()):
            query.start_at = t.Cursor(values=[draw(_values)], before=draw(st.booleans()))
        if path != NAME and draw(st.booleans()):
            query.end_at = t.Cursor(values=[draw(_values)], before=draw(st.booleans()))
    return query


@pytest.mark.emulator
@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(documents=_collections, queries=st.lists(_queries(), min_size=3, max_size=6))
def test_queries_have_the_same_results(
    firestores: Both, documents: dict[str, dict[str, t.Value]], queries: list[Query]
) -> None:
    collection = f"c{next(SERIAL)}"
    if documents:
        firestores.fill(collection, documents)
    for query in queries:
        query.from_ = [Query.CollectionSelector(collection_id=collection)]
        mine, theirs = firestores.ask(query)
        wants_index = isinstance(mine, str) and "requires an index" in mine
        assert wants_index or mine == theirs
