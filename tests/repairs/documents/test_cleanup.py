import re
from datetime import timedelta

import pytest
from google.cloud.firestore_v1 import types as t

from validate_daily.repairs.documents.cleanup import apply_cleanup, plan_cleanup
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError, RepairError, TokenError, UnseenError
from validate_daily.repairs.plans.outcome import Fate
from validate_daily.repairs.plans.plan import CleanupPlan
from validate_daily.sandbox import Fault, World

from support.repair_bench import COLLECTION, TRASH, Bench, agreed, plain, run_ids, settings_for
from support.values import EVERY_TYPE


async def test_a_cleanup_moves_exactly_the_run_scoped_documents_and_tells_of_the_others(both: Bench) -> None:
    left = ["Good", "Other", "p2_nba_raw.nbac_schedule", "report 2026-01-31", "_None_x"]
    await both.put([*run_ids(3), "Good_2026-01-31_abc", *left])

    plan = await both.plan()
    outcome = await both.apply(plan)

    assert (plan.count, plan.total_before, outcome.moved, outcome.skipped) == (4, 9, 4, ())
    assert plan.by_processor == {"NbacScheduleProcessor": 3, "Good": 1}
    assert [(each.what.split()[0], each.count) for each in plan.untouched] == [("canonical", 3), ("malformed", 2)]
    assert set(await both.documents()) == set(left)
    assert set(await both.trash()) == {f"{COLLECTION}/{each}" for each in [*run_ids(3), "Good_2026-01-31_abc"]}
    assert outcome.recount is not None
    assert (outcome.recount.total, outcome.recount.remaining, outcome.exit_code) == (5, 0, 0)
    assert (outcome.writes, outcome.deletes) == (4, 4)


async def test_every_type_survives_in_the_trash_bit_for_bit(both: Bench) -> None:
    fields = EVERY_TYPE | {"self": t.Value(reference_value=both.name("x"))}
    await both.put(run_ids(1), fields)
    await both.put(["Empty_None_1"], {})
    before = await both.documents()

    plan = await both.plan()
    await both.apply(plan)

    for document_id, original in before.items():
        moved = (await both.trash())[f"{COLLECTION}/{document_id}"]
        assert plain(moved.fields["document"].map_value.fields) == plain(original.fields)
        assert moved.fields["created_at"].timestamp_value == original.create_time
        assert moved.fields["updated_at"].timestamp_value == original.update_time
        assert moved.fields["cleanup"].string_value == plan.id
    heads = {line.head for line in both.audit.lines() if line.event.moment == "before"}
    assert {each.fields["audit"].string_value for each in (await both.trash()).values()} == heads


async def test_a_registered_id_is_never_touched_however_it_looks(both: Bench) -> None:
    await both.put(["Odd_None_1", *run_ids(1)])
    settings = settings_for(both.project, heartbeats="processors = ['Odd_None_1']")

    plan = await both.plan(settings=settings)
    outcome = await both.apply(plan, settings=settings)

    assert (plan.count, outcome.moved) == (1, 1)
    assert set(await both.documents()) == {"Odd_None_1"}


async def test_a_plan_that_was_made_before_a_name_was_registered_is_refused(both: Bench) -> None:
    await both.put(["Odd_None_1", *run_ids(1)])
    plan = await both.plan()
    settings = settings_for(both.project, heartbeats="processors = ['Odd_None_1']")

    with pytest.raises(RefusedError, match=r"not those of the plan.*registered in the settings since"):
        await both.apply(plan, settings=settings)
    assert len(await both.documents()) == 2


