"""A person who approves a known-bad image types so, and past its owner no tool changes a service."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from validate_daily.repairs.plans.cloud_run_plans import RedeployPlan
from validate_daily.sandbox import Sandbox, build
from validate_daily.sandbox.images import Build

from support.approvals import REDEPLOY, SERVICE, Ground, Person, resealed
from support.rollout_cloud import PHASE2

MODERN = "2026-07-28"


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncGenerator[Ground]:
    async with Sandbox(build("tag-moved")) as cloud:
        ground = Ground(cloud, tmp_path, MODERN, http=False)
        ground.write()
        yield ground


async def test_a_known_bad_image_needs_the_argument_and_the_words(ground: Ground) -> None:
    world = ground.cloud.world
    world.images.push(world.pipeline.repository(PHASE2), Build("old", "0ddba115"), at=world.clock.now())
    refused = await ground.call(None, "plan_redeploy", **SERVICE)
    assert refused.refused
    assert f"validate-daily redeploy {PHASE2} --tag latest --even-if-bad" in refused.text

    plan = (await ground.call(None, "plan_redeploy", **SERVICE, even_if_bad=True)).answer
    assert any(note.startswith("KNOWN TO BE BAD: LACKS") for note in plan["notes"])
    short = await ground.call(Person(typed=f"{PHASE2} 1"), REDEPLOY.tool, plan=plan["plan"])
    assert (short.applied, ground.changes) == (False, 0)

    again = Ground(ground.cloud, ground.folder, MODERN, http=False)
    person = Person()
    done = await again.call(person, REDEPLOY.tool, plan=plan["plan"])
    assert done.applied
    assert person.asked[0].endswith(f"To agree, type: {PHASE2} 1 even if bad")


@pytest.mark.parametrize("override", [False, True], ids=["as planned", "with the override sealed in"])
@pytest.mark.parametrize("client", ["terraform", "cloudfunctions"])
async def test_past_its_owner_no_tool_changes_a_service(ground: Ground, client: str, *, override: bool) -> None:
    ground.cloud.world.service(PHASE2).client = client
    plan = (await ground.call(None, "plan_redeploy", **SERVICE)).answer
    assert any(note.startswith(f"{PHASE2} is deployed by {client}") for note in plan["notes"])
    assert plan["approval"] == "terminal"
    token = resealed(plan["plan"], RedeployPlan, override_owner=True) if override else plan["plan"]
    person = Person()
    told = await ground.call(person, REDEPLOY.tool, plan=token)

    may = override and client == "terraform"
    assert (told.applied, bool(person.asked), ground.changes > 0) == (may, may, may)
    assert may or f"is deployed by {client}" in told.text
