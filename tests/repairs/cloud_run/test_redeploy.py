"""A redeploy changes the image alone, proves it before it gets traffic, and says truly where it ended."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from validate_daily.repairs.cloud_run.redeploy import apply_redeploy, plan_redeploy
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError, RepairError, UnseenError
from validate_daily.sandbox import Fault, World
from validate_daily.sandbox.images import Build

from support.repair_bench import agreed
from support.rollout_cloud import PHASE2, PHASE3, cloud

OLD = f"{PHASE2}-00129-lf2"


def push(world: World, build: Build, service: str = PHASE2) -> str:
    return world.images.push(world.pipeline.repository(service), build, at=world.clock.now())


async def test_a_moved_tag_is_resolved_shown_rolled_out_and_proved(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        assert practice.changes == []
        outcome = await practice.apply(plan)

        assert (plan.tag, plan.commit, plan.older, plan.moves_traffic) == ("latest", "7a91c04d", False, False)
        assert plan.uploaded_at is not None
        assert plan.serving_uploaded_at is not None
        assert [each.revision for each in plan.serving] == [OLD]
        assert (outcome.done, outcome.exit_code, outcome.reason) == (True, 0, None)
        assert outcome.created == outcome.ready == outcome.revision
        assert [(each.revision, each.percent, each.digest) for each in outcome.serving] == [
            (outcome.revision, 100, plan.digest)
        ]
        assert [image for _, _, image in practice.serving()] == [plan.image]
        assert any("no line of severity ERROR" in each for each in outcome.effect)
        assert any("heartbeats since it was made" in each for each in outcome.effect)


async def test_a_plan_says_what_the_files_of_the_new_image_hold(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        assert (await practice.plan()).notes[0] == "its files hold what 2 code probes look for"
        push(practice.world, Build("old", "7a91c04e"))
        note = (await practice.plan(even_if_bad=True)).notes[0]

    assert note.startswith("LACKS one-document-per-processor: /app/shared/monitoring/processor_heartbeat.py does not")


async def test_nothing_but_the_image_its_labels_and_the_name_changes(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        before = practice.world.service(PHASE2)
        before.labels = {**before.labels, "team": "data"}
        before.template = replace(before.template, labels={**before.template.labels, "tier": "raw"})
        template, labels, traffic = before.template, before.labels, before.traffic
        plan = await practice.plan()
        await practice.apply(plan)

        after = practice.world.service(PHASE2)
        assert (after.labels, after.traffic) == ({**labels, "commit-sha": "7a91c04d"}, traffic)
        assert after.template.labels == {**template.labels, "commit-sha": "7a91c04d", "redeploy-plan": plan.id}
        assert replace(after.template, containers=(), labels={}) == replace(template, containers=(), labels={})
        assert "the label commit-sha: ce269d67 becomes 7a91c04d" in plan.changes
        (was,), (now,) = template.containers, after.template.containers
        assert (now.environment, now.port, now.command, now.limits) == (
            was.environment,
            was.port,
            was.command,
            was.limits,
        )


async def test_the_new_revision_gets_no_traffic_until_it_is_ready(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        met: list[set[str]] = []

        def look(what: str, _done: int, _total: int | None) -> None:
            if what == f"{PHASE2}: waiting for the new revision":
                met.append({name for name, _, _ in practice.serving()})

        outcome = await practice.apply(await practice.plan(), progress=look)

    assert outcome.done is True
    assert len(met) > 1
    assert all(each == {OLD} for each in met)


async def test_what_does_not_start_is_not_deployed_and_what_served_serves_on(tmp_path: Path) -> None:
    async with cloud("gunicorn-missing", tmp_path) as practice:
        plan = await practice.plan(even_if_bad=True)
        outcome = await practice.apply(plan)

        assert any("FAILED BEFORE" in note for note in plan.notes)
        assert (outcome.done, outcome.exit_code) == (False, 1)
        assert "HEALTH_CHECK_CONTAINER_ERROR" in (outcome.reason or "")
        assert any("gunicorn" in line for line in outcome.lines)
        assert [each.revision for each in outcome.serving] == [OLD]
        assert outcome.wanted == plan.wanted
        assert outcome.created == outcome.revision != outcome.ready == OLD


async def test_a_tag_that_moves_after_the_plan_is_refused(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        push(practice.world, Build("new", "feedf00d"))

        with pytest.raises(RefusedError, match="the tag latest moved since the plan"):
            await practice.apply(plan)
        assert practice.changes == []


async def test_somebody_who_deploys_between_plan_and_apply_is_not_overwritten(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        practice.world.deploy(PHASE2, "old")
        serving = practice.serving()

        with pytest.raises(RefusedError, match="somebody changed nba-phase2-raw-processors since the plan"):
            await practice.apply(plan)
        assert (practice.changes, practice.serving()) == ([], serving)


async def test_somebody_who_deploys_meanwhile_is_told_of_and_left_alone(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:

        def deploy(_what: str, done: int, _total: int | None) -> None:
            if done == 1:
                practice.world.deploy(PHASE2, "old")

        outcome = await practice.apply(await practice.plan(), progress=deploy)

        assert (outcome.done, outcome.exit_code) == (False, 1)
        assert "somebody else deployed" in (outcome.reason or "")
        assert outcome.serving[0].revision == practice.serving()[0][0] != OLD


async def test_pinned_traffic_is_explained_and_moved_only_where_the_plan_says_so(tmp_path: Path) -> None:
    async with cloud("pinned-traffic", tmp_path) as practice:
        with pytest.raises(RefusedError, match=r"is pinned .*would get none of it.*--unpin"):
            await practice.plan(PHASE3)
        plan = await practice.plan(PHASE3, unpin=True)
        outcome = await practice.apply(plan)

        assert plan.moves_traffic
        assert any("becomes 100 % to the latest" in change for change in plan.changes)
        assert (outcome.done, outcome.serving[0].digest) == (True, plan.digest)


async def test_an_older_image_and_one_of_another_repository_are_called_so(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        world = practice.world
        repository = world.pipeline.repository(PHASE2)
        old = world.images.push(repository, Build("old", "e05b63b3"), "aged", at=world.clock.now() - timedelta(days=90))
        plan = await practice.plan(tag="aged", even_if_bad=True)
        same = await practice.plan(digest=old, even_if_bad=True)

    assert (plan.digest, plan.older) == (old, True)
    assert any(note.startswith("OLDER") for note in plan.notes)
    assert (same.digest, same.tag) == (old, None)
    async with cloud("healthy", tmp_path, more="") as practice:
        other = f"{world.pipeline.repository(PHASE2)}-next"
        practice.world.images.push(other, Build("new", "feedf00d"), at=practice.world.clock.now())
        settings = practice.with_service(PHASE2, repository=other)
        async with settings.session() as session:
            plan = await plan_redeploy(session, PHASE2)

    assert plan.repository == other
    assert any(note.startswith("OTHER REPOSITORY") for note in plan.notes)


async def test_nothing_is_planned_where_all_traffic_meets_the_digest(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        with pytest.raises(NothingToDoError, match="meets sha256:"):
            await practice.plan()


async def test_a_tag_or_service_that_is_not_there_is_refused(tmp_path: Path) -> None:
    async with cloud("healthy", tmp_path) as practice:
        with pytest.raises(RefusedError, match="has no image nowhere"):
            await practice.plan(tag="nowhere")
        with pytest.raises(RefusedError, match="has no image sha256:0000"):
            await practice.plan(digest=f"sha256:{'0' * 64}")
        with pytest.raises(RepairError, match=r"not among \[\[services\]\]"):
            await practice.plan("somebody-elses")


async def test_a_registry_that_does_not_answer_leaves_nothing_planned(tmp_path: Path) -> None:
    async with cloud("denied-registry", tmp_path) as practice:
        with pytest.raises(UnseenError, match="registry"):
            await practice.plan()


async def test_a_permission_that_is_lost_midway_is_told_with_what_serves(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        # A rehearsal and the change of the template go through; the shift of traffic does not.
        practice.world.faults.add(Fault(method="UpdateService", status="PERMISSION_DENIED", skip=2))
        outcome = await practice.apply(plan)
        held = practice.serving()
        practice.world.faults.clear()
        with pytest.raises(RefusedError, match="is over and cannot start again"):
            await practice.apply(plan)
        again = await practice.apply(await practice.plan(unpin=True, audit=practice.audit))

    assert (outcome.done, outcome.exit_code) == (False, 1)
    assert "PERMISSION_DENIED" in (outcome.reason or "")
    assert "roles/run.developer" in (outcome.next_step or "")
    assert [each.revision for each in outcome.serving] == [OLD] == [name for name, _, _ in held]
    assert (again.done, again.resumed) == (True, False)
    assert again.serving[0].digest == plan.digest


@pytest.mark.parametrize("lost", [1, 3], ids=["of the template", "of the traffic"])
async def test_an_acknowledgement_that_is_lost_is_looked_up(tmp_path: Path, lost: int) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        practice.world.faults.add(Fault(method="UpdateService", status="UNAVAILABLE", after=True, skip=lost, times=1))
        outcome = await practice.apply(plan)

    assert (outcome.done, outcome.serving[0].digest) == (True, plan.digest)


async def test_a_change_that_never_arrived_is_not_known_and_not_repeated(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        practice.world.faults.add(Fault(method="UpdateService", status="UNAVAILABLE", skip=1, times=1))
        outcome = await practice.apply(plan)

        assert (outcome.done, outcome.exit_code) == (None, 3)
        assert "did not acknowledge" in (outcome.reason or "")
        assert [name for name, _, _ in practice.serving()] == [OLD]


@pytest.mark.parametrize("at", ["waiting for the new revision", "waiting for the traffic"])
async def test_one_that_is_cut_off_midway_is_known_and_goes_on(tmp_path: Path, at: str) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()

        def cut_off(what: str, _done: int, _total: int | None) -> None:
            if what == f"{PHASE2}: {at}":
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await practice.apply(plan, progress=cut_off)
        broken = [line.event.moment for line in practice.audit.lines()]
        outcome = await practice.apply(plan)

        assert broken == ["before", "interrupted"]
        assert (outcome.done, outcome.resumed) == (True, True)
        assert outcome.serving[0].digest == plan.digest
        revisions = practice.world.service(PHASE2).revisions
        assert sum(each.template.labels.get("redeploy-plan") == plan.id for each in revisions.values()) == 1


async def test_a_time_that_is_too_short_ends_not_known_and_says_how_to_go_on(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        practice.world.run.takes = timedelta(seconds=60)
        outcome = await practice.apply(plan, seconds=2)

    assert (outcome.done, outcome.exit_code) == (None, 3)
    assert "--resume" in (outcome.next_step or "")


async def test_an_unapproved_plan_and_a_reading_session_change_nothing(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan, other = await practice.plan(), await practice.plan()
        async with practice.session(writing=True) as session:
            with pytest.raises(RefusedError, match="another plan's"):
                await apply_redeploy(session, plan, agreed(other), practice.audit)
        async with practice.session() as session:
            with pytest.raises(RepairError, match="only reads"):
                await apply_redeploy(session, plan, agreed(plan), practice.audit)

        assert practice.changes == []


async def test_what_the_registry_does_not_tell_is_noted_and_keeps_nothing_back(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        practice.world.faults.add(Fault(method="GetBlob", status="PERMISSION_DENIED"))
        plan = await practice.plan()

    assert plan.commit is None
    assert any(note.startswith("which commit the image claims could not be read") for note in plan.notes)


async def test_an_effect_that_cannot_be_seen_is_unknown_and_no_failure(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        for service in ("logging", "firestore"):
            practice.world.faults.add(Fault(method="*", service=service, status="PERMISSION_DENIED"))
        outcome = await practice.apply(plan)

    assert outcome.done is True
    files, *rest = outcome.effect
    assert files == "its files hold what 2 code probes look for"
    assert len(rest) == 2
    assert all(each.startswith("unknown: ") and "PERMISSION_DENIED" in each for each in rest)


async def test_the_tag_of_our_last_redeploy_is_not_used_where_somebody_deployed_by_digest_since(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        assert (await practice.apply(await practice.plan())).done
        service = practice.world.service(PHASE2)
        theirs = replace(service.template, labels={"deployed-by": "somebody"}, revision="")
        now = practice.world.clock.now()
        practice.world.run.update(
            service, template=theirs, traffic=service.traffic, labels={}, at=now, takes=timedelta()
        )

        with pytest.raises(RefusedError, match="was not deployed by a tag, and the settings name none"):
            await practice.plan(audit=practice.audit)
