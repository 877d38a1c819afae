"""A later deploy of somebody else inherits the label of a redeploy: image and generation tell that it is not ours."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from validate_daily.repairs.cloud_run.rollback import plan_rollback
from validate_daily.repairs.plans.errors import RefusedError
from validate_daily.sandbox.images import Build

from support.rollout_cloud import PHASE2, Cloud, cloud


def another_image(practice: Cloud) -> None:
    """As gcloud run deploy does it: the template as it is, with another image."""
    world = practice.world
    repository = world.pipeline.repository(PHASE2)
    digest = world.images.push(repository, Build("old", "0ddba115"), "theirs", at=world.clock.now())
    service = world.service(PHASE2)
    (container,) = service.template.containers
    theirs = replace(service.template, containers=(replace(container, image=f"{repository}@{digest}"),), revision="")
    world.run.update(service, template=theirs, at=world.clock.now(), takes=timedelta())


def other_settings(practice: Cloud) -> None:
    """As gcloud run services update does it: the same image, with another environment."""
    world = practice.world
    service = world.service(PHASE2)
    (container,) = service.template.containers
    theirs = replace(service.template, containers=(replace(container, environment={"MODE": "x"}),), revision="")
    world.run.update(service, template=theirs, at=world.clock.now(), takes=timedelta())


SOMEBODY = {"another image": (another_image, "deployed"), "other settings": (other_settings, "changed")}


@pytest.mark.parametrize(("change", "told"), SOMEBODY.values(), ids=SOMEBODY)
async def test_a_rollback_says_that_somebody_changed_the_service_since(
    tmp_path: Path, change: Callable[[Cloud], None], told: str
) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        assert (await practice.apply(plan)).done
        change(practice)
        assert practice.world.service(PHASE2).template.labels["redeploy-plan"] == plan.id
        async with practice.session() as session:
            notes = (await plan_rollback(session, PHASE2, audit=practice.audit)).notes

    assert any(note.startswith(f"somebody {told} the service") for note in notes)


async def test_a_rollback_says_nothing_of_the_kind_where_nobody_did(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        assert (await practice.apply(await practice.plan())).done
        async with practice.session() as session:
            notes = (await plan_rollback(session, PHASE2, audit=practice.audit)).notes

    assert not any(note.startswith("somebody") for note in notes)


@pytest.mark.parametrize(("change", "told"), SOMEBODY.values(), ids=SOMEBODY)
async def test_one_who_deploys_while_a_redeploy_waits_is_told_of_although_they_inherit_its_label(
    tmp_path: Path, change: Callable[[Cloud], None], told: str
) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        looks: list[str] = []

        def deploy(what: str, _done: int, _total: int | None) -> None:
            looks.append(what)
            if len(looks) == 1:
                change(practice)

        outcome = await practice.apply(await practice.plan(), progress=deploy)

    assert (outcome.done, outcome.exit_code) == (False, 1)
    assert f"somebody else {told} {PHASE2} meanwhile" in (outcome.reason or "")


@pytest.mark.parametrize(("change", "told"), SOMEBODY.values(), ids=SOMEBODY)
async def test_a_redeploy_that_was_broken_off_is_not_gone_on_with_over_somebody_elses_deploy(
    tmp_path: Path, change: Callable[[Cloud], None], told: str
) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        practice.world.run.takes = timedelta(seconds=60)
        assert (await practice.apply(plan, seconds=2)).done is None
        practice.world.advance(timedelta(minutes=2))
        for _ in range(2):
            change(practice)
        calls, wanted = len(practice.changes), practice.world.service(PHASE2).traffic

        with pytest.raises(RefusedError, match="somebody changed"):
            await practice.apply(plan)
        assert (len(practice.changes), practice.world.service(PHASE2).traffic) == (calls, wanted)
    assert told


async def test_the_tag_of_our_last_redeploy_is_not_used_where_somebody_deployed_another_digest(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        assert (await practice.apply(await practice.plan())).done
        another_image(practice)
        with pytest.raises(RefusedError, match="was not deployed by a tag, and the settings name none"):
            await practice.plan(audit=practice.audit)
