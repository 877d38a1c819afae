"""Jobs that follow a service are made to run what it serves, one approval for all of them; none is started."""

import asyncio
from dataclasses import fields
from pathlib import Path

import pytest

from checks.sources.cloud_run.client import Message
from validate_daily.repairs.cloud_run.jobs import apply_job_update, plan_job_update
from validate_daily.repairs.plans.cloud_run_outcomes import JobFate, JobsUpdate
from validate_daily.repairs.plans.cloud_run_plans import JobsPlan
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError, RepairError, UnseenError
from validate_daily.repairs.stores.cloud_run import RunStore
from validate_daily.sandbox import Fault

from support.repair_bench import agreed
from support.rollout_cloud import PHASE2, Cloud, cloud

ONE = "bdl-standings-processor-backfill"


async def planned(practice: Cloud, *jobs: str, service: str = PHASE2) -> JobsPlan:
    async with practice.session() as session:
        return await plan_job_update(session, service, jobs=jobs)


async def applied(practice: Cloud, plan: JobsPlan) -> JobsUpdate:
    async with practice.session(writing=True) as session:
        return await apply_job_update(session, plan, agreed(plan), practice.audit)


def images(practice: Cloud) -> dict[str, str]:
    return {job.short: job.task.containers[0].image for job in practice.world.run.jobs.values()}


async def test_all_that_follow_run_what_the_service_serves_and_none_is_started(tmp_path: Path) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        before = {job.short: (job.earlier, len(job.executions)) for job in practice.world.run.jobs.values()}
        plan = await planned(practice)
        assert practice.changes == []
        outcome = await applied(practice, plan)

        assert (plan.size, plan.words) == (21, f"{PHASE2} 21")
        assert (outcome.complete, outcome.exit_code) == (True, 0)
        assert set(images(practice).values()) == {practice.serving()[0][2]}
        assert {job.short: (job.earlier, len(job.executions)) for job in practice.world.run.jobs.values()} == before
        assert "RunJob" not in practice.changes
        with pytest.raises(NothingToDoError, match=r"21 jobs follow .* each would run what it serves"):
            await planned(practice)


async def test_only_the_named_ones_change(tmp_path: Path) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        before = images(practice)
        outcome = await applied(practice, await planned(practice, ONE))

        changed = {name for name, image in images(practice).items() if image != before[name]}
        assert (changed, [each.name for each in outcome.jobs]) == ({ONE}, [ONE])


async def test_a_job_that_the_settings_do_not_name_is_never_changed(tmp_path: Path) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        with pytest.raises(RepairError, match="name no job somebody-elses that follows"):
            await planned(practice, "somebody-elses")


async def test_one_that_somebody_changed_since_is_left_alone_and_the_others_are_done(tmp_path: Path) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        plan = await planned(practice)
        run = practice.world.run
        job = next(each for each in run.jobs.values() if each.short == ONE)
        run.update_job(job, task=job.task, labels={"team": "x"}, annotations={}, at=practice.world.clock.now())
        theirs = images(practice)[ONE]
        outcome = await applied(practice, plan)

        fates = {each.name: each.fate for each in outcome.jobs}
        assert fates.pop(ONE) is JobFate.CHANGED
        assert set(fates.values()) == {JobFate.UPDATED}
        assert (images(practice)[ONE], outcome.exit_code) == (theirs, 1)


async def test_a_service_that_serves_something_else_by_now_stops_it_all(tmp_path: Path) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        plan = await planned(practice)
        practice.world.deploy(PHASE2, "old")
        with pytest.raises(RefusedError, match="no longer serves"):
            await applied(practice, plan)
        assert practice.changes == []


async def test_traffic_that_is_split_says_not_what_jobs_should_run(tmp_path: Path) -> None:
    async with cloud("split-traffic", tmp_path) as practice:
        split = next(each.name for each in practice.settings.pipeline.services if len(practice.serving(each.name)) > 1)
        following = practice.with_job(ONE, follows=split)
        with pytest.raises(RefusedError, match="serves 2 digests"):
            await planned(following, service=split)


async def test_refusals_lost_answers_and_calls_that_never_came_are_told_job_by_job(tmp_path: Path) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        plan = await planned(practice, ONE)
        practice.world.faults.add(Fault(method="UpdateJob", status="PERMISSION_DENIED", times=1))
        (refused,) = (await applied(practice, plan)).jobs
        plan = await planned(practice, ONE)
        practice.world.faults.add(Fault(method="UpdateJob", status="UNAVAILABLE", skip=1, times=1))
        (silent,) = (await applied(practice, plan)).jobs
        practice.world.faults.add(Fault(method="UpdateJob", status="UNAVAILABLE", after=True, skip=1, times=1))
        lost = await applied(practice, plan)

    assert refused.fate is JobFate.REFUSED
    assert "PERMISSION_DENIED" in (refused.why or "")
    assert silent.fate is JobFate.UNKNOWN
    assert (lost.jobs[0].fate, lost.exit_code, lost.resumed) == (JobFate.UPDATED, 0, True)


async def test_a_job_that_cannot_be_read_leaves_nothing_planned(tmp_path: Path) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        practice.world.faults.add(Fault(method="GetJob", status="PERMISSION_DENIED", skip=3, times=1))
        with pytest.raises(UnseenError, match="PERMISSION_DENIED"):
            await planned(practice)


class OddStore(RunStore):
    """A way to Cloud Run that fails at one job as nobody expects, and takes its time for the others."""

    async def update_job(self, wanted: Message, *, rehearse: bool) -> Message | None:
        if wanted.name.endswith(ONE):
            raise OverflowError("a number that no calendar holds")
        await asyncio.sleep(0.05)
        return await super().update_job(wanted, rehearse=rehearse)


async def test_an_error_that_nobody_expected_keeps_no_job_from_its_end_and_each_is_told(tmp_path: Path) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        plan = await planned(practice)
        async with practice.session(writing=True) as session:
            store = session.store
            session.store = OddStore(*(getattr(store, each.name) for each in fields(store)))
            outcome = await apply_job_update(session, plan, agreed(plan), practice.audit)
        now, calls = images(practice), len(practice.changes)
        await asyncio.sleep(0.2)
        moments = [line.event.moment for line in practice.audit.lines()]

        assert len(practice.changes) == calls, "nothing runs on after the answer"
    fates = {each.name: each.fate for each in outcome.jobs}
    (odd,) = [each for each in outcome.jobs if each.name == ONE]
    assert (fates.pop(ONE), outcome.exit_code, outcome.summary) == (JobFate.UNKNOWN, 3, "20 of 21 jobs updated")
    assert "OverflowError: a number that no calendar holds" in (odd.why or "")
    assert set(fates.values()) == {JobFate.UPDATED}
    assert {image for name, image in now.items() if name != ONE} == {plan.jobs[0].after}
    assert moments == ["before", "interrupted"]