async def test_what_changed_vanished_or_arrived_since_the_plan_is_not_touched_and_reported(both: Bench) -> None:
    ids = run_ids(20)
    await both.put(ids)
    plan = await both.plan()
    await both.put(ids[:2], {"new": t.Value(integer_value=1)})
    await both.delete(ids[2:4])
    await both.delete(ids[4:5])
    await both.put(ids[4:5])
    arrived = run_ids(3, "Newcomer")
    await both.put(arrived)

    outcome = await both.apply(plan)

    told = {each.fate: (each.count, each.sample) for each in outcome.skipped}
    assert told == {
        Fate.CHANGED: (3, tuple(f"{COLLECTION}/{each}" for each in [*ids[:2], ids[4]])),
        Fate.VANISHED: (2, tuple(f"{COLLECTION}/{each}" for each in ids[2:4])),
    }
    assert set(await both.documents()) == {*ids[:2], ids[4], *arrived}
    assert len(await both.trash()) == outcome.moved == 15
    assert outcome.recount is not None
    assert (outcome.recount.remaining, outcome.recount.arrived, outcome.exit_code) == (6, 4, 1)


async def test_what_changes_while_the_cleanup_runs_is_left_alone(ours: Bench, world: World) -> None:
    ids = run_ids(1_200)
    await ours.put(ids)
    plan = await ours.plan()
    collection = world.firestore.database(ours.database).collection(COLLECTION)
    struck: list[str] = []

    def strike(what: str, done: int, total: int | None) -> None:
        """Whenever a batch is settled, documents that are still there change, vanish, and are born again."""
        if what != "moving documents" or not done:
            return
        database = world.firestore.database(ours.database)
        with world.firestore.lock:
            present = [each for each in ids if collection.get(each, database.read_time()) and each not in struck]
            for place, each in enumerate(present[-30:]):
                at = database.commit_time()
                collection.put(each, at, b"" if place % 3 else None)
                struck.append(each)

    outcome = await ours.apply(plan, progress=strike)

    trash = await ours.trash()
    assert struck
    assert not {f"{COLLECTION}/{each}" for each in struck} & set(trash)
    assert {each for skipped in outcome.skipped for each in (skipped.fate,)} <= {Fate.CHANGED, Fate.VANISHED}
    assert sum(each.count for each in outcome.skipped) == len(struck)
    assert len(trash) == outcome.moved == len(ids) - len(struck)


async def test_a_second_cleanup_of_the_same_ids_collides_with_nothing(both: Bench) -> None:
    await both.put(run_ids(5), {"round": t.Value(integer_value=1)})
    first = await both.apply(await both.plan())
    await both.put(run_ids(5), {"round": t.Value(integer_value=2)})
    second = await both.apply(await both.plan())

    assert (first.moved, second.moved, second.exit_code) == (5, 5, 0)
    rounds = [
        each.fields["document"].map_value.fields["round"].integer_value
        for each in (await both.documents(TRASH)).values()
    ]
    assert sorted(rounds) == [1] * 5 + [2] * 5


@pytest.mark.parametrize("bad", [0, 7, 13])
async def test_a_document_that_cannot_be_moved_holds_up_no_other(both: Bench, bad: int) -> None:
    ids = run_ids(14)
    await both.put(ids)
    await both.put([ids[bad]], {"deep": _nested(20)})

    outcome = await both.apply(await both.plan())

    (skipped,) = outcome.skipped
    assert (skipped.fate, skipped.sample) == (Fate.UNMOVABLE, (f"{COLLECTION}/{ids[bad]}",))
    assert "INVALID_ARGUMENT" in skipped.why
    assert set(await both.documents()) == {ids[bad]}
    assert (len(await both.trash()), outcome.exit_code) == (13, 1)


async def test_large_documents_go_in_commits_that_fit(both: Bench) -> None:
    big = {"blob": t.Value(bytes_value=b"x" * 1_000_000)}
    for each in run_ids(9):
        await both.put([each], big)

    outcome = await both.apply(await both.plan())

    assert (outcome.moved, outcome.exit_code) == (9, 0)


