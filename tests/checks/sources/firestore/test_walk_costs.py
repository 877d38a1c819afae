"""What a walk costs, and what is left of it when something goes wrong."""

from datetime import timedelta

import pytest

from checks import Verdict, check
from checks.evidence.snapshot import Census, Method
from checks.judge.rules import HEARTBEATS, rules_of
from checks.settings.file import parse_settings
from checks.settings.template import settings_text
from checks.sources.firestore.census import CensusResult
from checks.sources.firestore.id_walk import Terms
from checks.sources.times import micros
from validate_daily.sandbox import Clock, Fault, Sandbox, build
from validate_daily.sandbox.firestore.made_up import MadeUp, Runs

from conftest import Serve
from support.collections import Heap, Held, fill_sandbox, reasons

SECOND = 1_000_000
HOUR = 3_600 * SECOND
PROCESSORS = [f"Family{number:02}Processor" for number in range(12)]


def census_of(reading: CensusResult) -> Census:
    assert reading.census is not None
    return reading.census


def made_up(
    cloud: Sandbox, documents: int, *, ago: timedelta = timedelta(), apart: timedelta, of: list[str] = PROCESSORS
) -> Heap:
    """A collection of runs of some processors, by turns, the last of them a while ago."""
    heap = Heap(cloud.firestore_address)
    database = cloud.world.firestore.database(heap.database)
    runs = Runs(of, documents, cloud.world.clock.now() - ago, apart)
    prefix = f"{heap.database}/documents/{heap.collection}/"
    database.collections[heap.collection] = MadeUp(prefix, runs)
    return heap


def ran(cloud: Sandbox, ids: list[str], *, ago: int = 2 * HOUR) -> Heap:
    """A collection of these documents, all created and last heard of at the same time."""
    then = micros(cloud.world.clock.now()) - ago
    return fill_sandbox(cloud, [Held(each, then, then) for each in ids])


async def test_the_calls_of_a_walk_follow_processors_and_not_documents(sandbox: Sandbox) -> None:
    calls: list[int] = []
    for documents in (3_000, 30_000, 300_000):
        heap = made_up(sandbox, documents, apart=timedelta(seconds=1))
        before = len(sandbox.world.calls)
        census = census_of(await heap.census(PROCESSORS, terms=Terms()))
        assert (census.total, len(census.families), census.method) == (documents, 12, Method.RANGES)
        assert census.billed_reads == sum(call.billed_reads for call in list(sandbox.world.calls)[before:])
        calls.append(len(sandbox.world.calls) - before)

    assert calls[0] == calls[1] == calls[2] < 60


async def test_101868_documents_of_sixty_processors_cost_at_most_400_billed_reads(sandbox: Sandbox) -> None:
    sixty = [f"Family{number:02}Processor" for number in range(60)]
    heap = made_up(sandbox, 101_868, apart=timedelta(seconds=1), of=sixty)

    census = census_of(await heap.census(sixty, terms=Terms()))

    assert (census.total, census.malformed, len(census.families)) == (101_868, 101_868, 60)
    assert all(each.newest and each.older_than is None for each in census.families)
    assert census.billed_reads <= 400


async def test_a_collection_of_two_thousand_is_listed_and_one_more_is_walked(sandbox: Sandbox) -> None:
    few = census_of(await made_up(sandbox, 2_000, apart=timedelta(seconds=1)).census(terms=Terms()))
    more = census_of(await made_up(sandbox, 2_001, apart=timedelta(seconds=1)).census(terms=Terms()))

    assert (few.method, few.billed_reads) == (Method.LISTING, 2_002)
    assert (more.method, more.total) == (Method.RANGES, 2_001)
    assert more.billed_reads < 200


async def test_ids_without_shared_beginnings_are_listed_from_where_that_was_seen(sandbox: Sandbox) -> None:
    heap = ran(sandbox, [f"P{number:05}_None_{number:08x}" for number in range(3_000)])

    census = census_of(await heap.census(terms=Terms()))

    assert (census.total, len(census.families), census.method) == (3_000, 3_000, Method.MIXED)
    assert census.complete
    assert census.billed_reads < 1.2 * 3_000


async def test_ids_that_name_no_run_are_read_in_ever_larger_steps(sandbox: Sandbox) -> None:
    heap = ran(sandbox, [f"Processor{number:05}" for number in range(3_000)])

    before = len(sandbox.world.calls)
    census = census_of(await heap.census(terms=Terms()))

    assert (census.canonical, census.malformed, census.method) == (3_000, 0, Method.LISTING)
    assert len(sandbox.world.calls) - before < 20


async def test_a_server_that_is_slow_to_step_is_listed_and_the_count_compared(serve: Serve) -> None:
    sandbox = await serve("healthy", Fault(method="RunQuery", latency=0.1))
    heap = made_up(sandbox, 2_500, apart=timedelta(seconds=1))

    census = census_of(await heap.census(terms=Terms(patience=0.02)))

    assert (census.method, census.total, census.complete) == (Method.LISTING, 2_500, True)
    assert [call.method for call in sandbox.world.calls].count("RunAggregationQuery") == 2


