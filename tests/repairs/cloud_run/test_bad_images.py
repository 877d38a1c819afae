"""An image that is known to be bad is put into service only by somebody who says so, and then they type so."""

from pathlib import Path

import pytest

from validate_daily.repairs.cloud_run.redeploy import plan_redeploy
from validate_daily.repairs.cloud_run.rollback import apply_rollback, plan_rollback
from validate_daily.repairs.plans.errors import RefusedError
from validate_daily.repairs.words import command_of, plan_lines, question
from validate_daily.sandbox import Fault
from validate_daily.sandbox.images import Build

from support.repair_bench import agreed
from support.rollout_cloud import PHASE2, Cloud, cloud

BAD = {
    "a probe contradicts it": Build("old", "0ddba115"),
    "what its command needs is not there": Build("new", "feedf00d", lacks="gunicorn"),
    "a package has no __init__.py": Build("silent", "feedf00d"),
}


def push(practice: Cloud, build: Build) -> None:
    world = practice.world
    world.images.push(world.pipeline.repository(PHASE2), build, at=world.clock.now())


@pytest.mark.parametrize("build", BAD.values(), ids=BAD)
async def test_a_redeploy_of_a_known_bad_image_is_refused_with_the_command_that_does_it(
    tmp_path: Path, build: Build
) -> None:
    async with cloud("healthy", tmp_path) as practice:
        push(practice, build)
        with pytest.raises(RefusedError) as refused:
            await practice.plan()

        assert "is known to be bad" in refused.value.reason
        assert f"validate-daily redeploy {PHASE2} --tag latest --even-if-bad --config F --apply" in str(refused.value)
        assert practice.changes == []


@pytest.mark.parametrize("build", BAD.values(), ids=BAD)
async def test_somebody_who_wants_it_nevertheless_types_so(tmp_path: Path, build: Build) -> None:
    async with cloud("healthy", tmp_path) as practice:
        push(practice, build)
        plan = await practice.plan(even_if_bad=True)
        outcome = await practice.apply(plan)

    assert plan.words == f"{PHASE2} 1 even if bad"
    assert question(plan).endswith(f"To agree, type: {PHASE2} 1 even if bad")
    assert "KNOWN TO BE BAD: " in question(plan)
    assert any(line.startswith("BAD ") for line in plan_lines(plan))
    assert "--even-if-bad" in command_of(plan)
    assert outcome.done is build.starts


async def test_a_good_image_needs_no_such_words_even_where_somebody_would_take_a_bad_one(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan(even_if_bad=True)

    assert (plan.bad, plan.words) == ((), f"{PHASE2} 1")
    assert "--even-if-bad" not in command_of(plan)


async def test_an_image_that_could_not_be_looked_into_is_said_and_blocks_nothing(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        practice.world.faults.add(Fault(method="GetBlob", status="PERMISSION_DENIED"))
        plan = await practice.plan()
        practice.world.faults.clear()
        outcome = await practice.apply(plan)

    assert any(note.startswith("what is inside is unknown") for note in plan.notes)
    assert any(note.startswith("whether it can start is not known") for note in plan.notes)
    assert (plan.bad, outcome.done) == ((), True)


async def test_a_rollback_to_old_code_is_refused_and_done_where_it_is_the_only_way_back(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        practice.world.deploy(PHASE2, "old")
        old = practice.serving()[0][0]
        practice.world.deploy(PHASE2, "new")
        async with practice.session() as session:
            with pytest.raises(RefusedError) as refused:
                await plan_rollback(session, PHASE2, to=old)
            plan = await plan_rollback(session, PHASE2, to=old, even_if_bad=True)
        async with practice.session(writing=True) as session:
            outcome = await apply_rollback(session, plan, agreed(plan), practice.audit)

        assert f"validate-daily rollback {PHASE2} --to {old} --even-if-bad" in refused.value.next_step
        assert plan.words == f"{PHASE2} 1 even if bad"
        assert (outcome.done, [name for name, _, _ in practice.serving()]) == (True, [old])


async def test_a_rollback_of_a_redeploy_to_old_code_names_its_command_too(tmp_path: Path) -> None:
    async with cloud("fix-pushed", tmp_path) as practice:
        async with practice.session() as session:
            fix = await plan_redeploy(session, PHASE2)
        assert (await practice.apply(fix)).done
        async with practice.session() as session:
            with pytest.raises(RefusedError) as refused:
                await plan_rollback(session, PHASE2, audit=practice.audit)

    assert f"validate-daily rollback {PHASE2} --even-if-bad" in refused.value.next_step


async def test_a_rollback_whose_image_is_gone_from_the_registry_goes_on(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        before = practice.serving()[0][0]
        practice.world.deploy(PHASE2, "old")
        practice.world.faults.add(Fault(method="GetManifest", status="NOT_FOUND"))
        async with practice.session() as session:
            plan = await plan_rollback(session, PHASE2, to=before)

    assert plan.bad == ()
    assert plan.notes[0].startswith("what is inside is unknown")
