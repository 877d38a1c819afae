import pytest
from google.cloud.firestore_v1 import types as t

from validate_daily.repairs.documents.restore import apply_restore, plan_restore
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError
from validate_daily.repairs.plans.outcome import DocumentsOutcome, Fate
from validate_daily.repairs.plans.plan import RestorePlan
from validate_daily.sandbox import Fault, World

from support.repair_bench import COLLECTION, TRASH, Bench, agreed, plain, run_ids
from support.values import EVERY_TYPE


async def plan(bench: Bench, cleanup: str, *processors: str) -> RestorePlan:
    async with bench.session() as session:
        return await plan_restore(session, cleanup, processors=processors)


async def apply(bench: Bench, planned: RestorePlan) -> DocumentsOutcome:
    async with bench.session(writing=True) as session:
        return await apply_restore(session, planned, agreed(planned), bench.audit)


async def test_every_document_comes_back_field_for_field(both: Bench) -> None:
    await both.put(run_ids(3), EVERY_TYPE)
    await both.put(["Empty_None_1"], {})
    before = await both.documents()
    cleaned = await both.apply(await both.plan())

    planned = await plan(both, cleaned.plan)
    outcome = await apply(both, planned)

    after = await both.documents()
    assert (planned.count, outcome.moved, outcome.exit_code) == (4, 4, 0)
    assert {each: plain(one.fields) for each, one in after.items()} == {
        each: plain(one.fields) for each, one in before.items()
    }
    assert not await both.documents(TRASH)
    assert outcome.recount is not None
    assert (outcome.recount.total, outcome.recount.remaining) == (4, 0)


async def test_nothing_is_restored_over_a_document_that_is_there_or_comes_meanwhile(both: Bench) -> None:
    ids = run_ids(6)
    await both.put(ids)
    cleaned = await both.apply(await both.plan())
    newer = {"newer": t.Value(boolean_value=True)}
    await both.put(ids[:2], newer)
    planned = await plan(both, cleaned.plan)
    await both.put(ids[2:3], newer)

    outcome = await apply(both, planned)

    assert planned.count == 4
    assert [(each.what, each.count) for each in planned.untouched] == [("documents whose place is taken", 2)]
    (skipped,) = outcome.skipped
    assert (skipped.fate, skipped.count, outcome.moved, outcome.exit_code) == (Fate.OCCUPIED, 1, 3, 1)
    documents = await both.documents()
    assert all("newer" in documents[each].fields for each in ids[:3])
    assert {each.removeprefix(f"{COLLECTION}/") for each in await both.trash()} == set(ids[:3])


async def test_only_the_named_processors_and_only_the_named_cleanup_come_back(both: Bench) -> None:
    await both.put([*run_ids(2, "First"), *run_ids(3, "Second")])
    cleaned = await both.apply(await both.plan())
    await both.put(run_ids(4, "Third"))
    await both.apply(await both.plan())

    outcome = await apply(both, await plan(both, cleaned.plan, "First"))

    assert outcome.moved == 2
    assert set(await both.documents()) == set(run_ids(2, "First"))
    assert len(await both.documents(TRASH)) == 7


async def test_trash_that_was_edited_since_the_plan_is_left_alone(both: Bench) -> None:
    await both.put(run_ids(3))
    cleaned = await both.apply(await both.plan())
    planned = await plan(both, cleaned.plan)
    (first, *_) = await both.documents(TRASH)
    await both.put([first], {"path": t.Value(string_value=f"{COLLECTION}/Good")}, collection=TRASH)

    outcome = await apply(both, planned)

    assert [(each.fate, each.count) for each in outcome.skipped] == [(Fate.CHANGED, 1)]
    assert (outcome.moved, "Good" in await both.documents()) == (2, False)


@pytest.mark.parametrize(
    "path",
    ["", "other/x", f"{COLLECTION}/", f"{COLLECTION}/a/b/c", f"/{COLLECTION}/x"],
    ids=lambda path: path or "none",
)
async def test_trash_that_does_not_say_where_it_belongs_stays(ours: Bench, path: str) -> None:
    cleanup = "0123456789abcdef"
    fields = {"path": t.Value(string_value=path), "document": t.Value(map_value=t.MapValue())}
    await ours.put([f"{cleanup}_x"], fields, collection=TRASH)

    with pytest.raises(NothingToDoError, match="1 document that does not say where it belongs"):
        await plan(ours, cleanup)


async def test_an_acknowledgement_that_is_lost_restores_nothing_twice(ours: Bench, world: World) -> None:
    ids = run_ids(300)
    await ours.put(ids)
    cleaned = await ours.apply(await ours.plan())
    planned = await plan(ours, cleaned.plan)
    world.faults.add(Fault(method="Commit", status="UNAVAILABLE", after=True, times=2))

    outcome = await apply(ours, planned)
    with pytest.raises(RefusedError, match="300 of 300 documents moved"):
        await apply(ours, planned)

    assert (outcome.moved, outcome.exit_code) == (300, 0)
    assert set(await ours.documents()) == set(ids)


@pytest.mark.parametrize("cleanup", ["", "0123", "0123456789ABCDEF", "../../../etc/pas", "x" * 5_000])
async def test_what_is_no_id_of_a_cleanup_is_refused(ours: Bench, cleanup: str) -> None:
    with pytest.raises(RefusedError, match="no id of a cleanup; next: validate-daily audit"):
        await plan(ours, cleanup)


async def test_a_cleanup_that_nobody_made_leaves_nothing_to_restore(ours: Bench) -> None:
    with pytest.raises(NothingToDoError, match="holds nothing of this cleanup"):
        await plan(ours, "0" * 16)


@pytest.mark.parametrize(
    ("named", "moved", "left"),
    [(("First",), 2, 0), (("Second",), 3, 0), (("First", "Second"), 5, 0), ((), 9, 0)],
    ids=["one", "another", "two of three", "all"],
)
async def test_what_is_left_is_told_of_the_named_processors_alone(
    ours: Bench, named: tuple[str, ...], moved: int, left: int
) -> None:
    await ours.put([*run_ids(2, "First"), *run_ids(3, "Second"), *run_ids(4, "Third")])
    cleaned = await ours.apply(await ours.plan())

    outcome = await apply(ours, await plan(ours, cleaned.plan, *named))

    assert outcome.recount is not None
    assert (outcome.moved, outcome.recount.remaining, outcome.recount.total) == (moved, left, moved)


async def test_what_is_left_of_a_named_processor_is_still_told(ours: Bench) -> None:
    ids = run_ids(3, "First")
    await ours.put([*ids, *run_ids(4, "Second")])
    cleaned = await ours.apply(await ours.plan())
    planned = await plan(ours, cleaned.plan, "First")
    await ours.put(ids[:1])

    outcome = await apply(ours, planned)

    assert outcome.recount is not None
    assert (outcome.moved, outcome.recount.remaining) == (2, 1)