async def test_a_trash_that_is_to_expire_says_until_when(ours: Bench) -> None:
    await ours.put(run_ids(1))
    settings = settings_for(ours.project, heartbeats="trash_expires_after = '90d'")

    plan = await ours.plan(settings=settings)
    outcome = await ours.apply(plan, settings=settings)

    (moved,) = (await ours.trash()).values()
    assert plan.undo_until == outcome.undo_until == plan.read_time + timedelta(days=90)
    assert moved.fields["expires_at"].timestamp_value == plan.undo_until


async def test_nothing_expires_unless_the_settings_say_so(ours: Bench) -> None:
    await ours.put(run_ids(1))
    plan = await ours.plan()
    await ours.apply(plan)

    (moved,) = (await ours.trash()).values()
    assert plan.undo_until is None
    assert "expires_at" not in moved.fields


async def test_planning_changes_nothing_and_says_what_it_would_cost(ours: Bench, world: World) -> None:
    await ours.put([*run_ids(30), "Good"])
    world.calls.clear()
    plan = await ours.plan()
    assert {call.method for call in world.calls} == {"RunQuery", "RunAggregationQuery"}

    world.calls.clear()
    outcome = await ours.apply(plan)

    billed = sum(call.billed_reads for call in world.calls)
    assert (billed, outcome.reads) == (plan.expected.reads, plan.expected.reads)
    assert (plan.expected.writes, plan.expected.deletes) == (outcome.writes, outcome.deletes) == (30, 30)


async def test_a_cleanup_waits_until_the_writer_is_fixed_and_names_it(ours: Bench) -> None:
    await ours.put(run_ids(2))
    processor = "{ name = 'Fixed', former_names = ['NbacScheduleProcessor'], service = 'nba-phase2' }"
    settings = settings_for(ours.project, heartbeats=f"processors = [{processor}]")

    async with ours.session(settings=settings) as session:
        with pytest.raises(RefusedError, match=r"2 malformed documents were created .*redeploy nba-phase2, .*hour"):
            await plan_cleanup(session)


async def test_documents_older_than_an_hour_need_no_word_about_growth(ours: Bench, world: World) -> None:
    await ours.put(run_ids(2))
    world.advance(timedelta(hours=1, seconds=1))

    async with ours.session() as session:
        plan = await plan_cleanup(session)

    assert (plan.count, plan.growing, plan.needs_terminal) == (2, 0, False)


async def test_a_clean_collection_is_told_and_not_planned(both: Bench) -> None:
    await both.put(["Good", "report 2026-01-31"])
    async with both.session() as session:
        with pytest.raises(NothingToDoError, match=r"nothing to clean.*1 malformed id that does not parse"):
            await plan_cleanup(session)


async def test_where_no_id_bears_a_mark_of_a_run_nothing_is_planned_and_nobody_is_sent_in_a_circle(ours: Bench) -> None:
    name = {"processor_name": t.Value(string_value="Loader")}
    await ours.put(["Loader", "sngeqqXY5QodyzYHWfrX", "Loader_c1c48812-4942-1773-49ef-145fa82a8c67"], name)

    async with ours.session() as session:
        with pytest.raises(NothingToDoError, match=r"2 documents too many of a writer") as raised:
            await plan_cleanup(session)

    assert raised.value.next_step.startswith("fix what writes them (Loader), then remove these documents by hand")


async def test_more_documents_than_a_plan_may_touch_are_refused(ours: Bench) -> None:
    await ours.put(run_ids(3))
    settings = settings_for(ours.project, writes="enabled = true\nmax_documents = 2")
    async with ours.session(settings=settings) as session:
        with pytest.raises(RefusedError, match=r"3 documents are more than the 2 .*--max in a terminal"):
            await plan_cleanup(session, even_if_growing=True)
        more = await plan_cleanup(session, even_if_growing=True, max_documents=3)
    assert more.needs_terminal


