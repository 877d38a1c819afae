"""Cloud Logging of the practice cloud, through Google's generated client."""

import math
import threading
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import grpc.aio
import pytest
from google.api_core import exceptions
from google.cloud.logging_v2 import types as t
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcAsyncIOTransport
from google.protobuf import json_format

from validate_daily.sandbox.calls import Calls, recorder
from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.faults import Fault, Faults
from validate_daily.sandbox.logging.messages import LogEntry
from validate_daily.sandbox.logging.service import LOGGING, logging_methods
from validate_daily.sandbox.logging.store import LogStore, Search
from validate_daily.sandbox.rpc import Endpoint

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
PROJECT = "projects/demo"
REVISION: dict[str, Any] = {
    "project": "demo",
    "location": "us-west2",
    "service": "processors",
    "revision": "processors-00001-a",
}
EXECUTION: dict[str, Any] = {"project": "demo", "location": "us-west2", "job": "backfill", "execution": "backfill-x7k"}


def new_store() -> LogStore:
    return LogStore(Clock(NOW, speed=0))


@dataclass
class Served:
    """A log store that is served, and Google's client for it."""

    gapic: LoggingServiceV2AsyncClient
    store: LogStore
    faults: Faults = field(default_factory=Faults)
    calls: Calls = field(default_factory=recorder)

    async def page(self, **parameters: object) -> Any:
        """One page, as the server gives it."""
        request = t.ListLogEntriesRequest(cast("Any", {"resource_names": [PROJECT]} | parameters))
        pager = await cast(
            "Awaitable[Any]", self.gapic.list_log_entries(request=request, retry=cast("Any", None), timeout=20)
        )
        return await anext(aiter(pager.pages))

    async def texts(self, **parameters: object) -> list[str]:
        """The texts of all pages."""
        found: list[str] = []
        token = ""
        while True:
            page = await self.page(**parameters, page_token=token)
            found += [entry.text_payload for entry in page.entries]
            token = page.next_page_token
            if not token:
                return found


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with AsyncExitStack() as stack:
        store, faults, calls = new_store(), Faults(), recorder()
        endpoint = Endpoint("logging", {LOGGING: logging_methods(store)}, clock=store.clock, faults=faults, calls=calls)
        server = grpc.aio.server(handlers=[endpoint])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        stack.push_async_callback(server.stop, None)
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        transport = LoggingServiceV2GrpcAsyncIOTransport(channel=channel)
        yield Served(LoggingServiceV2AsyncClient(transport=transport), store, faults, calls)


def lines(store: LogStore, count: int) -> list[str]:
    """Write lines, one a second until now, and return their texts."""
    texts = [f"line {place}" for place in range(count)]
    for place, text in enumerate(texts):
        store.run_line(**REVISION, text=text, at=NOW - timedelta(seconds=count - place))
    return texts


async def test_a_line_of_a_service_arrives_as_cloud_run_writes_it(served: Served):
    served.store.run_line(**REVISION, text="denied", severity="ERROR", log="stderr", at=NOW - timedelta(hours=1))
    (entry,) = (await served.page()).entries
    assert json_format.MessageToDict(t.LogEntry.pb(entry)) == {
        "logName": "projects/demo/logs/run.googleapis.com%2Fstderr",
        "resource": {
            "type": "cloud_run_revision",
            "labels": {
                "project_id": "demo",
                "location": "us-west2",
                "service_name": "processors",
                "configuration_name": "processors",
                "revision_name": "processors-00001-a",
            },
        },
        "textPayload": "denied",
        "severity": "ERROR",
        "timestamp": "2026-02-01T11:00:00Z",
        "receiveTimestamp": "2026-02-01T11:00:00Z",
        "insertId": "000000000001",
    }


async def test_a_line_of_a_job_names_its_execution_and_task(served: Served):
    served.store.job_line(**EXECUTION, task=2, payload={"message": "START", "n": 1}, log="system")
    (entry,) = (await served.page(filter='labels."run.googleapis.com/execution_name"="backfill-x7k"')).entries
    assert entry.log_name == "projects/demo/logs/run.googleapis.com%2Fvarlog%2Fsystem"
    assert entry.resource.type == "cloud_run_job"
    assert dict(entry.resource.labels) == {"project_id": "demo", "location": "us-west2", "job_name": "backfill"}
    assert entry.labels["run.googleapis.com/task_index"] == "2"
    assert dict(entry.json_payload) == {"message": "START", "n": 1.0}
    assert entry.timestamp == NOW


async def test_entries_come_in_the_order_of_their_time_or_against_it(served: Served):
    texts = lines(served.store, 5)
    served.store.run_line(**REVISION, text="late", at=NOW - timedelta(seconds=5, microseconds=-1))
    expected = [texts[0], "late", *texts[1:]]
    assert await served.texts() == expected
    assert await served.texts(order_by="timestamp asc") == expected
    assert await served.texts(order_by="timestamp desc") == expected[::-1]
    assert await served.texts(order_by="timestamp desc", page_size=1) == expected[::-1]


