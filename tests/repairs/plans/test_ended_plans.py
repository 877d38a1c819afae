"""A plan that has ended never starts again, and what the audit knows of one place is never used at another."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checks.settings.named_file_only import AuditLog
from validate_daily.handoff.repair_history import repairs_since
from validate_daily.repairs.cloud_run.rollback import apply_rollback, plan_rollback
from validate_daily.repairs.documents.cleanup import apply_cleanup
from validate_daily.repairs.documents.restore import apply_restore, plan_restore
from validate_daily.repairs.plans.audit_event import AuditError, AuditMoment, Event, ends, new_event
from validate_daily.repairs.plans.cloud_run_plans import RollbackPlan
from validate_daily.repairs.plans.errors import RefusedError
from validate_daily.repairs.plans.plan import RestorePlan, place_of
from validate_daily.repairs.stores.audit import open_audit
from validate_daily.repairs.stores.audit_file import FileAudit
from validate_daily.sandbox import Fault, Sandbox, World

from support.plans import PLAN
from support.repair_bench import COLLECTION, TRASH, Bench, agreed, run_ids, settings_for
from support.rollout_cloud import PHASE2, Cloud, cloud

OLD = f"{PHASE2}-00129-lf2"


async def rolled_back(practice: Cloud, audit: FileAudit, to: str | None = None) -> RollbackPlan:
    async with practice.session() as session:
        plan = await plan_rollback(session, PHASE2, audit=audit, to=to)
    async with practice.session(writing=True) as session:
        assert (await apply_rollback(session, plan, agreed(plan), audit)).done
    return plan


async def nothing_more(practice: Cloud) -> None:
    """Nobody took it back: it is done, and that is its end."""
    del practice


async def rolled_back_by_this_product(practice: Cloud) -> None:
    await rolled_back(practice, practice.audit)


async def rolled_back_by_hand(practice: Cloud) -> None:
    await rolled_back(practice, FileAudit(practice.audit.path.with_name("somebody-elses.jsonl")), OLD)


@pytest.mark.parametrize("then", [nothing_more, rolled_back_by_this_product, rolled_back_by_hand])
async def test_a_finished_redeploy_never_starts_again(tmp_path: Path, then: Callable[[Cloud], Awaitable[None]]) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        assert (await practice.apply(plan)).done
        await then(practice)
        serving, calls = practice.serving(), len(practice.changes)

        with pytest.raises(RefusedError, match=f"the plan {plan.id} is over and cannot start again: it ended at"):
            await practice.apply(plan)
        assert (practice.serving(), len(practice.changes)) == (serving, calls)


async def test_a_redeploy_that_failed_never_starts_again_and_a_new_plan_does(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        practice.world.faults.add(Fault(method="UpdateService", status="PERMISSION_DENIED"))
        assert (await practice.apply(plan)).done is False
        practice.world.faults.clear()

        with pytest.raises(RefusedError, match=r"is over and cannot start again: .*not done"):
            await practice.apply(plan)
        assert (await practice.apply(await practice.plan())).done


async def test_a_redeploy_that_was_broken_off_is_over_once_another_plan_was_started_there(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        practice.world.run.takes = timedelta(seconds=60)
        assert (await practice.apply(plan, seconds=2)).done is None
        practice.world.run.takes = timedelta(milliseconds=50)
        practice.world.advance(timedelta(minutes=2))
        assert (await practice.apply(await practice.plan(unpin=True, audit=practice.audit))).done
        serving = practice.serving()

        with pytest.raises(RefusedError, match="another plan for nba-phase2-raw-processors was started at"):
            await practice.apply(plan)
        assert practice.serving() == serving


async def test_a_rollback_that_is_done_moves_no_traffic_again(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        await practice.apply(await practice.plan())
        plan = await rolled_back(practice, practice.audit)
        calls = len(practice.changes)
        async with practice.session(writing=True) as session:
            with pytest.raises(RefusedError, match="is over and cannot start again"):
                await apply_rollback(session, plan, agreed(plan), practice.audit)
        assert len(practice.changes) == calls


async def test_an_audit_that_cannot_be_read_starts_nothing(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as practice:
        plan = await practice.plan()
        await practice.audit.append(
            new_event("fact", repair="repair", plan=None, principal=plan.principal, identity="x", evidence={})
        )
        practice.audit.path.write_text("this is no line of an audit\n")
        practice.audit.path.chmod(0o600)

        with pytest.raises(AuditError, match="broken at line 1"):
            await practice.apply(plan)
        assert practice.changes == []


async def restored(ours: Bench, cleanup: str) -> RestorePlan:
    async with ours.session(writing=True) as session:
        plan = await plan_restore(session, cleanup)
        assert (await apply_restore(session, plan, agreed(plan), ours.audit)).complete
    return plan


async def test_a_cleanup_that_was_undone_never_starts_again(ours: Bench) -> None:
    await ours.put(run_ids(8))
    plan = await ours.plan()
    await ours.apply(plan)
    restore = await restored(ours, plan.id)

    with pytest.raises(RefusedError, match=r"is over and cannot start again: it ended at .*8 of 8 documents moved"):
        await ours.apply(plan)
    async with ours.session(writing=True) as session:
        with pytest.raises(RefusedError, match="is over"):
            await apply_restore(session, restore, agreed(restore), ours.audit)
    assert (len(await ours.documents()), len(await ours.documents(TRASH))) == (8, 0)


async def test_a_cleanup_with_documents_left_goes_on_until_another_plan_is_started_there(
    ours: Bench, world: World
) -> None:
    await ours.put(run_ids(300))
    first = await ours.plan()
    world.faults.add(Fault(method="Commit", status="PERMISSION_DENIED"))
    assert (await ours.apply(first)).moved == 0
    world.faults.clear()
    second = await ours.plan()
    assert (await ours.apply(second)).moved == 300

    with pytest.raises(
        RefusedError, match=rf"another plan for {COLLECTION} was started at .*: the cleanup {second.id}"
    ):
        await ours.apply(first)


CLOUD = "cloud_logging = 'changes'"


@pytest.mark.parametrize("empty_pages", [0, 1, 3])
async def test_another_instance_knows_the_end_by_the_shared_log(
    sandbox: Sandbox, ours: Bench, empty_pages: int
) -> None:
    await ours.put(run_ids(2))
    plan = await ours.plan()
    settings = settings_for(ours.project, audit=CLOUD)
    environment = sandbox.environment()
    async with ours.session(writing=True, settings=settings) as session:
        async with open_audit(settings, environment=environment) as audit:
            await apply_cleanup(session, plan, agreed(plan), audit)
        search = sandbox.world.logs.search
        sandbox.world.logs.search = replace(search, empty_pages=empty_pages)
        async with open_audit(settings, environment=environment) as another:
            with pytest.raises(RefusedError, match="is over and cannot start again"):
                await apply_cleanup(session, plan, agreed(plan), another)


async def test_a_log_that_comes_to_no_end_starts_nothing(sandbox: Sandbox, ours: Bench) -> None:
    await ours.put(run_ids(2))
    plan = await ours.plan()
    settings = settings_for(ours.project, audit=CLOUD)
    sandbox.world.logs.search = replace(sandbox.world.logs.search, empty_pages=float("inf"))
    async with (
        ours.session(writing=True, settings=settings) as session,
        open_audit(settings, environment=sandbox.environment()) as audit,
    ):
        with pytest.raises(AuditError, match="could not be read completely"):
            await apply_cleanup(session, plan, agreed(plan), audit)
    assert len(await ours.documents()) == 2


async def test_a_log_that_cannot_be_read_starts_nothing(sandbox: Sandbox, ours: Bench) -> None:
    await ours.put(run_ids(2))
    plan = await ours.plan()
    settings = settings_for(ours.project, audit=CLOUD)
    sandbox.world.faults.add(Fault(method="ListLogEntries", status="PERMISSION_DENIED"))
    async with (
        ours.session(writing=True, settings=settings) as session,
        open_audit(settings, environment=sandbox.environment()) as audit,
    ):
        with pytest.raises(AuditError, match="cannot be read"):
            await apply_cleanup(session, plan, agreed(plan), audit)
    assert len(await ours.documents()) == 2


async def test_a_redeploy_in_one_cloud_is_not_known_in_another(tmp_path: Path) -> None:
    async with cloud("tag-moved", tmp_path) as staging, cloud("tag-moved", tmp_path) as production:
        await staging.apply(await staging.plan())
        assert staging.audit.path == production.audit.path
        async with production.session() as session:
            with pytest.raises(RefusedError, match="the audit knows of no redeploy"):
                await plan_rollback(session, PHASE2, audit=production.audit)
            theirs = await told_in_a_handoff(production)
        ours = await told_in_a_handoff(staging)

    assert (ours, theirs) == ([f"redeploy {PHASE2}"], [])


async def told_in_a_handoff(practice: Cloud) -> list[str]:
    settings = replace(
        practice.settings,
        pipeline=practice.settings.pipeline.model_copy(update={"audit": AuditLog(path=str(practice.audit.path))}),
    )
    async with practice.session() as session:
        found = repairs_since(settings, datetime.now(UTC) - timedelta(hours=1), [session.target])
    return [f"{each.repair} {each.subject}" for each in found.made]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("projects/staging/locations/us-west2/services/raw", False),
        ("projects/prod/locations/europe-west1/services/raw", False),
        ("projects/prod/locations/us-west2/services/raw", True),
    ],
    ids=["another project", "another region", "the same"],
)
async def test_the_last_redeploy_is_that_of_the_same_project_and_region(
    tmp_path: Path, other: str, *, told: bool
) -> None:
    target = PLAN.target.model_copy(update={"practice": False, "address": "run.googleapis.com"})
    audit = FileAudit(tmp_path / "audit" / "audit.jsonl")
    await audit.append(
        new_event(
            "before",
            repair="redeploy",
            plan=PLAN.id,
            subject="raw",
            place=place_of(target, other),
            principal=PLAN.principal,
            identity="x",
            evidence={},
        )
    )
    found = await audit.last("redeploy", place_of(target, "projects/prod/locations/us-west2/services/raw"))
    assert (found is not None) is told


def test_a_line_of_an_earlier_version_says_whose_it_is_by_its_evidence() -> None:
    line = {
        "at": "2026-03-01T12:00:00Z",
        "moment": "after",
        "repair": "cleanup",
        "plan": PLAN.id,
        "subject": PLAN.subject,
        "principal": {"name": "ana"},
        "identity": "x",
        "evidence": PLAN.model_dump(mode="json"),
    }
    event = Event.model_validate(line)
    pipeline = settings_for("p").pipeline
    elsewhere = PLAN.target.model_copy(update={"address": "127.0.0.1:2"})

    assert event.is_of(pipeline, [PLAN.target])
    assert not event.is_of(pipeline, [elsewhere])
    assert not event.is_of(settings_for("staging").pipeline, [PLAN.target])


def test_lines_that_say_no_place_end_no_plan_but_their_own() -> None:
    def line(moment: AuditMoment, plan: str) -> Event:
        return new_event(
            moment, repair="cleanup", plan=plan, principal=PLAN.principal, identity="x", evidence={}, subject="c"
        )

    start, other = line("before", PLAN.id), line("before", "f" * 16)

    assert not ends(other, start)
    assert ends(line("after", PLAN.id), start)
    assert not ends(line("interrupted", PLAN.id), start)
