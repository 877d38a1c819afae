import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud.firestore_v1.types import Document, RunAggregationQueryResponse, RunQueryResponse, Value

from checks import Report, Verdict, check
from checks.judge.rules import HEARTBEATS, rules_of
from checks.settings.errors import UsageError
from checks.settings.file import parse_settings
from checks.settings.pipeline import Pipeline
from checks.settings.template import settings_text
from validate_daily.sandbox import Clock, Fault, Sandbox, build

from conftest import Serve
from support.liar import liar

EXAMPLE = parse_settings(settings_text("example"), origin="example")
HEARTBEAT_RULES = rules_of(HEARTBEATS)
STATUSES = [
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "INTERNAL",
    "UNAUTHENTICATED",
]
CALLS = {"RunAggregationQuery": "count of", "RunQuery": "listing of"}
AT = datetime(2026, 2, 1, 22, 0, tzinfo=UTC)


async def look(sandbox: Sandbox, *, pipeline: Pipeline = EXAMPLE, seconds: float = 20.0) -> Report:
    return await check(pipeline, rules=HEARTBEAT_RULES, timeout=seconds, environment=sandbox.environment())


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("status", STATUSES)
async def test_a_call_that_keeps_failing_is_a_gap_that_names_the_source(serve: Serve, method: str, status: str) -> None:
    sandbox = await serve("healthy", Fault.model_validate({"method": method, "status": status}))

    started = asyncio.get_running_loop().time()
    report = await look(sandbox)

    assert report.verdict is Verdict.UNKNOWN
    assert report.score is None
    assert [gap.source for gap in report.gaps] == ["firestore"]
    assert report.gaps[0].reason.startswith(CALLS[method])
    assert status in report.gaps[0].reason
    assert report.gaps[0].next_step
    assert asyncio.get_running_loop().time() - started < 20


@pytest.mark.parametrize("status", STATUSES)
async def test_all_calls_failing_alike_is_one_gap_and_the_missing_clock_another(serve: Serve, status: str) -> None:
    sandbox = await serve("healthy", Fault.model_validate({"status": status}))

    report = await look(sandbox)

    assert report.verdict is Verdict.UNKNOWN
    assert report.census is None
    assert [gap.source for gap in report.gaps] == ["firestore", "clock"]
    assert report.gaps[0].reason.startswith("count and listing of")


@pytest.mark.parametrize("method", [*CALLS, "*"])
async def test_a_call_that_hangs_is_unknown_within_the_timeout(serve: Serve, method: str) -> None:
    sandbox = await serve("healthy", Fault(method=method, hang=True))

    started = asyncio.get_running_loop().time()
    report = await look(sandbox, seconds=1.0)

    assert report.verdict is Verdict.UNKNOWN
    assert "no answer within the time given" in report.gaps[0].reason
    assert asyncio.get_running_loop().time() - started < 3


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("after", [0, 1, 29])
async def test_a_stream_that_keeps_breaking_keeps_what_was_seen_and_is_unknown(
    serve: Serve, status: str, after: int
) -> None:
    retried = status in {"UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL"}
    fault = {"method": "RunQuery", "status": status, "cut_after": 0 if retried else after}
    sandbox = await serve("healthy", Fault.model_validate(fault))

    report = await look(sandbox)

    assert report.verdict is Verdict.UNKNOWN
    assert report.census is not None
    assert (report.census.total, report.census.complete) == (30, False)
    assert status in report.gaps[0].reason


@pytest.mark.parametrize("after", [0, 1, 7, 29])
async def test_a_stream_that_breaks_half_way_is_taken_up_where_it_broke(serve: Serve, after: int) -> None:
    sandbox = await serve("healthy", Fault(method="RunQuery", status="UNAVAILABLE", cut_after=after, times=1))

    report = await look(sandbox)

    assert report.verdict is Verdict.HEALTHY
    assert report.census is not None
    assert (report.census.total, report.census.canonical) == (30, 30)
    assert report.census.billed_reads == 31


@pytest.mark.parametrize("method", CALLS)
async def test_a_passing_fault_is_retried_and_leaves_no_gap(serve: Serve, method: str) -> None:
    sandbox = await serve("healthy", Fault(method=method, status="UNAVAILABLE", times=2))

    assert (await look(sandbox)).verdict is Verdict.HEALTHY


async def test_a_count_alone_still_proves_p0(serve: Serve) -> None:
    sandbox = await serve("proliferation", Fault(method="RunQuery", status="PERMISSION_DENIED"))

    report = await look(sandbox)

    assert (report.verdict, report.exit_code, report.score) == (Verdict.P0, 1, None)
    assert report.census is not None
    assert report.census.total == 1_053


async def test_five_hundred_and_one_documents_seen_stay_p0_without_a_count(serve: Serve) -> None:
    sandbox = await serve(
        "proliferation",
        Fault(method="RunQuery", status="PERMISSION_DENIED", cut_after=501),
        Fault(method="RunAggregationQuery", status="PERMISSION_DENIED"),
    )

    report = await look(sandbox)

    assert report.verdict is Verdict.P0
    assert report.census is not None
    assert (report.census.total, report.census.complete) == (501, False)
    assert {finding.rule for finding in report.findings}.isdisjoint({"missing-heartbeats", "stale-heartbeats"})