async def test_lines_of_one_moment_stay_in_the_order_in_which_they_were_written(served: Served):
    for place in range(12):
        served.store.run_line(**REVISION, text=str(place))
    assert await served.texts(page_size=5) == [str(place) for place in range(12)]


@pytest.mark.parametrize(("asked", "first"), [(0, 50), (1, 1), (7, 7), (1_000, 120)])
async def test_a_page_has_fifty_entries_or_as_many_as_asked(served: Served, asked: int, first: int):
    served.store.search.reads_per_minute = None
    texts = lines(served.store, 120)
    assert len((await served.page(page_size=asked)).entries) == first
    assert await served.texts(page_size=asked) == texts


async def test_what_is_written_meanwhile_neither_repeats_nor_hides_an_entry(served: Served):
    texts = lines(served.store, 10)
    first = await served.page(page_size=5)
    served.store.run_line(**REVISION, text="older", at=NOW - timedelta(days=1))
    second = await served.page(page_size=5, page_token=first.next_page_token)
    assert [entry.text_payload for page in (first, second) for entry in page.entries] == texts


async def test_a_page_ends_before_it_is_too_large_to_send(served: Served):
    for _ in range(10):
        served.store.run_line(**REVISION, text="x" * 900_000)
    assert len((await served.page(page_size=1_000)).entries) == 3
    assert len(await served.texts(page_size=1_000)) == 10


async def test_other_projects_are_not_seen(served: Served):
    other: dict[str, Any] = {**REVISION, "project": "other"}
    served.store.run_line(**other, text="theirs")
    served.store.run_line(**REVISION, text="ours")
    assert await served.texts() == ["ours"]
    assert await served.texts(resource_names=["projects/other"]) == ["theirs"]
    assert await served.texts(resource_names=[PROJECT, "projects/other"]) == ["theirs", "ours"]


