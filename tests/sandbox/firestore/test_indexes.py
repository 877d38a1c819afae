"""What production refuses for want of a composite index, and the official emulator answers."""

import pytest
from google.cloud.firestore_v1 import types as t

from validate_daily.sandbox.errors import RefusedError
from validate_daily.sandbox.firestore.messages import StructuredQuery
from validate_daily.sandbox.firestore.queries import indexes, plan

Query = t.StructuredQuery
Op = Query.FieldFilter.Operator
NAME = "__name__"
DOWN = Query.Direction.DESCENDING
ONE = t.Value(integer_value=1)
DOCUMENT = t.Value(reference_value="projects/p/databases/(default)/documents/c/a")


def where(*filters: tuple[str, Op]) -> Query.Filter:
    parts = [
        Query.Filter(
            field_filter=Query.FieldFilter(
                field=Query.FieldReference(field_path=path), op=op, value=DOCUMENT if path == NAME else ONE
            )
        )
        for path, op in filters
    ]
    return Query.Filter(composite_filter=Query.CompositeFilter(op=Query.CompositeFilter.Operator.AND, filters=parts))


def by(*paths: str) -> list[Query.Order]:
    """An order; a minus before a path turns it around."""
    return [
        Query.Order(
            field=Query.FieldReference(field_path=path.removeprefix("-")),
            direction=DOWN if path.startswith("-") else Query.Direction.ASCENDING,
        )
        for path in paths
    ]


def judge(asked: Query) -> None:
    asked.from_ = [Query.CollectionSelector(collection_id="c")]
    indexes.require(plan.read("", StructuredQuery.FromString(Query.serialize(asked))))


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(Query(), id="everything"),
        pytest.param(Query(order_by=by(NAME)), id="by name"),
        pytest.param(Query(where=where((NAME, Op.GREATER_THAN_OR_EQUAL), (NAME, Op.LESS_THAN))), id="range of names"),
        pytest.param(Query(order_by=by("x")), id="by a field"),
        pytest.param(Query(order_by=by("-x")), id="by a field, down"),
        pytest.param(Query(order_by=by("-x", "-__name__")), id="by a field and the name, both down"),
        pytest.param(Query(where=where(("x", Op.GREATER_THAN)), order_by=by("-x")), id="range by its own field"),
        pytest.param(Query(where=where(("x", Op.NOT_EQUAL))), id="not equal"),
        pytest.param(Query(where=where(("x", Op.EQUAL), ("y", Op.EQUAL))), id="two equalities"),
        pytest.param(Query(where=where(("x", Op.EQUAL), (NAME, Op.GREATER_THAN))), id="equality and a range of names"),
        pytest.param(Query(where=where(("x", Op.EQUAL)), order_by=by("x")), id="by the field that is equal"),
        pytest.param(Query(where=where(("x", Op.EQUAL)), order_by=by("-__name__")), id="equality, names down"),
    ],
)
def test_automatic_indexes_answer(asked: Query) -> None:
    judge(asked)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        pytest.param(
            Query(where=where(("x", Op.EQUAL)), order_by=by("y")),
            "orders by or ranges over y and filters x",
            id="equality by another",
        ),
        pytest.param(
            Query(where=where(("x", Op.EQUAL), ("y", Op.LESS_THAN))),
            "ranges over y and filters x",
            id="equality and range",
        ),
        pytest.param(
            Query(where=where(("x", Op.LESS_THAN), ("y", Op.GREATER_THAN))), "several fields: x, y", id="two ranges"
        ),
        pytest.param(
            Query(where=where(("x", Op.LESS_THAN)), order_by=by("y")), "several fields: x, y", id="range by another"
        ),
        pytest.param(Query(order_by=by("x", "y")), "several fields: x, y", id="by two fields"),
        pytest.param(Query(order_by=by("x", "-__name__")), "in the other direction", id="two directions"),
        pytest.param(
            Query(where=where((NAME, Op.GREATER_THAN)), order_by=by("x")), "ranges over __name__", id="names by a field"
        ),
    ],
)
def test_a_query_that_needs_a_composite_index_is_refused(asked: Query, reason: str) -> None:
    with pytest.raises(RefusedError, match=f"FAILED_PRECONDITION: The query requires an index. .*{reason}"):
        judge(asked)