async def test_the_whole_census_is_as_of_one_moment_though_documents_keep_arriving(serve: Serve) -> None:
    world = build("proliferation", clock=Clock(speed=3_600))
    sandbox = await serve(world, Fault(method="RunQuery", latency=0.6))
    before = world.clock.now()

    report = await look(sandbox)

    assert len(world.heartbeats) > 1_053
    assert report.gaps == ()
    assert report.census is not None
    assert report.census.total == report.census.malformed < len(world.heartbeats)
    assert before <= report.taken_at <= before + timedelta(minutes=30)


async def test_taken_at_is_firestores_time_and_not_this_machines(serve: Serve) -> None:
    sandbox = await serve("healthy")
    sandbox.world.clock.advance(timedelta(days=400))

    report = await look(sandbox)

    assert abs(report.taken_at - sandbox.world.clock.now()) < timedelta(minutes=1)


async def test_a_census_costs_two_calls_and_what_production_bills_for_them(serve: Serve) -> None:
    sandbox = await serve("proliferation")

    report = await look(sandbox)

    assert [call.method for call in sandbox.world.calls] == ["RunAggregationQuery", "RunQuery"]
    assert report.census is not None
    assert report.census.billed_reads == sum(call.billed_reads for call in sandbox.world.calls) == 1_055


async def test_practice_is_said_and_the_target_named(sandbox: Sandbox) -> None:
    report = await look(sandbox)

    assert report.practice
    assert [target.address for target in report.targets] == [sandbox.firestore_address]


async def test_a_collection_that_does_not_exist_is_p1_and_says_where_it_looked(sandbox: Sandbox) -> None:
    elsewhere = EXAMPLE.model_copy(
        update={"heartbeats": EXAMPLE.heartbeats.model_copy(update={"collection": "no_such_collection"})}
    )

    report = await look(sandbox, pipeline=elsewhere)

    assert report.verdict is Verdict.P1
    assert report.root is not None
    assert "documents/no_such_collection holds no document, or does not exist" in report.root.summary


async def test_a_dead_endpoint_is_unknown_at_once() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        environment = {"FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{nobody.getsockname()[1]}"}

        report = await check(EXAMPLE, rules=HEARTBEAT_RULES, timeout=10.0, environment=environment)

    assert report.verdict is Verdict.UNKNOWN
    assert "UNAVAILABLE" in report.gaps[0].reason


async def test_a_tls_endpoint_given_as_plain_text_is_unknown_and_not_a_hang() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x15\x03\x01\x00\x02\x02\x46")  # a TLS alert, as a server sends on bytes that are no handshake
        writer.close()

    assert ssl.HAS_TLSv1_2
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        environment = {"FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{server.sockets[0].getsockname()[1]}"}
        report = await check(EXAMPLE, rules=HEARTBEAT_RULES, timeout=5.0, environment=environment)

    assert report.verdict is Verdict.UNKNOWN
    assert report.gaps[0].source == "firestore"


@pytest.mark.parametrize("address", ["10.0.0.1:8080", "firestore.example:443", "https://127.0.0.1:1", "127.0.0.1"])
async def test_plain_text_beyond_loopback_is_refused_before_anything_is_asked(address: str) -> None:
    with pytest.raises(UsageError, match="FIRESTORE_EMULATOR_HOST"):
        await check(EXAMPLE, rules=HEARTBEAT_RULES, environment={"FIRESTORE_EMULATOR_HOST": address})


def _count(total: int | None, at: datetime | None = AT) -> RunAggregationQueryResponse:
    fields = {} if total is None else {"total": Value(integer_value=total)}
    return RunAggregationQueryResponse(result={"aggregate_fields": fields}, read_time=at)


def _listed(*names: str, at: datetime | None = AT) -> list[RunQueryResponse]:
    prefix = "projects/nba-props-platform/databases/(default)/documents/processor_heartbeats"
    beat = {"last_heartbeat": Value(timestamp_value=AT)}
    return [
        RunQueryResponse(
            document=Document(name=f"{prefix}/{name}", fields=beat, create_time=AT, update_time=AT), read_time=at
        )
        for name in names
    ] + [RunQueryResponse(read_time=at)]


LIES: dict[str, tuple[list[RunAggregationQueryResponse], list[RunQueryResponse], str]] = {
    "no answer to the count": ([], _listed("A"), "total"),
    "a count without a total": ([_count(None)], _listed("A"), "total"),
    "a count below zero": ([_count(-5)], _listed("A"), "total"),
    "no answer to the listing": ([_count(1)], [], "without an answer"),
    "fewer documents than counted": ([_count(3)], _listed("A", "B"), "2 documents were listed where 3 were counted"),
    "more documents than counted": ([_count(1)], _listed("A", "B"), "2 documents were listed where 1 were counted"),
    "no read time anywhere": ([_count(1, None)], _listed("A", at=None), "no read time"),
}


@pytest.mark.parametrize(("counts", "documents", "reason"), LIES.values(), ids=LIES)
async def test_a_server_that_lies_is_never_healthy(
    counts: list[RunAggregationQueryResponse], documents: list[RunQueryResponse], reason: str
) -> None:
    async with liar(counts, documents) as environment:
        report = await check(EXAMPLE, rules=HEARTBEAT_RULES, timeout=5.0, environment=environment)

    assert report.gaps
    assert report.verdict is not Verdict.HEALTHY
    assert any(reason in gap.reason for gap in report.gaps), report.gaps
