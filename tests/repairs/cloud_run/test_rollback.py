"""A rollback moves traffic alone: back to what a redeploy found, or to a revision that a person names."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from validate_daily.repairs.cloud_run.rollback import apply_rollback, plan_rollback
from validate_daily.repairs.plans.cloud_run_outcomes import Rollout
from validate_daily.repairs.plans.cloud_run_plans import RollbackPlan
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError, UnseenError
from validate_daily.sandbox import Fault

from support.repair_bench import agreed
from support.rollout_cloud import PHASE2, PHASE3, Cloud, cloud

OLD = f"{PHASE2}-00129-lf2"


async def planned(practice: Cloud, service: str = PHASE2, to: str | None = None) -> RollbackPlan:
    async with practice.session() as session:
        return await plan_rollback(session, service, audit=practice.audit, to=to)


async def applied(practice: Cloud, plan: RollbackPlan) -> Rollout:
    async with practice.session(writing=True) as session:
        return await apply_rollback(session, plan, agreed(plan), practice.audit)


async def test_the_last_redeploy_is_undone_in_one_change_without_a_new_revision(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        redeploy = await practice.plan()
        await practice.apply(redeploy)
        made, calls = set(practice.world.service(PHASE2).revisions), len(practice.changes)
        plan = await planned(practice)
        outcome = await applied(practice, plan)

        assert plan.undoes == redeploy.id
        assert any(note.startswith("PINNED") for note in plan.notes)
        assert (outcome.done, outcome.exit_code) == (True, 0)
        assert [name for name, _, _ in practice.serving()] == [OLD]
        assert set(practice.world.service(PHASE2).revisions) == made
        assert len(practice.changes) - calls == 2, "a rehearsal and a change"


async def test_somebody_elses_deploy_is_contained_by_naming_a_ready_revision(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        before = practice.serving()[0][0]
        practice.world.deploy(PHASE2, "old")
        plan = await planned(practice, to=before)
        outcome = await applied(practice, plan)

        assert (plan.undoes, outcome.done) == (None, True)
        assert [(name, percent) for name, percent, _ in practice.serving()] == [(before, 100)]
        with pytest.raises(NothingToDoError, match="is so already"):
            await planned(practice, to=before)


async def test_a_revision_that_is_not_ready_or_not_there_gets_no_traffic(tmp_path: Path) -> None:
    async with cloud("gunicorn-missing", tmp_path) as practice:
        broken = practice.world.service(PHASE2).created_revision
        with pytest.raises(RefusedError, match=f"{broken} is not ready .HEALTH_CHECK_CONTAINER_ERROR."):
            await planned(practice, to=broken)
        with pytest.raises(UnseenError, match="NOT_FOUND"):
            await planned(practice, to=f"{PHASE2}-00001-abc")


async def test_without_a_redeploy_in_the_audit_a_revision_must_be_named(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        with pytest.raises(RefusedError, match="knows of no redeploy"):
            await planned(practice)


async def test_after_a_redeploy_that_failed_there_is_nothing_to_roll_back(tmp_path: Path) -> None:
    async with cloud("gunicorn-missing", tmp_path) as practice:
        await practice.apply(await practice.plan())
        with pytest.raises(NothingToDoError, match="is so already"):
            await planned(practice)


async def test_traffic_that_a_broken_off_redeploy_held_follows_the_latest_again(tmp_path: Path) -> None:
    async with cloud("gunicorn-missing", tmp_path) as practice:
        # The template changes; then the traffic can neither be put back nor moved.
        practice.world.faults.add(Fault(method="UpdateService", status="PERMISSION_DENIED", skip=2))
        failed = await practice.apply(await practice.plan())
        practice.world.faults.clear()
        plan = await planned(practice)
        outcome = await applied(practice, plan)

        assert failed.wanted[0].revision == OLD
        assert (outcome.done, outcome.wanted[0].revision) == (True, "")
        assert [name for name, _, _ in practice.serving()] == [OLD]


async def test_traffic_that_somebody_moves_after_the_plan_is_left_alone(tmp_path: Path) -> None:
    async with cloud("pinned-traffic", tmp_path) as practice:
        plan = await planned(practice, PHASE3, to=practice.world.service(PHASE3).created_revision)
        practice.world.deploy(PHASE3, "new")
        serving = practice.serving(PHASE3)

        with pytest.raises(RefusedError, match="somebody changed"):
            await applied(practice, plan)
        assert (practice.changes, practice.serving(PHASE3)) == ([], serving)


async def test_tags_of_revisions_stay_where_they_are_when_traffic_moves(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        service = practice.world.service(PHASE2)
        before = service.created_revision
        practice.world.deploy(PHASE2, "old")
        traffic = (*service.traffic, replace(service.traffic[0], percent=0, tag="preview"))
        now = practice.world.clock.now()
        practice.world.run.update(service, traffic=traffic, at=now, takes=timedelta())
        plan = await planned(practice, to=before)

    assert {(each.revision, each.percent, each.tag) for each in plan.traffic} == {(before, 100, ""), ("", 0, "preview")}
