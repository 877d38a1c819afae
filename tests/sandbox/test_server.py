"""The practice cloud as a server: its faults, its record, its bill, and how it stops."""

import asyncio
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1 import types as t

from validate_daily.sandbox import Clock, Fault, Sandbox, build, running

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.sandbox.conftest import Cloud, Connect

Query = t.StructuredQuery
PROJECT = "nba-props-platform"
COLLECTION = "processor_heartbeats"


async def listed(cloud: "Cloud") -> int:
    return len(await cloud.query(Query(), collection=COLLECTION))


async def test_a_scenario_is_denied_in_the_words_of_production(serve: "Serve", connect: "Connect") -> None:
    cloud = await connect(await serve("denied"), PROJECT)
    with pytest.raises(exceptions.PermissionDenied, match=r"Missing or insufficient permissions\."):
        await listed(cloud)
    with pytest.raises(exceptions.PermissionDenied):
        await cloud.count(Query())


async def test_a_call_that_hangs_ends_with_the_client_and_does_not_keep_the_server(connect: "Connect") -> None:
    async with Sandbox(build("hanging")) as sandbox:
        cloud = await connect(sandbox, PROJECT)
        request = t.GetDocumentRequest(name=cloud.name("a"))
        with pytest.raises(exceptions.DeadlineExceeded):
            await cloud.gapic.get_document(request=request, retry=None, timeout=0.2)
        waiting = asyncio.ensure_future(listed(cloud))
        while len(sandbox.world.calls) < 2:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0)
    with pytest.raises((exceptions.GoogleAPICallError, asyncio.CancelledError)):
        await waiting
    assert {call.status for call in sandbox.world.calls} == {"CANCELLED"}


async def test_a_stream_is_cut_after_some_documents(serve: "Serve", connect: "Connect") -> None:
    cut = Fault(method="RunQuery", status="UNAVAILABLE", message="cut", cut_after=7)
    sandbox = await serve("healthy", cut)
    cloud = await connect(sandbox, PROJECT)
    stream = await cloud.call("run_query", cloud.request(Query(), COLLECTION))
    seen = 0
    with suppress(exceptions.ServiceUnavailable):
        async for _ in stream:
            seen += 1
    assert seen == 7
    assert sandbox.world.calls[-1].status == "UNAVAILABLE"


async def test_a_fault_ends_after_its_times(serve: "Serve", connect: "Connect") -> None:
    sandbox = await serve("healthy", Fault(method="RunQuery", status="UNAVAILABLE", times=2))
    cloud = await connect(sandbox, PROJECT)
    for _ in range(2):
        with pytest.raises(exceptions.ServiceUnavailable):
            await listed(cloud)
    assert await listed(cloud) == 30
    assert [call.status for call in sandbox.world.calls] == ["UNAVAILABLE", "UNAVAILABLE", "OK"]


async def test_latency_delays_an_answer(serve: "Serve", connect: "Connect") -> None:
    cloud = await connect(await serve("healthy", Fault(latency=0.2)), PROJECT)
    begun = asyncio.get_running_loop().time()
    assert await listed(cloud) == 30
    assert asyncio.get_running_loop().time() - begun >= 0.2


async def test_a_read_of_more_than_an_hour_ago_is_refused(serve: "Serve", connect: "Connect") -> None:
    sandbox = await serve(build("healthy", clock=Clock(speed=0)))
    cloud = await connect(sandbox, PROJECT)
    now = sandbox.world.clock.now()
    assert len(await cloud.query(Query(), collection=COLLECTION, read_time=now - timedelta(minutes=59))) == 30
    with pytest.raises(exceptions.FailedPrecondition, match="too old"):
        await cloud.query(Query(), collection=COLLECTION, read_time=now - timedelta(minutes=61))


