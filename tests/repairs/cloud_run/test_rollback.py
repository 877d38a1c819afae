"""A rollback moves traffic alone: back to what a redeploy found, or to a revision that a person names."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from validate_daily.repairs.cloud_run.redeploy import plan_redeploy
from validate_daily.repairs.cloud_run.rollback import apply_rollback, plan_rollback
from validate_daily.repairs.plans.cloud_run_outcomes import Rollout
from validate_daily.repairs.plans.cloud_run_plans import RollbackPlan
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError, UnseenError
from validate_daily.repairs.stores.audit_file import FileAudit
from validate_daily.sandbox import Fault
from validate_daily.sandbox.run.state import Target

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
        await practice.apply(await practice.plan(even_if_bad=True))
        with pytest.raises(NothingToDoError, match="is so already"):
            await planned(practice)


async def test_traffic_that_a_broken_off_redeploy_held_follows_the_latest_again(tmp_path: Path) -> None:
    async with cloud("gunicorn-missing", tmp_path) as practice:
        # The template changes; then the traffic can neither be put back nor moved.
        practice.world.faults.add(Fault(method="UpdateService", status="PERMISSION_DENIED", skip=2))
        failed = await practice.apply(await practice.plan(even_if_bad=True))
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


@pytest.mark.parametrize("share", [1, 50, 99])
async def test_no_share_stays_with_the_bad_revision_where_the_newest_was_pinned_too(tmp_path: Path, share: int) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        service = practice.world.service(PHASE2)
        traffic = (Target(share, OLD), Target(100 - share))
        practice.world.run.update(service, traffic=traffic, at=practice.world.clock.now(), takes=timedelta())
        async with practice.session() as session:
            redeploy = await plan_redeploy(session, PHASE2, unpin=True)
        bad = (await practice.apply(redeploy)).revision
        assert [name for name, _, _ in practice.serving()] == [bad]
        outcome = await applied(practice, await planned(practice))

        assert outcome.done is True
        assert {name for name, _, _ in practice.serving()} == {OLD}
        assert sum(percent for _, percent, _ in practice.serving()) == 100
        with pytest.raises(NothingToDoError, match="is so already"):
            await planned(practice)


async def test_an_audit_of_an_earlier_version_brings_traffic_back_by_the_names_that_served(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        service = practice.world.service(PHASE2)
        traffic = (Target(50, OLD), Target(50), Target(0, OLD, tag="stable"))
        practice.world.run.update(service, traffic=traffic, at=practice.world.clock.now(), takes=timedelta())
        async with practice.session() as session:
            redeploy = await plan_redeploy(session, PHASE2, unpin=True)
        await practice.apply(redeploy)
        earlier = FileAudit(practice.audit.path.with_name("earlier.jsonl"))
        for line in practice.audit.lines():
            evidence = {name: value for name, value in line.event.evidence.items() if name != "ready"}
            await earlier.append(line.event.model_copy(update={"evidence": evidence}))
        async with practice.session() as session:
            plan = await plan_rollback(session, PHASE2, audit=earlier)
        outcome = await applied(practice, plan)

        assert outcome.done is True
        assert {name for name, _, _ in practice.serving()} == {OLD}
        assert "stable" in {each.tag for each in outcome.wanted}


async def test_a_rollback_is_not_done_while_a_share_is_met_by_another_revision(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        assert (await practice.apply(await practice.plan())).done
        plan = await planned(practice)
        service = practice.world.service(PHASE2)
        bad = service.ready_revision

        def leave_half(what: str, done: int, total: int | None) -> None:
            del what, done, total
            if service.traffic[0].revision == OLD:
                practice.world.advance(timedelta(seconds=10))
                service.observed = (Target(50, OLD), Target(50, bad))

        async with practice.session(writing=True, progress=leave_half) as session:
            outcome = await apply_rollback(session, plan, agreed(plan), practice.audit)

    assert (outcome.done, outcome.exit_code) == (False, 1)
    assert f"50 % is met by {bad}" in (outcome.reason or "")