@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        pytest.param({"resource_names": []}, "resource_names", id="no-names"),
        pytest.param({"resource_names": ["demo"]}, "'demo'", id="name"),
        pytest.param({"resource_names": ["projects/"]}, "'projects/'", id="empty-name"),
        pytest.param({"order_by": "severity"}, "order_by", id="order"),
        pytest.param({"order_by": "timestamp descending"}, "order_by", id="direction"),
        pytest.param({"page_size": 1_001}, "page_size", id="large-page"),
        pytest.param({"page_size": -1}, "page_size", id="negative-page"),
        pytest.param({"filter": "severity="}, "line 1, column 10", id="filter"),
        pytest.param({"page_token": "x"}, "page_token", id="token"),
        pytest.param({"page_token": "e30="}, "page_token", id="empty-token"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(served: Served, parameters: dict[str, object], what: str):
    with pytest.raises(exceptions.InvalidArgument, match=what):
        await served.page(**parameters)


@pytest.mark.parametrize(
    "changed",
    [
        {"filter": "severity>=INFO"},
        {"order_by": "timestamp desc"},
        {"page_size": 3},
        {"resource_names": ["projects/x"]},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_a_token_is_good_only_for_the_request_that_it_came_from(served: Served, changed: dict[str, object]):
    lines(served.store, 5)
    token = (await served.page(page_size=2)).next_page_token
    with pytest.raises(exceptions.InvalidArgument, match="doesn't match"):
        await served.page(**{"page_size": 2} | changed, page_token=token)


async def test_a_token_ends_after_a_day(served: Served):
    lines(served.store, 5)
    token = (await served.page(page_size=2)).next_page_token
    served.store.clock.advance(timedelta(hours=23, minutes=59))
    assert (await served.page(page_size=2, page_token=token)).entries
    served.store.clock.advance(timedelta(minutes=1))
    with pytest.raises(exceptions.InvalidArgument, match="expired"):
        await served.page(page_size=2, page_token=token)


@pytest.mark.parametrize("name", ["organizations/1", "projects/demo/locations/global/buckets/_Default/views/_All"])
async def test_what_is_no_project_is_not_implemented(served: Served, name: str):
    with pytest.raises(exceptions.MethodNotImplemented, match=name):
        await served.page(resource_names=[name])


async def test_a_project_can_be_read_sixty_times_a_minute(served: Served):
    for _ in range(60):
        await served.page()
    with pytest.raises(exceptions.ResourceExhausted, match="Read requests per minute"):
        await served.page()
    await served.page(resource_names=["projects/other"])
    served.store.clock.advance(timedelta(seconds=59))
    with pytest.raises(exceptions.ResourceExhausted):
        await served.page()
    served.store.clock.advance(timedelta(seconds=1))
    await served.page()
    assert [call.status for call in served.calls].count("RESOURCE_EXHAUSTED") == 2


async def test_the_quota_can_be_switched_off(served: Served):
    served.store.search.reads_per_minute = None
    for _ in range(61):
        await served.page()


async def test_pages_can_come_back_empty_before_the_search_finds_anything(served: Served):
    texts = lines(served.store, 3)
    served.store.search.empty_pages = 2
    first = await served.page()
    assert (len(first.entries), bool(first.next_page_token)) == (0, True)
    assert await served.texts(page_size=2) == texts
    assert len(served.calls) == 1 + 2 + 2


async def test_a_search_can_come_back_empty_for_ever(served: Served):
    lines(served.store, 3)
    served.store.search.empty_pages = math.inf
    token = ""
    for _ in range(20):
        page = await served.page(page_token=token)
        token = page.next_page_token
        assert (len(page.entries), bool(token)) == (0, True)


async def test_a_fault_and_the_record_of_calls_apply_to_log_reads(served: Served):
    served.faults.add(Fault(method="ListLogEntries", status="PERMISSION_DENIED", message="on purpose", times=1))
    with pytest.raises(exceptions.PermissionDenied, match="on purpose"):
        await served.page()
    await served.page(filter="severity>=ERROR")
    assert [(call.method, call.status) for call in served.calls] == [
        ("ListLogEntries", "PERMISSION_DENIED"),
        ("ListLogEntries", "OK"),
    ]
    assert served.calls[-1].request.startswith("severity>=ERROR by timestamp asc")


async def test_nothing_but_reading_and_writing_is_implemented(served: Served):
    with pytest.raises(exceptions.MethodNotImplemented, match="LoggingServiceV2/DeleteLog is unimplemented"):
        await served.gapic.delete_log(
            request=t.DeleteLogRequest(log_name="projects/p/logs/l"), retry=cast("Any", None), timeout=20
        )


async def test_an_entry_that_is_written_can_be_read_and_is_completed_from_the_request(served: Served):
    entry = t.LogEntry(text_payload="written", insert_id="one")
    request = t.WriteLogEntriesRequest(
        log_name="projects/written/logs/audit", resource={"type": "global"}, labels={"k": "v"}, entries=[entry, entry]
    )

    await served.gapic.write_log_entries(request=request, retry=cast("Any", None), timeout=20)

    (kept,) = [each for _, each in served.store.rows() if each.log_name == "projects/written/logs/audit"]
    assert (kept.text_payload, kept.resource.type, dict(kept.labels)) == ("written", "global", {"k": "v"})


@pytest.mark.parametrize(
    ("log", "kind", "message"), [("x/y", "global", "no log of a project"), ("projects/p/logs/l", "", "resource")]
)
async def test_an_entry_without_a_log_or_a_resource_is_refused(served: Served, log: str, kind: str, message: str):
    request = t.WriteLogEntriesRequest(
        log_name=log, resource={"type": kind}, entries=[t.LogEntry(text_payload="a"), t.LogEntry(text_payload="b")]
    )
    before = len(served.store)

    with pytest.raises(exceptions.InvalidArgument, match=message):
        await served.gapic.write_log_entries(request=request, retry=cast("Any", None), timeout=20)
    assert len(served.store) == before


def test_a_store_keeps_the_newest_entries_in_order():
    store = LogStore(Clock(NOW, speed=0), kept=100)
    for place in range(250):
        store.run_line(**REVISION, text="x", at=NOW + timedelta(seconds=place * 37 % 250))
    kept = [key for key, _ in store.rows()]
    assert len(kept) == len(store) == 100
    assert all(before < after for before, after in pairwise(kept))
    assert store.rows()[-1][1].timestamp.seconds == NOW.timestamp() + 249


def test_a_duplicate_is_dropped_and_an_entry_of_the_caller_stays_its_own():
    store = new_store()
    entry = LogEntry(log_name="projects/demo/logs/x", text_payload="first", insert_id="same")
    kept = store.write(entry)
    entry.text_payload = "second"
    store.write(entry)
    assert [held.text_payload for _, held in store.rows()] == ["first"]
    assert (kept.insert_id, kept.HasField("receive_timestamp"), entry.HasField("timestamp")) == ("same", True, False)


def test_lines_can_be_written_from_many_threads():
    store = new_store()

    def write() -> None:
        for _ in range(200):
            store.run_line(**REVISION, text="x")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key for key, _ in store.rows()}) == 800


@pytest.mark.parametrize("wrong", [{}, {"text": "x", "payload": {}}], ids=["neither", "both"])
def test_a_line_has_a_text_or_a_payload(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match="either a text or a payload"):
        new_store().run_line(**REVISION, **wrong)


def test_an_entry_that_filters_could_not_look_into_is_not_kept():
    audit = t.LogEntry(log_name="projects/demo/logs/x", proto_payload={"type_url": "x"})
    with pytest.raises(ValueError, match="protobuf payload"):
        new_store().write(cast("LogEntry", t.LogEntry.pb(audit)))
    with pytest.raises(ValueError, match="no log of a project"):
        new_store().write(LogEntry(log_name="organizations/1/logs/x"))


def test_a_store_can_be_made_with_its_own_search():
    assert LogStore(Clock(NOW), search=Search(empty_pages=1)).search.empty_pages == 1
