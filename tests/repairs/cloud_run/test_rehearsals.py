"""What Cloud Run answers to ``validate_only`` is compared inside the mask: only a set field that changes refuses."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from validate_daily.repairs.cloud_run.jobs import apply_job_update, plan_job_update
from validate_daily.repairs.cloud_run.rollback import apply_rollback, plan_rollback
from validate_daily.repairs.plans.cloud_run_outcomes import JobFate, JobResult, Rollout
from validate_daily.repairs.words import result_lines
from validate_daily.sandbox import Fault
from validate_daily.sandbox.run.rehearsal import Rehearsal

from support.repair_bench import agreed
from support.rollout_cloud import PHASE2, Cloud, cloud

ONE = "bdl-standings-processor-backfill"
GOES_ON = {
    "done, and no body": Rehearsal(body="none"),
    "not done": Rehearsal(body="not-done"),
    "defaults are filled in": Rehearsal(fills_in=True),
    "fields outside the mask come back unset": Rehearsal(forgets=True),
    "defaults and unset fields at once": Rehearsal(fills_in=True, forgets=True),
    "as it was sent": Rehearsal(),
}
REFUSES = {
    "an environment variable vanishes": Rehearsal(drops=frozenset({"GCP_PROJECT_ID"})),
    "it vanishes while defaults come in": Rehearsal(drops=frozenset({"GCP_PROJECT_ID"}), fills_in=True, forgets=True),
    "a set field changes": Rehearsal(changes=True),
}


@asynccontextmanager
async def moved(folder: Path, rehearsal: Rehearsal) -> AsyncGenerator[Cloud]:
    async with cloud("tag-moved", folder) as practice:
        practice.world.run.rehearsal = rehearsal
        yield practice


async def rolled_back(practice: Cloud, to: str) -> Rollout:
    async with practice.session() as session:
        plan = await plan_rollback(session, PHASE2, to=to)
    async with practice.session(writing=True) as session:
        return await apply_rollback(session, plan, agreed(plan), practice.audit)


async def updated(practice: Cloud) -> JobResult:
    async with practice.session() as session:
        plan = await plan_job_update(session, PHASE2, jobs=[ONE])
    async with practice.session(writing=True) as session:
        outcome = await apply_job_update(session, plan, agreed(plan), practice.audit)
    return outcome.jobs[0]


@pytest.mark.parametrize("rehearsal", GOES_ON.values(), ids=GOES_ON)
async def test_a_redeploy_goes_on_and_says_what_is_filled_in(tmp_path: Path, rehearsal: Rehearsal) -> None:
    async with moved(tmp_path, rehearsal) as practice:
        outcome = await practice.apply(await practice.plan())

    assert (outcome.done, outcome.reason) == (True, None)
    told = [step for step in outcome.steps if "fills in" in step]
    assert [("startup_probe" in step, "execution_environment" in step) for step in told] == (
        [(True, True)] if rehearsal.fills_in else []
    )


@pytest.mark.parametrize("rehearsal", REFUSES.values(), ids=REFUSES)
async def test_a_redeploy_is_refused_where_a_set_field_would_change(tmp_path: Path, rehearsal: Rehearsal) -> None:
    async with moved(tmp_path, rehearsal) as practice:
        before = practice.world.service(PHASE2).template
        outcome = await practice.apply(await practice.plan())
        after = practice.world.service(PHASE2).template

    assert outcome.done is False
    assert "Cloud Run would also change template." in (outcome.reason or "")
    assert ("timeout" if rehearsal.changes else "env") in (outcome.reason or "")
    assert (after, practice.changes) == (before, ["UpdateService"])


@pytest.mark.parametrize("rehearsal", [*GOES_ON.values(), *REFUSES.values()], ids=[*GOES_ON, *REFUSES])
async def test_a_rollback_minds_only_its_traffic(tmp_path: Path, rehearsal: Rehearsal) -> None:
    async with cloud("healthy", tmp_path) as practice:
        before = practice.serving()[0][0]
        practice.world.deploy(PHASE2, "old")
        practice.world.run.rehearsal = rehearsal
        outcome = await rolled_back(practice, before)

        assert (outcome.done, outcome.reason) == (True, None)
        assert [(name, percent) for name, percent, _ in practice.serving()] == [(before, 100)]


@pytest.mark.parametrize("rehearsal", GOES_ON.values(), ids=GOES_ON)
async def test_a_job_is_updated_and_says_what_is_filled_in(tmp_path: Path, rehearsal: Rehearsal) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        practice.world.run.rehearsal = rehearsal
        job = await updated(practice)

    assert (job.fate, job.why) == (JobFate.UPDATED, None)
    assert ("template.template.execution_environment" in (job.filled or "")) is rehearsal.fills_in


@pytest.mark.parametrize("rehearsal", REFUSES.values(), ids=REFUSES)
async def test_a_job_is_left_alone_where_a_set_field_would_change(tmp_path: Path, rehearsal: Rehearsal) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        practice.world.run.rehearsal = rehearsal
        job = await updated(practice)

        assert job.fate is JobFate.REFUSED
        assert "Cloud Run would also change template.template." in (job.why or "")
        assert practice.changes == ["UpdateJob"]


async def test_what_is_filled_in_is_shown_to_people(tmp_path: Path) -> None:
    async with moved(tmp_path, Rehearsal(fills_in=True)) as practice:
        lines = result_lines(await practice.apply(await practice.plan()))
    assert any("fills in what was not set: template.containers[0].resources.cpu_idle" in line for line in lines)


@pytest.mark.parametrize("change", ["rehearsal", "change"])
async def test_a_revision_name_that_is_taken_gets_a_step_about_the_name(tmp_path: Path, change: str) -> None:
    taken = f"{PHASE2}-v2"
    refusal = Fault(
        method="UpdateService",
        status="ALREADY_EXISTS",
        message=f"Revision named '{taken}' with different configuration already exists.",
        skip=0 if change == "rehearsal" else 1,
    )
    async with cloud("healthy", tmp_path) as practice:
        before = practice.serving()[0][0]
        practice.world.deploy(PHASE2, "old")
        practice.world.faults.add(refusal)
        outcome = await rolled_back(practice, before)

    assert outcome.done is False
    assert f"names its next revision {taken}, and another revision has that name" in (outcome.next_step or "")
    assert f"gcloud run services update {PHASE2} " in (outcome.next_step or "")
    assert "find out who" not in (outcome.next_step or "")


async def test_a_rollback_works_although_the_template_bears_a_taken_name(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        before = practice.serving()[0][0]
        practice.world.deploy(PHASE2, "old")
        service = practice.world.service(PHASE2)
        service.template = replace(service.template, revision=before)
        outcome = await rolled_back(practice, before)

        assert (outcome.done, service.template.revision) == (True, before)
        assert [name for name, _, _ in practice.serving()] == [before]


async def test_a_conflict_of_another_kind_still_asks_who_changed_it(tmp_path: Path) -> None:
    async with moved(tmp_path, Rehearsal()) as practice:
        practice.world.faults.add(Fault(method="UpdateService", status="ABORTED", message="Conflict for resource"))
        outcome = await practice.apply(await practice.plan())
    assert outcome.next_step == "find out who changed it, and plan again"
