"""The practice cloud's Firestore is the official emulator's: all of this holds for both, through Google's clients."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1 import types as t
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.vector import Vector

if TYPE_CHECKING:
    from tests.sandbox.conftest import Cloud, Untyped

Query = t.StructuredQuery
Op = Query.FieldFilter.Operator
NAME = "__name__"
NAMES_ONLY = Query.Projection(fields=[Query.FieldReference(field_path=NAME)])
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MIB = 1024 * 1024
JUNK = "junk"


def number(value: int) -> t.Value:
    return t.Value(integer_value=value)


def text(value: str) -> t.Value:
    return t.Value(string_value=value)


def by(path: str, *, down: bool = False) -> Query.Order:
    direction = Query.Direction.DESCENDING if down else Query.Direction.ASCENDING
    return Query.Order(field=Query.FieldReference(field_path=path), direction=direction)


def where(path: str, op: Op, value: t.Value) -> Query.Filter:
    field = Query.FieldReference(field_path=path)
    return Query.Filter(field_filter=Query.FieldFilter(field=field, op=op, value=value))


def every(*filters: Query.Filter) -> Query.Filter:
    composite = Query.CompositeFilter(op=Query.CompositeFilter.Operator.AND, filters=filters)
    return Query.Filter(composite_filter=composite)


async def fill(cloud: "Cloud", ids: Sequence[str]) -> t.CommitResponse:
    return await cloud.commit(*(cloud.put(each, x=number(place)) for place, each in enumerate(ids)))


def at(cloud: "Cloud", document_id: str) -> t.Value:
    return t.Value(reference_value=cloud.name(document_id))


async def test_a_listing_of_names_is_in_the_order_of_utf_8_and_holds_no_fields(cloud: "Cloud") -> None:
    ids = ["z", "a", "Z", "\U0001f480", "ﬀ", "é", "a b", "_", "-", "a\x1b[31m", "10", "9"]
    await fill(cloud, ids)
    responses = await cloud.query(Query(select=NAMES_ONLY, order_by=[by(NAME)]))
    assert [response.document.name for response in responses] == [
        cloud.name(each) for each in sorted(ids, key=lambda each: each.encode())
    ]
    assert not any(response.document.fields for response in responses)
    assert all(response.document.update_time for response in responses)


async def test_the_last_response_of_a_query_says_that_it_is_the_last(cloud: "Cloud") -> None:
    await fill(cloud, ["a", "b", "c"])
    responses = await cloud.query(Query())
    assert [response.done for response in responses] == [False, False, True]
    assert all(response.read_time == responses[0].read_time for response in responses)


async def test_an_empty_query_answers_once_with_a_read_time(cloud: "Cloud") -> None:
    (response,) = await cloud.query(Query())
    assert (response.done, response.document.name, bool(response.read_time)) == (True, "", True)


@pytest.mark.parametrize(
    ("before", "start", "end", "found"),
    [
        pytest.param(True, "b", None, "bcde", id="start at"),
        pytest.param(False, "b", None, "cde", id="start after"),
        pytest.param(False, "bb", None, "cde", id="start after what is not there"),
        pytest.param(False, None, "d", "abcd", id="end at"),
        pytest.param(True, None, "d", "abc", id="end before"),
        pytest.param(True, "b", "d", "bc", id="between"),
        pytest.param(False, "d", "b", "", id="between nothing"),
    ],
)
async def test_cursors_cut_a_listing(
    cloud: "Cloud", *, before: bool, start: str | None, end: str | None, found: str
) -> None:
    await fill(cloud, "abcde")
    query = Query(order_by=[by(NAME)])
    if start is not None:
        query.start_at = t.Cursor(values=[at(cloud, start)], before=before)
    if end is not None:
        query.end_at = t.Cursor(values=[at(cloud, end)], before=before)
    assert await cloud.ids(query) == list(found)
    assert await cloud.count(query) == len(found)


async def test_limit_and_offset_take_off_the_ends(cloud: "Cloud") -> None:
    await fill(cloud, "abcde")
    assert await cloud.ids(Query(limit=2)) == ["a", "b"]
    assert await cloud.ids(Query(limit=2, offset=1)) == ["b", "c"]
    assert await cloud.ids(Query(offset=9)) == []
    assert await cloud.ids(Query(limit=0)) == []


async def test_a_range_of_names_is_listed_and_counted(cloud: "Cloud") -> None:
    await fill(cloud, ["A_None_1", "A_None_2", "A_Nona", "B", "A"])
    within = every(
        where(NAME, Op.GREATER_THAN_OR_EQUAL, at(cloud, "A_None_")), where(NAME, Op.LESS_THAN, at(cloud, "A_None`"))
    )
    assert await cloud.ids(Query(where=within)) == ["A_None_1", "A_None_2"]
    assert await cloud.count(Query(where=within)) == 2
    chosen = t.Value(array_value=t.ArrayValue(values=[at(cloud, "B"), at(cloud, "A"), at(cloud, "gone")]))
    assert await cloud.ids(Query(where=where(NAME, Op.IN, chosen))) == ["A", "B"]
    assert await cloud.ids(Query(where=where(NAME, Op.EQUAL, at(cloud, "B")))) == ["B"]


async def test_a_count_stops_where_it_is_told_to(cloud: "Cloud") -> None:
    await fill(cloud, "abcde")
    assert [await cloud.count(Query()), await cloud.count(Query(), up_to=3), await cloud.count(Query(limit=2))] == [
        5,
        3,
        2,
    ]


async def test_reads_of_an_earlier_moment_do_not_see_what_came_later(cloud: "Cloud") -> None:
    await fill(cloud, "abc")
    seen = (await cloud.query(Query()))[0].read_time
    await cloud.commit(cloud.put("a", x=text("changed")), t.Write(delete=cloud.name("b")), cloud.put("d", x=number(1)))
    assert await cloud.ids(Query(), read_time=seen) == ["a", "b", "c"]
    assert await cloud.count(Query(), read_time=seen) == 3
    old = await cloud.call("get_document", t.GetDocumentRequest(name=cloud.name("a"), read_time=seen))
    assert old.fields["x"].integer_value == 0
    assert await cloud.ids(Query()) == ["a", "c", "d"]
    await cloud.commit(cloud.put("b", x=number(7)))
    assert await cloud.ids(Query(), read_time=seen) == ["a", "b", "c"]
    listed = t.ListDocumentsRequest(parent=cloud.root, collection_id="c", read_time=seen)
    assert len((await cloud.call("list_documents", listed)).documents) == 3


@pytest.mark.parametrize(
    ("ahead", "error"),
    [
        pytest.param(timedelta(minutes=5), exceptions.InvalidArgument, id="future"),
        pytest.param(timedelta(days=-8), exceptions.FailedPrecondition, id="too old"),
    ],
)
async def test_a_read_time_out_of_reach_is_refused(
    cloud: "Cloud", ahead: timedelta, error: type[exceptions.GoogleAPICallError]
) -> None:
    await fill(cloud, "a")
    with pytest.raises(error, match="The requested 'read_time'"):
        await cloud.ids(Query(), read_time=datetime.now(UTC) + ahead)


async def test_a_typed_lower_bound_keeps_other_types_out_of_a_descending_read(cloud: "Cloud") -> None:
    stamp = datetime(2026, 1, 27, 3, 47, tzinfo=UTC)
    values = {
        "new": t.Value(timestamp_value=stamp), "old": t.Value(timestamp_value=stamp - timedelta(days=1)),
        "text": text("2026-01-27"), "null": t.Value(null_value=0), "number": number(9),
    }  # fmt: skip
    await cloud.commit(*(cloud.put(each, last_heartbeat=value) for each, value in values.items()), cloud.put("none"))
    path = "last_heartbeat"
    assert await cloud.ids(Query(order_by=[by(path, down=True)])) == ["text", "new", "old", "number", "null"]
    bounded = where(path, Op.GREATER_THAN_OR_EQUAL, t.Value(timestamp_value=LONG_AGO))
    assert await cloud.ids(Query(where=bounded, order_by=[by(path, down=True)], limit=1)) == ["new"]
    assert await cloud.ids(Query(where=bounded)) == ["old", "new"]


async def test_values_are_ordered_across_types(cloud: "Cloud") -> None:
    kind = t.Value
    ordered = [
        kind(null_value=0), kind(boolean_value=False), kind(boolean_value=True), kind(double_value=math.nan),
        kind(double_value=-math.inf), number(-1), kind(double_value=0.5), number(1), kind(timestamp_value=LONG_AGO),
        text(""), text("a"), text("é"), kind(bytes_value=b"\x00"), kind(bytes_value=b"\xff"),
        at(cloud, "a"), at(cloud, "b"), kind(geo_point_value={"latitude": 1, "longitude": 2}),
        kind(array_value=t.ArrayValue()), kind(array_value=t.ArrayValue(values=[number(1)])),
        kind(array_value=t.ArrayValue(values=[number(1), number(0)])), kind(map_value=t.MapValue()),
        kind(map_value=t.MapValue(fields={"a": number(2)})), kind(map_value=t.MapValue(fields={"b": number(1)})),
    ]  # fmt: skip
    await cloud.commit(*(cloud.put(f"{999 - place}", x=value) for place, value in enumerate(ordered)))
    expected = [f"{999 - place}" for place in range(len(ordered))]
    assert await cloud.ids(Query(order_by=[by("x")])) == expected
    assert await cloud.ids(Query(order_by=[by("x", down=True)])) == expected[::-1]


async def test_a_batch_get_answers_for_what_is_missing_too(cloud: "Cloud") -> None:
    await fill(cloud, "ab")
    names = [cloud.name(each) for each in ("a", "gone", "b", "a")]
    responses = await cloud.stream(
        "batch_get_documents", t.BatchGetDocumentsRequest(database=cloud.database, documents=names)
    )
    assert sorted(response.found.name or response.missing for response in responses) == sorted(names[:3])
    assert {response.missing for response in responses} == {"", cloud.name("gone")}


async def test_a_get_with_a_mask_leaves_fields_out_and_keeps_the_times(cloud: "Cloud") -> None:
    done = await cloud.commit(cloud.put("a", x=number(1), y=number(2)))
    mask = t.DocumentMask(field_paths=["y"])
    request = t.BatchGetDocumentsRequest(database=cloud.database, documents=[cloud.name("a")], mask=mask)
    (response,) = await cloud.stream("batch_get_documents", request)
    assert dict(response.found.fields) == {"y": number(2)}
    assert response.found.create_time == response.found.update_time == done.commit_time


async def test_ranges_of_ids_are_counted_as_of_an_earlier_moment(cloud: "Cloud") -> None:
    await fill(cloud, ["A_None_1", "A_None_2", "A_None`", "B_None_1"])
    seen = (await cloud.query(Query()))[0].read_time
    await cloud.commit(cloud.put("A_None_0"), cloud.put("A_None_3"), t.Write(delete=cloud.name("A_None_1")))
    await cloud.commit(t.Write(delete=cloud.name("A_None_3")), cloud.put("A_None_2", x=number(9)))
    low = where(NAME, Op.GREATER_THAN_OR_EQUAL, t.Value(reference_value=cloud.name("A_None_")))
    high = where(NAME, Op.LESS_THAN, t.Value(reference_value=cloud.name("A_None`")))
    both = Query.Filter(composite_filter=Query.CompositeFilter(op=1, filters=[low, high]))
    assert [await cloud.count(Query(where=both)), await cloud.count(Query(where=both), read_time=seen)] == [2, 2]
    await cloud.commit(cloud.put("A_None_4"))
    assert [await cloud.count(Query(where=both)), await cloud.count(Query(where=both), read_time=seen)] == [3, 2]


async def test_documents_are_listed_in_pages_of_one_moment(cloud: "Cloud") -> None:
    await fill(cloud, "abcde")
    request = t.ListDocumentsRequest(parent=cloud.root, collection_id="c", page_size=2)
    pager = await cloud.call("list_documents", request)
    assert [document.name.rpartition("/")[2] async for document in pager] == list("abcde")
    with pytest.raises(exceptions.InvalidArgument, match="invalid page token"):
        await cloud.call(
            "list_documents", t.ListDocumentsRequest(parent=cloud.root, collection_id="c", page_token=JUNK)
        )


async def test_a_listing_can_show_what_exists_only_as_a_parent(cloud: "Cloud") -> None:
    below = t.Document(name=f"{cloud.name('b')}/kept/x")
    await cloud.commit(cloud.put("a"), cloud.put("c"), t.Write(update=below))
    request = t.ListDocumentsRequest(parent=cloud.root, collection_id="c", page_size=2, show_missing=True)
    pager = await cloud.call("list_documents", request)
    found = [(document.name.rpartition("/")[2], bool(document.update_time)) async for document in pager]
    assert found == [("a", True), ("b", False), ("c", True)]


async def test_collections_are_named_while_they_hold_documents(cloud: "Cloud") -> None:
    await cloud.commit(cloud.put("a"), t.Write(update=t.Document(name=f"{cloud.root}/trash/a/kept/b")))
    pager = await cloud.call("list_collection_ids", t.ListCollectionIdsRequest(parent=cloud.root))
    assert "c" in [each async for each in pager]
    below = await cloud.call("list_collection_ids", t.ListCollectionIdsRequest(parent=f"{cloud.root}/trash/a"))
    assert [each async for each in below] == ["kept"]
    assert await cloud.ids(Query()) == ["a"]


async def test_commit_times_increase_and_a_write_that_changes_nothing_keeps_the_version(cloud: "Cloud") -> None:
    first = await cloud.commit(cloud.put("a", x=number(1)))
    second = await cloud.commit(cloud.put("a", x=number(1)))
    third = await cloud.commit(cloud.put("a", x=number(2)))
    committed = cast("list[datetime]", [response.commit_time for response in (first, second, third)])
    assert committed[0] < committed[1] < committed[2]
    times = [response.write_results[0].update_time for response in (first, second, third)]
    assert times == [first.commit_time, first.commit_time, third.commit_time]
    found = await cloud.call("get_document", t.GetDocumentRequest(name=cloud.name("a")))
    assert (found.create_time, found.update_time) == (first.commit_time, third.commit_time)


@pytest.mark.parametrize(
    ("operation", "document_id", "condition", "error"),
    [
        pytest.param("update", "gone", t.Precondition(exists=True), exceptions.NotFound, id="update what is not there"),
        pytest.param("update", "a", t.Precondition(exists=False), exceptions.AlreadyExists, id="create what is there"),
        pytest.param("update", "a", t.Precondition(update_time=LONG_AGO), exceptions.FailedPrecondition, id="stale"),
        pytest.param("update", "gone", t.Precondition(update_time=LONG_AGO), exceptions.FailedPrecondition, id="gone"),
        pytest.param("delete", "gone", t.Precondition(exists=True), exceptions.NotFound, id="delete what is not there"),
        pytest.param("delete", "a", t.Precondition(exists=False), exceptions.AlreadyExists, id="delete if not there"),
        pytest.param(
            "delete", "a", t.Precondition(update_time=LONG_AGO), exceptions.FailedPrecondition, id="stale delete"
        ),
    ],
)
async def test_a_commit_whose_precondition_fails_changes_nothing(
    cloud: "Cloud",
    operation: str,
    document_id: str,
    condition: t.Precondition,
    error: type[exceptions.GoogleAPICallError],
) -> None:
    await fill(cloud, "ab")
    write = t.Write(current_document=condition)
    if operation == "update":
        write.update = cloud.document(document_id, x=number(9))
    else:
        write.delete = cloud.name(document_id)
    moved = t.Write(update=t.Document(name=f"{cloud.root}/trash/b"))
    with pytest.raises(error):
        await cloud.commit(moved, t.Write(delete=cloud.name("b")), write)
    assert await cloud.ids(Query()) == ["a", "b"]
    assert [each.document.name for each in await cloud.query(Query(), collection="trash")] == [""]


async def test_a_move_under_the_right_version_takes_effect_at_once(cloud: "Cloud") -> None:
    done = await fill(cloud, "ab")
    version = t.Precondition(update_time=done.write_results[0].update_time)
    kept = t.Document(name=f"{cloud.root}/trash/a", fields={"x": number(0)})
    await cloud.commit(t.Write(update=kept), t.Write(delete=cloud.name("a"), current_document=version))
    assert await cloud.ids(Query()) == ["b"]
    assert len(await cloud.query(Query(), collection="trash")) == 1


async def test_one_commit_may_write_a_document_twice(cloud: "Cloud") -> None:
    await cloud.commit(cloud.put("a", x=number(1)), cloud.put("a", y=number(2)))
    gone = await cloud.commit(cloud.put("b", x=number(1)), t.Write(delete=cloud.name("b")))
    assert await cloud.ids(Query()) == ["a"]
    assert not any(result.update_time for result in gone.write_results)


async def test_a_mask_merges_and_removes(cloud: "Cloud") -> None:
    nested = t.Value(map_value=t.MapValue(fields={"k": number(1), "odd key": number(2)}))
    await cloud.commit(cloud.put("a", x=number(1), y=number(2), n=nested))
    mask = t.DocumentMask(field_paths=["x", "y", "n.`odd key`"])
    await cloud.commit(t.Write(update=cloud.document("a", x=number(3), ignored=number(4)), update_mask=mask))
    found = await cloud.call("get_document", t.GetDocumentRequest(name=cloud.name("a")))
    assert dict(found.fields) == {"x": number(3), "n": t.Value(map_value=t.MapValue(fields={"k": number(1)}))}
    with pytest.raises(exceptions.InvalidArgument, match="Invalid property path"):
        await cloud.commit(t.Write(update=cloud.document("a"), update_mask=t.DocumentMask(field_paths=["n..k"])))


async def test_a_batch_write_has_a_status_for_each_write(cloud: "Cloud") -> None:
    await fill(cloud, "a")
    request = t.BatchWriteRequest(
        database=cloud.database,
        writes=[
            cloud.put("new", x=number(1)),
            t.Write(delete=cloud.name("gone"), current_document=t.Precondition(exists=True)),
            t.Write(delete=cloud.name("a"), current_document=t.Precondition(update_time=LONG_AGO)),
        ],
    )
    response = await cloud.call("batch_write", request)
    assert [status.code for status in response.status] == [0, 5, 9]
    assert await cloud.ids(Query()) == ["a", "new"]
    twice = t.BatchWriteRequest(database=cloud.database, writes=[cloud.put("a"), cloud.put("a")])
    with pytest.raises(exceptions.InvalidArgument, match="more than once"):
        await cloud.call("batch_write", twice)


async def test_documents_are_created_updated_and_deleted_one_at_a_time(cloud: "Cloud") -> None:
    create = t.CreateDocumentRequest(parent=cloud.root, collection_id="c", document_id="a", document=t.Document())
    assert (await cloud.call("create_document", create)).name == cloud.name("a")
    with pytest.raises(exceptions.AlreadyExists):
        await cloud.call("create_document", create)
    update = t.UpdateDocumentRequest(document=cloud.document("a", x=number(1)))
    assert (await cloud.call("update_document", update)).fields["x"] == number(1)
    with pytest.raises(exceptions.NotFound):
        await cloud.call(
            "delete_document",
            t.DeleteDocumentRequest(name=cloud.name("gone"), current_document=t.Precondition(exists=True)),
        )
    await cloud.call("delete_document", t.DeleteDocumentRequest(name=cloud.name("a")))
    with pytest.raises(exceptions.NotFound, match=r"Document \(.*\) not found"):
        await cloud.call("get_document", t.GetDocumentRequest(name=cloud.name("a")))


@pytest.mark.parametrize(
    "document_id",
    [
        pytest.param("i" * 1_501, id="1,501 bytes"),
        pytest.param("é" * 751, id="1,502 bytes of two each"),
        pytest.param(".", id="dot"),
        pytest.param("..", id="two dots"),
        pytest.param("__reserved__", id="reserved"),
        pytest.param("", id="empty"),
    ],
)
async def test_an_id_that_firestore_does_not_allow_is_refused(cloud: "Cloud", document_id: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await cloud.commit(cloud.put(document_id))


async def test_the_longest_id_is_stored(cloud: "Cloud") -> None:
    await fill(cloud, ["i" * 1_500])
    assert await cloud.ids(Query()) == ["i" * 1_500]


async def test_limits_of_size_and_depth_are_the_same(cloud: "Cloud") -> None:
    await cloud.commit(cloud.put("a", x=t.Value(bytes_value=bytes(1_048_400))))
    with pytest.raises(exceptions.InvalidArgument):
        await cloud.commit(cloud.put("a", x=t.Value(bytes_value=bytes(MIB))))
    with pytest.raises(exceptions.InvalidArgument):
        await cloud.commit(cloud.put("a", x=text("x" * (MIB // 2)), y=text("y" * (MIB // 2))))
    with pytest.raises(exceptions.ResourceExhausted):
        await cloud.commit(*(cloud.put(str(each), x=t.Value(bytes_value=bytes(MIB - 200))) for each in range(5)))
    deep = number(1)
    for _ in range(20):
        deep = t.Value(map_value=t.MapValue(fields={"m": deep}))
    await cloud.commit(cloud.put("b", x=deep))
    with pytest.raises(exceptions.InvalidArgument):
        await cloud.commit(cloud.put("b", x=t.Value(map_value=t.MapValue(fields={"m": deep}))))


@pytest.mark.parametrize(
    "write",
    [
        pytest.param({"x": t.Value()}, id="no type"),
        pytest.param(
            {"x": t.Value(array_value=t.ArrayValue(values=[t.Value(array_value=t.ArrayValue())]))}, id="array in array"
        ),
        pytest.param({"__x__": number(1)}, id="reserved field"),
        pytest.param({"": number(1)}, id="field without a name"),
    ],
)
async def test_fields_that_firestore_does_not_allow_are_refused(cloud: "Cloud", write: dict[str, t.Value]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await cloud.commit(t.Write(update=t.Document(name=cloud.name("a"), fields=write)))


async def test_a_write_of_nothing_is_refused(cloud: "Cloud") -> None:
    with pytest.raises(exceptions.InvalidArgument, match="empty write operation"):
        await cloud.commit(t.Write())


async def test_partitions_are_not_implemented(cloud: "Cloud") -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match="PartitionQuery is unimplemented"):
        await cloud.call("partition_query", t.PartitionQueryRequest(parent=cloud.root, partition_count=2))


async def test_every_type_comes_back_as_it_was_written(client: "Untyped") -> None:
    written = {
        "null": None, "true": True, "int": -(2**63), "float": 0.1, "nan": math.nan, "minus zero": -0.0,
        "infinite": -math.inf, "text": "\x00\u202e\U0001f480", "bytes": bytes(range(256)),
        "stamp": datetime(2026, 1, 27, 3, 47, 0, 123456, tzinfo=UTC), "geo": firestore.GeoPoint(1.5, -2.5),
        "reference": client.collection("c").document("other"), "array": [1, "a", None, {"in": [1]}],
        "map": {"odd.key`\\": {"deep": {}}}, "vector": Vector([1.0, -0.0]),
    }  # fmt: skip
    document = client.collection("c").document("a")
    await document.set(written)
    found = (await document.get()).to_dict() or {}
    assert math.isnan(found.pop("nan"))
    assert math.copysign(1, found["minus zero"]) == -1
    written.pop("nan")
    assert found == written
    assert type(found["true"]) is bool


async def test_the_high_level_client_works_as_usual(client: "Untyped") -> None:
    heartbeats = client.collection("c")
    for place in range(4):
        await heartbeats.document(f"p{place}").set({"x": place, "status": "running", "at": firestore.SERVER_TIMESTAMP})
    ((total,),) = await heartbeats.count().get()
    assert total.value == 4
    newest = heartbeats.order_by("at", direction=firestore.Query.DESCENDING).limit(1)
    assert [document.id async for document in newest.stream()] == ["p3"]
    named = heartbeats.order_by(NAME).start_after({NAME: heartbeats.document("p1")}).select([])
    assert [document.id async for document in named.stream()] == ["p2", "p3"]
    equal = heartbeats.where(filter=FieldFilter("x", "in", [1, 2])).where(filter=FieldFilter("status", "==", "running"))
    assert [document.id async for document in equal.stream()] == ["p1", "p2"]
    snapshot = await heartbeats.document("p0").get()
    stale = client.write_option(last_update_time=snapshot.update_time)
    await heartbeats.document("p0").update({"x": 9})
    with pytest.raises(exceptions.FailedPrecondition):
        await heartbeats.document("p0").delete(option=stale)
    await heartbeats.document("p0").set({"y": 1}, merge=True)
    assert sorted((await heartbeats.document("p0").get()).to_dict() or {}) == ["at", "status", "x", "y"]
    batch = client.batch()
    for place in range(1, 4):
        batch.delete(heartbeats.document(f"p{place}"))
    await batch.commit()
    assert [document.id async for document in heartbeats.list_documents()] == ["p0"]


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        pytest.param(
            Query(order_by=[by(NAME, down=True)]),
            exceptions.FailedPrecondition,
            "descending key scans",
            id="names down",
        ),
        pytest.param(
            Query(where=where("x", Op.GREATER_THAN, number(1)), order_by=[by(NAME)]),
            exceptions.InvalidArgument,
            "more fields after the key",
            id="range by name",
        ),
        pytest.param(Query(order_by=[by("x"), by("x")]), exceptions.InvalidArgument, "duplicate fields x", id="twice"),
        pytest.param(Query(order_by=[by("x..y")]), exceptions.InvalidArgument, "Invalid property path", id="bad path"),
        pytest.param(Query(limit=-1), exceptions.InvalidArgument, "limit is negative", id="negative limit"),
        pytest.param(Query(offset=-1), exceptions.InvalidArgument, "offset is negative", id="negative offset"),
        pytest.param(
            Query(where=where(NAME, Op.EQUAL, text("a"))),
            exceptions.InvalidArgument,
            "must be a Key",
            id="no reference",
        ),
        pytest.param(
            Query(where=where("x", Op.IN, t.Value(array_value=t.ArrayValue()))),
            exceptions.InvalidArgument,
            "non-empty ArrayValue",
            id="in nothing",
        ),
        pytest.param(
            Query(start_at=t.Cursor(values=[number(1)])),
            exceptions.InvalidArgument,
            "too many values",
            id="long cursor",
        ),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused_in_the_same_words(
    cloud: "Cloud", query: Query, error: type[exceptions.GoogleAPICallError], message: str
) -> None:
    await fill(cloud, "a")
    with pytest.raises(error, match=message):
        await cloud.ids(query)