@pytest.mark.parametrize(
    ("writes", "named"), [("enabled = false", True), ("enabled = true", False)], ids=["switched off", "merely found"]
)
async def test_nothing_opens_while_writes_are_off(ours: Bench, writes: str, *, named: bool) -> None:
    settings = settings_for(ours.project, writes=writes, named=named)
    with pytest.raises(RepairError, match="writes are off; next: "):
        async with ours.session(settings=settings):
            pass


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="RunQuery", status="PERMISSION_DENIED"),
        Fault(method="RunQuery", status="UNAVAILABLE", cut_after=0),
        Fault(method="RunAggregationQuery", status="INTERNAL"),
    ],
    ids=["denied", "cut", "no count"],
)
async def test_an_incomplete_reading_makes_no_plan(ours: Bench, world: World, fault: Fault) -> None:
    await ours.put(run_ids(5))
    world.faults.add(fault)
    async with ours.session(seconds=5) as session:
        with pytest.raises(UnseenError, match=f"listing {COLLECTION}"):
            await plan_cleanup(session, even_if_growing=True)


async def test_a_plan_expires_by_firestores_clock(ours: Bench, world: World) -> None:
    await ours.put(run_ids(2))
    plan = await ours.plan()
    world.advance(timedelta(minutes=10))

    with pytest.raises(TokenError, match=r"has expired since .*UTC; next: plan again"):
        await ours.apply(plan)
    assert len(await ours.documents()) == 2


async def test_a_started_plan_with_documents_left_can_be_resumed_within_the_hour(ours: Bench, world: World) -> None:
    await ours.put(run_ids(300))
    plan = await ours.plan()
    world.faults.add(Fault(method="Commit", status="PERMISSION_DENIED"))
    first = await ours.apply(plan)
    world.faults.clear()
    world.advance(timedelta(minutes=55))
    second = await ours.apply(plan)

    assert (first.moved, first.resumed, first.exit_code) == (0, False, 1)
    assert (second.moved, second.resumed, second.exit_code) == (300, True, 0)
    with pytest.raises(RefusedError, match="is over and cannot start again"):
        await ours.apply(plan)


async def test_a_started_plan_can_no_longer_be_resumed_after_the_hour(ours: Bench, world: World) -> None:
    await ours.put(run_ids(3))
    plan = await ours.plan()
    world.faults.add(Fault(method="Commit", status="PERMISSION_DENIED"))
    await ours.apply(plan)
    world.faults.clear()
    world.advance(timedelta(hours=1))

    with pytest.raises(TokenError, match="can no longer be resumed"):
        await ours.apply(plan)
    assert len(await ours.documents()) == 3


async def test_applying_a_plan_twice_moves_nothing_twice(both: Bench) -> None:
    await both.put(run_ids(8))
    plan = await both.plan()
    await both.apply(plan)
    with pytest.raises(RefusedError, match="8 of 8 documents moved"):
        await both.apply(plan)

    assert (len(await both.documents()), len(await both.documents(TRASH))) == (0, 8)


async def test_a_plan_made_up_by_a_caller_is_refused_by_the_reading(ours: Bench) -> None:
    await ours.put([*run_ids(2), "Good"])
    plan = await ours.plan()
    forged = plan.model_copy(update={"digest": "sha256:" + "0" * 64})
    with pytest.raises(RefusedError, match="not those of the plan"):
        await ours.apply(forged)
    assert not list(ours.audit.lines())


async def test_a_session_that_reads_cannot_apply(ours: Bench) -> None:
    await ours.put(run_ids(1))
    plan = await ours.plan()
    async with ours.session() as session:
        with pytest.raises(RepairError, match="only reads"):
            await apply_cleanup(session, plan, agreed(plan), ours.audit)


def test_a_plan_reads_back_as_it_was_written() -> None:
    told = CleanupPlan.model_json_schema(mode="serialization")["properties"]
    assert {"id", "digest", "read_time", "untouched", "expected", "undo_until"} <= told.keys()
    assert not re.search("ids", " ".join(told))


def _nested(depth: int) -> t.Value:
    value = t.Value(integer_value=1)
    for _ in range(depth):
        value = t.Value(map_value=t.MapValue(fields={"m": value}))
    return value
