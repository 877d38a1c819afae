"""Whose deploys a service or job is stands in every plan; past its owner it is changed only by somebody who says so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from validate_daily.repairs.cloud_run.jobs import apply_job_update, plan_job_update
from validate_daily.repairs.cloud_run.rollback import apply_rollback, plan_rollback
from validate_daily.repairs.plans.errors import RefusedError
from validate_daily.repairs.words import plan_lines, question
from validate_daily.sandbox.run.state import Job, Service

from support.repair_bench import agreed
from support.rollout_cloud import PHASE2, Cloud, cloud

ONE = "bdl-standings-processor-backfill"
Told = Callable[[Service | Job], None]


def labelled(**labels: str) -> Told:
    def tell(one: Service | Job) -> None:
        one.labels = {**one.labels, **{name.replace("_", "-"): value for name, value in labels.items()}}

    return tell


def annotated(name: str, value: str) -> Told:
    def tell(one: Service | Job) -> None:
        one.annotations = {**one.annotations, name: value}

    return tell


def by(client: str) -> Told:
    def tell(one: Service | Job) -> None:
        one.client = client

    return tell


OWNED = {
    "Terraform's own label": (labelled(goog_terraform_provisioned="true"), "terraform"),
    "Terraform as the client": (by("terraform"), "terraform"),
    "a label that says Terraform manages it": (labelled(managed_by="Terraform"), "terraform"),
    "Cloud Deploy by its label": (labelled(managed_by="google-cloud-deploy"), "cloud-deploy"),
    "Cloud Deploy by its annotation": (
        annotated("deploy.cloud.google.com/delivery-pipeline-id", "shop"),
        "cloud-deploy",
    ),
    "Cloud Deploy as the client": (by("cloud-deploy"), "cloud-deploy"),
    "a build trigger": (labelled(gcb_trigger_id="0123"), "cloud-build"),
    "a workflow": (labelled(managed_by="github-actions"), "github-actions"),
    "Pulumi as the client": (by("pulumi"), "pulumi"),
}
NOBODYS = {
    "gcloud": by("gcloud"),
    "the console": by("cloud-console"),
    "no client at all": by(""),
    "Terraform let go of it": labelled(goog_terraform_provisioned="false"),
    "a team's label": labelled(team="terraformers", deployment="cloud-deployments"),
}
FUNCTIONS = {
    "Google's label": labelled(goog_managed_by="cloudfunctions"),
    "the client": by("cloudfunctions"),
    "Google's label beside Terraform's": labelled(goog_managed_by="cloudfunctions", goog_terraform_provisioned="true"),
}


async def refused(practice: Cloud, **told: Any) -> str:
    """Why a redeploy is not started, after it was planned."""
    plan = await practice.plan(**told)
    with pytest.raises(RefusedError) as error:
        await practice.apply(plan)
    assert practice.changes == []
    assert list(practice.audit.lines()) == []
    return f"{error.value.reason}; {error.value.next_step}"


@pytest.mark.parametrize(("tell", "tool"), OWNED.values(), ids=OWNED)
async def test_a_redeploy_past_an_owner_is_shown_refused_and_done_where_somebody_says_so(
    tmp_path: Path, tell: Told, tool: str
) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        tell(practice.world.service(PHASE2))
        plan = await practice.plan()
        why = await refused(practice)
        outcome = await practice.apply(await practice.plan(override_owner=True))

    assert any(line.startswith(f"owner     {PHASE2} is deployed by {tool} (") for line in plan_lines(plan))
    assert f"Owner: {PHASE2} is deployed by {tool}" in question(plan)
    assert f"{PHASE2} is deployed by {tool}" in why
    assert f"validate-daily redeploy {PHASE2} --tag latest --override-owner" in why
    assert outcome.done is True


@pytest.mark.parametrize("tell", NOBODYS.values(), ids=NOBODYS)
async def test_what_no_tool_owns_is_redeployed_as_ever(tmp_path: Path, tell: Told) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        tell(practice.world.service(PHASE2))
        plan = await practice.plan()
        outcome = await practice.apply(plan)

    assert (plan.owned, plan.refusal, outcome.done) == (None, None, True)


@pytest.mark.parametrize("tell", FUNCTIONS.values(), ids=FUNCTIONS)
async def test_a_function_is_repaired_by_its_own_deploy_only(tmp_path: Path, tell: Told) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        tell(practice.world.service(PHASE2))
        why = await refused(practice, override_owner=True)
        assert "a function is repaired by its own deploy only: deploy the function by itself" in why
        assert "--override-owner" not in why


async def test_the_settings_say_whose_it_is_and_how_it_is_deployed(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        theirs = practice.with_service(PHASE2, managed_by="spinnaker", deploy_command="make deploy SERVICE=phase2")
        why = await refused(theirs)
        by("terraform")(practice.world.service(PHASE2))
        nobodys = practice.with_service(PHASE2, managed_by="none")
        outcome = await nobodys.apply(await nobodys.plan())

    assert f"{PHASE2} is deployed by spinnaker (settings managed_by)" in why
    assert "; make deploy SERVICE=phase2; to change it nevertheless: " in why
    assert outcome.done is True


async def test_a_function_stays_one_whatever_the_settings_say(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        labelled(goog_managed_by="cloudfunctions")(practice.world.service(PHASE2))
        assert "its own deploy only" in await refused(practice.with_service(PHASE2, managed_by="none"))


async def test_a_rollback_past_an_owner_needs_the_same_word(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        before = practice.serving()[0][0]
        practice.world.deploy(PHASE2, "old")
        by("terraform")(practice.world.service(PHASE2))
        async with practice.session() as session:
            plain = await plan_rollback(session, PHASE2, to=before)
            plan = await plan_rollback(session, PHASE2, to=before, override_owner=True)
        async with practice.session(writing=True) as session:
            with pytest.raises(RefusedError, match=f"rollback {PHASE2} --to {before} --override-owner"):
                await apply_rollback(session, plain, agreed(plain), practice.audit)
            assert practice.changes == []
            assert (await apply_rollback(session, plan, agreed(plan), practice.audit)).done


async def test_jobs_past_their_owner_are_refused_and_named(tmp_path: Path) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        job = next(each for each in practice.world.run.jobs.values() if each.short == ONE)
        labelled(goog_terraform_provisioned="true")(job)
        async with practice.session() as session:
            plain = await plan_job_update(session, PHASE2)
            plan = await plan_job_update(session, PHASE2, jobs=[ONE], override_owner=True)
        async with practice.session(writing=True) as session:
            with pytest.raises(RefusedError, match=f"{ONE} is deployed by terraform"):
                await apply_job_update(session, plain, agreed(plain), practice.audit)
            assert practice.changes == []
            outcome = await apply_job_update(session, plan, agreed(plan), practice.audit)

    assert any(line.startswith(f"owner     {ONE} is deployed by terraform") for line in plan_lines(plain))
    assert outcome.complete
