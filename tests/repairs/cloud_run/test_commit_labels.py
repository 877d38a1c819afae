"""The label that claims a commit follows the image, and no repair leaves a claim that is not true."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checks.ask.snapshot import check
from validate_daily.repairs.cloud_run.jobs import apply_job_update, plan_job_update
from validate_daily.repairs.cloud_run.rollback import apply_rollback, plan_rollback
from validate_daily.repairs.plans.cloud_run_outcomes import JobsUpdate
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError, RepairError
from validate_daily.repairs.words import plan_lines, question
from validate_daily.sandbox.images import Build

from support.repair_bench import agreed
from support.rollout_cloud import PHASE2, Cloud, cloud

OLD = f"{PHASE2}-00129-lf2"
LABEL = "commit-sha"


def claims(practice: Cloud) -> tuple[str | None, str | None]:
    """What the service claims, and its template."""
    service = practice.world.service(PHASE2)
    return service.labels.get(LABEL), service.template.labels.get(LABEL)


async def redeployed(practice: Cloud, **told: Any) -> tuple[str, ...]:
    plan = await practice.plan(**told)
    assert (await practice.apply(plan)).done
    return plan.changes


def push(practice: Cloud, commit: str, tag: str | None = "latest") -> str:
    world = practice.world
    return world.images.push(world.pipeline.repository(PHASE2), Build("new", commit), tag, at=world.clock.now())


@pytest.mark.parametrize(
    ("commit", "tag", "label"),
    [
        ("feedf00d", "latest", "feedf00d"),
        ("FEEDF00D", "latest", "feedf00d"),
        ("b27420e01c5f0a7d9b3c1e2f4a6b8c0d1e2f3a4b", "latest", "b27420e01c5f0a7d9b3c1e2f4a6b8c0d1e2f3a4b"),
        ("", "feedf00d", "feedf00d"),
        ("release 1.4", "feedf00d", "feedf00d"),
        ("release 1.4", "latest", None),
        ("", "20241115", None),
        ("", "latest", None),
    ],
    ids=["its own", "in capitals", "in full", "a tag", "a tag beside words", "words", "a date", "nothing"],
)
async def test_the_label_becomes_what_the_image_claims_else_its_tag_else_it_is_removed(
    tmp_path: Path, commit: str, tag: str, label: str | None
) -> None:
    async with cloud("healthy", tmp_path) as practice:
        push(practice, commit, tag)
        changes = await redeployed(practice, tag=tag)

        assert claims(practice) == (label, label)
        assert any(f"becomes {label}" in each if label else "is removed" in each for each in changes)


async def test_another_tag_of_the_same_image_names_its_commit(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        digest = push(practice, "")
        practice.world.registry.tag(practice.world.pipeline.repository(PHASE2).partition("/")[2], "cafe1234", digest)
        await redeployed(practice)
        assert claims(practice) == ("cafe1234", "cafe1234")


async def test_tags_that_name_two_commits_name_none(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        digest = push(practice, "")
        for tag in ("cafe1234", "feedf00d"):
            practice.world.registry.tag(practice.world.pipeline.repository(PHASE2).partition("/")[2], tag, digest)
        await redeployed(practice)
        assert claims(practice) == (None, None)


async def test_a_label_that_nobody_set_is_not_added(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        service = practice.world.service(PHASE2)
        service.labels, service.template = {"team": "data"}, replace(service.template, labels={})
        changes = await redeployed(practice)

        assert service.labels == {"team": "data"}
        assert set(service.template.labels) == {"redeploy-plan"}
        assert not any(LABEL in each for each in changes)


async def test_a_label_of_the_service_alone_follows_with_the_traffic(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        service = practice.world.service(PHASE2)
        service.template = replace(service.template, labels={})
        await redeployed(practice)
        assert claims(practice) == ("7a91c04d", None)


async def test_what_does_not_start_leaves_the_service_its_label(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        before = claims(practice)[0]
        world = practice.world
        world.images.push(world.pipeline.repository(PHASE2), Build("new", "feedf00d", listens=False))
        outcome = await practice.apply(await practice.plan())

        assert outcome.done is False
        assert claims(practice) == (before, "feedf00d")


@pytest.mark.parametrize("to", [None, OLD], ids=["the last redeploy", "a named revision"])
async def test_a_rollback_takes_the_label_back(tmp_path: Path, to: str | None) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        before = claims(practice)[0]
        await redeployed(practice)
        async with practice.session() as session:
            plan = await plan_rollback(session, PHASE2, audit=practice.audit, to=to)
        async with practice.session(writing=True) as session:
            assert (await apply_rollback(session, plan, agreed(plan), practice.audit)).done

        assert f"the label {LABEL}: 7a91c04d becomes {before}" in plan.changes
        assert claims(practice) == (before, "7a91c04d")
        assert "commit-label-contradicted" not in await rules(practice)


async def rules(practice: Cloud) -> set[str]:
    """The rules that find something."""
    report = await check(practice.settings.pipeline, environment=practice.sandbox.environment())
    assert not [gap.reason for gap in report.gaps if gap.source != "clock"]
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize("scenario", ["tag-moved", "fix-pushed", "regrowing", "silent-stop"])
async def test_a_proven_repair_leaves_no_finding_that_was_not_there(tmp_path: Path, scenario: str) -> None:
    async with cloud(scenario, tmp_path) as practice:
        before = await rules(practice)
        for service in [each.name for each in practice.settings.pipeline.services]:
            with suppress(NothingToDoError, RefusedError):
                await practice.apply(await practice.plan(service, audit=practice.audit))
            with suppress(NothingToDoError, RefusedError, RepairError):
                assert (await jobs_updated(practice, service)).complete
        after = await rules(practice)

    assert after <= before


async def jobs_updated(practice: Cloud, service: str) -> JobsUpdate:
    async with practice.session() as session:
        plan = await plan_job_update(session, service)
    async with practice.session(writing=True) as session:
        return await apply_job_update(session, plan, agreed(plan), practice.audit)


async def test_a_job_gets_the_label_of_the_image_and_nothing_else_of_it_changes(tmp_path: Path) -> None:
    async with cloud("forgotten-jobs", tmp_path) as practice:
        jobs = list(practice.world.run.jobs.values())
        first, second = jobs[:2]
        first.labels, first.task = {LABEL: "0000aaaa", "team": "x"}, replace(first.task, labels={LABEL: "0000aaaa"})
        second.labels = {"team": "y"}
        before = {job.short: (job.task, job.annotations) for job in jobs}
        async with practice.session() as session:
            plan = await plan_job_update(session, PHASE2)
        async with practice.session(writing=True) as session:
            assert (await apply_job_update(session, plan, agreed(plan), practice.audit)).complete
        commit = practice.world.pipeline.fixed

        assert (dict(first.labels), dict(first.task.labels)) == ({LABEL: commit, "team": "x"}, {LABEL: commit})
        assert (dict(second.labels), dict(second.task.labels)) == ({"team": "y"}, {})
        assert {
            job.short: (replace(job.task, containers=before[job.short][0].containers, labels={}), job.annotations)
            for job in jobs
        } == {name: (replace(task, labels={}), annotations) for name, (task, annotations) in before.items()}
        assert any(f"the label {LABEL} of 20 jobs becomes {commit}" in line for line in plan_lines(plan))
        assert f"the label {LABEL} of 20 jobs becomes {commit}" in question(plan)