async def test_a_server_that_is_slow_to_count_a_few_is_listed_at_once(serve: Serve) -> None:
    sandbox = await serve("healthy", Fault(method="RunAggregationQuery", latency=0.1))
    heap = made_up(sandbox, 2_500, apart=timedelta(seconds=1))

    census = census_of(await heap.census(terms=Terms(slow=0.05)))

    assert (census.method, census.total, census.complete) == (Method.LISTING, 2_500, True)
    assert [call.method for call in sandbox.world.calls] == ["RunAggregationQuery", "RunQuery"]


@pytest.mark.parametrize("method", ["RunQuery", "RunAggregationQuery"])
@pytest.mark.parametrize("status", ["PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNAVAILABLE"])
async def test_a_walk_that_is_cut_off_is_incomplete_and_keeps_what_it_counted(
    serve: Serve, method: str, status: str
) -> None:
    sandbox = await serve("healthy", Fault.model_validate({"method": method, "status": status, "skip": 5}))
    heap = made_up(sandbox, 6_000, apart=timedelta(seconds=1))

    reading = await heap.census(terms=Terms())

    census = census_of(reading)
    assert not census.listed
    assert any(reason.startswith(f"walk of {heap.collection}: {status}") for reason in reasons(reading.gaps))
    assert 0 < sum(family.total for family in census.families) < 6_000
    assert census.total == (6_000 if method == "RunQuery" else 2_001)
    assert census.counted == (method == "RunQuery")


async def test_a_walk_that_hangs_ends_with_the_budget_and_is_incomplete(serve: Serve) -> None:
    sandbox = await serve("healthy", Fault(method="RunAggregationQuery", hang=True, skip=3))
    heap = made_up(sandbox, 6_000, apart=timedelta(seconds=1))

    reading = await heap.census(terms=Terms(), seconds=1.0)

    assert not census_of(reading).complete
    assert "no answer within the time given" in reasons(reading.gaps)[0]


@pytest.mark.parametrize("after", [0, 1, 2])
async def test_steps_that_break_half_way_are_taken_up_where_they_broke(serve: Serve, after: int) -> None:
    sandbox = await serve("healthy", Fault(method="RunQuery", status="UNAVAILABLE", cut_after=after, skip=3, times=2))
    heap = ran(sandbox, [*(f"A{number}" for number in range(9)), *(f"A{number}_None_1" for number in range(9))])

    reading = await heap.census()

    assert reasons(reading.gaps) == []
    assert (census_of(reading).canonical, census_of(reading).malformed) == (9, 9)


async def test_a_walk_is_as_of_one_moment_though_documents_keep_arriving(serve: Serve) -> None:
    world = build("proliferation", clock=Clock(speed=300))
    sandbox = await serve(world, Fault(latency=0.05))
    heap = Heap(sandbox.firestore_address, world.heartbeats.prefix.partition("/documents/")[0], "processor_heartbeats")

    first = await heap.census()
    again = await heap.census(as_of=first.read_time, terms=Terms(small=100_000))

    assert len(world.heartbeats) > census_of(first).total
    assert census_of(first).total == census_of(again).total
    assert {each.processor: each.malformed for each in census_of(first).families} == {
        each.processor: each.malformed for each in census_of(again).families
    }


async def test_growth_is_the_difference_from_55_minutes_ago(sandbox: Sandbox) -> None:
    now = micros(sandbox.world.clock.now())
    minute = 60 * SECOND
    heap = fill_sandbox(
        sandbox, [Held(f"A_None_{age:03}", now - age * minute, now - age * minute) for age in range(0, 110, 10)]
    )

    (family,) = census_of(await heap.census()).families

    assert (family.malformed, family.malformed_growth) == (11, 6)
    assert family.created_last_hour is None
    assert family.malformed_last_day is None


async def test_newest_heartbeats_that_cannot_be_read_are_a_gap_and_nobody_is_fresh(serve: Serve) -> None:
    sandbox = await serve("healthy", Fault(method="RunQuery", status="PERMISSION_DENIED", skip=13))
    heap = made_up(sandbox, 6_000, apart=timedelta(seconds=1))

    reading = await heap.census(terms=Terms())

    assert (census_of(reading).total, census_of(reading).complete) == (6_000, True)
    assert [reason.partition(":")[0] for reason in reasons(reading.gaps)] == [f"newest of {heap.collection}"]
    assert reading.read_time is not None
    assert all(each.older_than and each.older_than > reading.read_time for each in census_of(reading).families)


async def test_growth_that_cannot_be_told_is_a_gap_and_everything_else_is_kept(serve: Serve) -> None:
    sandbox = await serve("healthy", Fault(method="RunAggregationQuery", status="FAILED_PRECONDITION", skip=2))
    heap = ran(sandbox, [f"A_None_{number}" for number in range(30)])

    reading = await heap.census()

    assert (census_of(reading).total, census_of(reading).complete) == (30, True)
    assert census_of(reading).families[0].malformed_growth is None
    assert reasons(reading.gaps)[0].startswith(f"growth of {heap.collection}: FAILED_PRECONDITION")