async def test_calls_are_billed_as_production_bills_them(serve: "Serve", connect: "Connect") -> None:
    sandbox = await serve("proliferation")
    cloud = await connect(sandbox, PROJECT)
    await listed(cloud)
    await cloud.query(Query(limit=5, offset=3), collection=COLLECTION)
    await cloud.query(Query(), collection="empty")
    await cloud.count(Query(), collection=COLLECTION)
    await cloud.count(Query(), up_to=10, collection=COLLECTION)
    names = [cloud.name("a"), cloud.name("b")]
    await cloud.stream("batch_get_documents", t.BatchGetDocumentsRequest(database=cloud.database, documents=names))
    assert [(call.method, call.billed_reads) for call in sandbox.world.calls] == [
        ("RunQuery", 1_053), ("RunQuery", 8), ("RunQuery", 1), ("RunAggregationQuery", 2), ("RunAggregationQuery", 1),
        ("BatchGetDocuments", 2),
    ]  # fmt: skip
    assert sandbox.world.calls[0].request == "processor_heartbeats: by __name__"


@pytest.mark.parametrize(
    ("query", "what"),
    [
        pytest.param(
            Query(from_=[Query.CollectionSelector(collection_id="c", all_descendants=True)]),
            "collection group",
            id="group",
        ),
        pytest.param(
            Query(from_=[Query.CollectionSelector(collection_id="c")], find_nearest=Query.FindNearest()),
            "find_nearest",
            id="nearest",
        ),
        pytest.param(
            Query(
                from_=[Query.CollectionSelector(collection_id="c")],
                where=Query.Filter(composite_filter=Query.CompositeFilter(op=Query.CompositeFilter.Operator.OR)),
            ),
            "OR filters",
            id="or",
        ),
    ],
)
async def test_what_is_not_implemented_is_refused_by_name(
    serve: "Serve", connect: "Connect", query: Query, what: str
) -> None:
    cloud = await connect(await serve(), PROJECT)
    with pytest.raises(exceptions.MethodNotImplemented, match=what):
        await cloud.stream("run_query", t.RunQueryRequest(parent=cloud.root, structured_query=query))


async def test_a_transaction_is_not_implemented(serve: "Serve", connect: "Connect") -> None:
    cloud = await connect(await serve(), PROJECT)
    with pytest.raises(exceptions.MethodNotImplemented, match="Firestore/BeginTransaction is unimplemented"):
        await cloud.call("begin_transaction", t.BeginTransactionRequest(database=cloud.database))


async def test_processors_go_on_working_while_they_are_served(connect: "Connect") -> None:
    clock = Clock(datetime(2026, 2, 1, tzinfo=UTC), speed=3_600)
    async with Sandbox(build("healthy", clock=clock)) as sandbox, asyncio.timeout(60):
        cloud = await connect(sandbox, PROJECT)
        first = await cloud.query(Query(limit=1), collection=COLLECTION)
        while (await cloud.query(Query(limit=1), collection=COLLECTION))[0].document == first[0].document:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.05)


def test_a_sandbox_runs_beside_a_caller_without_an_event_loop_and_leaves_nothing() -> None:
    before = threading.active_count()
    with running("healthy") as sandbox:
        assert sandbox.environment()["FIRESTORE_EMULATOR_HOST"] == sandbox.firestore_address
        assert not sandbox.firestore_address.endswith(":0")
        sandbox.world.advance(timedelta(hours=1))
    assert not [thread for thread in threading.enumerate() if thread.name == "sandbox"]
    assert threading.active_count() <= before + 1


def test_a_port_that_is_taken_is_an_error_of_the_caller() -> None:
    with running("healthy") as sandbox:
        port = int(sandbox.firestore_address.rpartition(":")[2])
        with pytest.raises((RuntimeError, OSError)), running("healthy", port=port):
            pytest.fail("served on a port that is taken")


def test_scenario_names_are_known_without_grpc() -> None:
    program = (
        "import sys, validate_daily.sandbox as s; s.scenario_names();"
        "print([m for m in sys.modules if m.startswith('g')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "grpc" not in done.stdout
    assert "google" not in done.stdout