async def test_a_census_of_an_earlier_moment_tells_no_growth_and_misses_none(sandbox: Sandbox) -> None:
    heap = ran(sandbox, [f"A_None_{number}" for number in range(30)])
    earlier = sandbox.world.clock.now() - timedelta(minutes=30)

    reading = await heap.census(as_of=earlier)

    assert reasons(reading.gaps) == []
    assert reading.read_time == earlier
    assert census_of(reading).families[0].malformed_growth is None


async def test_the_newest_are_read_until_every_processor_was_seen(sandbox: Sandbox) -> None:
    heap = made_up(sandbox, 600, apart=timedelta(seconds=1))

    few = census_of(await heap.census(terms=Terms(small=0, newest=(4,))))
    enough = census_of(await heap.census(terms=Terms(small=0, newest=(4, 8, 60))))

    told = {each.processor: each.older_than for each in few.families}
    assert [name for name in PROCESSORS if told[name] is None] == PROCESSORS[:4]
    assert len(set(told.values())) == 2
    assert all(each.older_than is None and each.newest for each in enough.families)
    assert enough.billed_reads == few.billed_reads + 8


async def test_newest_heartbeats_older_than_anybody_asks_are_not_read_on(sandbox: Sandbox) -> None:
    heap = made_up(sandbox, 600, ago=timedelta(days=5), apart=timedelta(seconds=1))

    census = census_of(await heap.census(terms=Terms(small=0, newest=(4, 8, 60))))

    assert sum(each.older_than is not None for each in census.families) == 8


async def test_a_heartbeat_from_the_future_is_found_in_a_walk_and_is_not_the_newest(sandbox: Sandbox) -> None:
    now = micros(sandbox.world.clock.now())
    heap = fill_sandbox(
        sandbox,
        [*(Held(f"A_None_{n}", now - HOUR, now - n * SECOND) for n in range(9)), Held("A_None_9", now, now + 5 * HOUR)],
    )

    (family,) = census_of(await heap.census()).families

    assert family.future == 1
    assert family.future_sample is not None
    assert family.future_sample.doc == "A_None_9"
    assert family.newest is not None
    assert family.newest.doc == "A_None_0"


@pytest.mark.parametrize("small", [0, 2_000], ids=["walked", "listed"])
async def test_more_processors_than_can_be_told_apart_are_counted_and_a_gap(sandbox: Sandbox, small: int) -> None:
    heap = ran(sandbox, ["Z", *(f"P{number}" for number in range(9)), *(f"Q{number}_None_1" for number in range(9))])

    reading = await heap.census(["Z"], terms=Terms(small=small, most=5))

    census = census_of(reading)
    assert (census.total, census.counted, census.listed, len(census.families)) == (19, True, False, 6)
    assert "Z" in {family.processor for family in census.families}
    assert reasons(reading.gaps) == [
        f"families of {heap.collection}: 13 documents are of more than 5 processors, and only counted"
    ]


async def test_a_registered_id_that_looks_like_a_run_is_counted_for_itself(sandbox: Sandbox) -> None:
    heap = ran(sandbox, ["A_None_1", "A_None_2", "A_2024"])

    census = census_of(await heap.census(["A_None_2", "A_2024", "A_None_3"]))

    assert {each.processor: (each.canonical, each.malformed) for each in census.families} == {
        "A": (0, 1), "A_None_2": (1, 0), "A_2024": (1, 0)
    }  # fmt: skip
    assert census.total == 3


async def test_the_report_says_how_documents_were_counted_and_what_that_leaves_out(serve: Serve) -> None:
    world = build("hundred-thousand")
    sandbox = await serve(world)
    pipeline = parse_settings(settings_text("example"), origin="example")

    report = await check(pipeline, rules=rules_of(HEARTBEATS), environment=sandbox.environment())

    assert report.verdict is Verdict.P0
    assert report.gaps == ()
    assert report.census is not None
    assert (report.census.total, report.census.malformed, report.census.method) == (101_868, 101_868, Method.RANGES)
    assert report.census.billed_reads < 500
    assert [each.what for each in report.not_checked] == ["unparsable-heartbeats"]
    rules = {finding.rule for finding in report.findings}
    assert rules == {"heartbeat-proliferation", "heartbeat-channel-down", "malformed-ids"}


@pytest.mark.parametrize(
    ("scenario", "verdict", "total"),
    [("proliferation", Verdict.P0, 1_053), ("healthy", Verdict.UNKNOWN, 30), ("denied", Verdict.UNKNOWN, None)],
)
async def test_a_count_alone_tells_how_bad_it_is_and_never_that_all_is_well(
    serve: Serve, scenario: str, verdict: Verdict, total: int | None
) -> None:
    sandbox = await serve(scenario)
    pipeline = parse_settings(settings_text("example"), origin="example")

    report = await check(pipeline, count_only=True, environment=sandbox.environment())

    assert report.verdict is verdict
    assert report.score is None
    assert (report.census.total if report.census else None) == total
    assert {call.method for call in sandbox.world.calls} == {"RunAggregationQuery"}
    assert any("only their number was" in gap.reason for gap in report.gaps)
