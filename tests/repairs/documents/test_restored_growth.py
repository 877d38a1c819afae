"""A restore is not growth: Firestore's create time of a document that was moved back is the time of the move."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from checks.ask.questions import recent_malformed
from checks.ask.snapshot import check
from checks.judge.report import Report
from checks.settings.file import Settings, parse_settings
from checks.sources.shared_connections import SharedLogin
from validate_daily.repairs.documents.cleanup import apply_cleanup, plan_cleanup
from validate_daily.repairs.documents.restore import apply_restore, plan_restore
from validate_daily.repairs.documents.session import open_session
from validate_daily.repairs.loop.watch import watch
from validate_daily.repairs.plans.plan import Principal
from validate_daily.repairs.stores.audit_file import FileAudit
from validate_daily.sandbox import Fault, Sandbox, World, build
from validate_daily.sandbox.firestore import encode, stamps

from support.paths import EXAMPLE
from support.repair_bench import agreed

ANA = Principal(name="ana")


@dataclass
class Bench:
    """A practice cloud with writes on."""

    world: World
    settings: Settings
    environment: dict[str, str]
    audit: FileAudit

    async def clean(self, *, even_if_growing: bool = False) -> str:
        """Clean up, and return the cleanup's id."""
        async with open_session(self.settings, ANA, writing=True, environment=self.environment) as session:
            plan = await plan_cleanup(session, even_if_growing=even_if_growing)
            await apply_cleanup(session, plan, agreed(plan), self.audit)
        return plan.id

    async def restore(self, cleanup: str) -> int:
        """Undo a cleanup, and return how many documents moved back."""
        async with open_session(self.settings, ANA, writing=True, environment=self.environment) as session:
            plan = await plan_restore(session, cleanup)
            outcome = await apply_restore(session, plan, agreed(plan), self.audit)
        assert (outcome.writes, outcome.deletes) == (plan.expected.writes, plan.expected.deletes)
        return outcome.moved

    async def check(self) -> Report:
        return await check(self.settings.pipeline, environment=self.environment)

    def write(self, *ids: str, ago: timedelta = timedelta(), beat: bool = True) -> None:
        """Let old code write documents of runs; their own time lies so far back, or they bear none."""
        for each in ids:
            fields = {"last_heartbeat": self.world.clock.now() - ago} if beat else {"status": "running"}
            self.world.heartbeats.put(each, self.world.database.commit_time(), encode.fields(fields))


@asynccontextmanager
async def bench(folder: Path, scenario: str = "forgotten-jobs-running") -> AsyncGenerator[Bench]:
    world = build(scenario)
    settings = Settings(
        parse_settings(EXAMPLE.read_text() + "\n[writes]\nenabled = true\n", origin="F"), folder / "F", named=True
    )
    async with Sandbox(world) as cloud:
        yield Bench(world, settings, dict(cloud.environment()), FileAudit(folder / "audit" / "audit.jsonl"))


def rules(report: Report) -> set[str]:
    return {each.rule for each in report.findings}


async def test_what_was_moved_back_is_malformed_and_no_growth(tmp_path: Path) -> None:
    async with bench(tmp_path) as own:
        before = await own.check()
        assert await own.restore(await own.clean()) == 3
        report = await own.check()

        assert rules(report) == rules(before)
        assert "malformed-ids" in rules(report)
        assert report.growth == before.growth
        assert report.growth is not None
        assert report.growth.malformed_last_hour == 0


async def test_reading_what_was_moved_back_costs_one_read_more_and_only_then(tmp_path: Path) -> None:
    async with bench(tmp_path) as own:
        before = await own.check()
        await own.restore(await own.clean())
        report = await own.check()

        assert before.census is not None
        assert report.census is not None
        assert report.census.billed_reads == before.census.billed_reads + 1


async def test_what_is_really_written_after_a_restore_is_growth(tmp_path: Path) -> None:
    async with bench(tmp_path) as own:
        await own.restore(await own.clean())
        own.write("NbacTeamBoxscoreProcessor_None_0badcafe")
        report = await own.check()

        assert "regrowth" in rules(report)
        assert report.growth is not None
        assert report.growth.malformed_last_hour == 1


@pytest.mark.parametrize(
    ("ago", "beat"), [(timedelta(hours=5), True), (timedelta(), False)], ids=["a slow clock", "no time in it"]
)
async def test_a_document_that_does_not_say_when_it_was_written_is_growth_all_the_same(
    tmp_path: Path, ago: timedelta, *, beat: bool
) -> None:
    async with bench(tmp_path) as own:
        await own.restore(await own.clean())
        own.write("NbacTeamBoxscoreProcessor_None_0badcafe", ago=ago, beat=beat)
        report = await own.check()

        assert report.growth is not None
        assert report.growth.malformed_last_hour == 1


async def test_documents_without_a_time_that_were_moved_back_are_no_growth(tmp_path: Path) -> None:
    async with bench(tmp_path) as own:
        own.write("NbacTeamBoxscoreProcessor_None_0badcafe", beat=False)
        own.world.advance(timedelta(hours=3))
        await own.restore(await own.clean())
        report = await own.check()

        assert report.growth is not None
        assert report.growth.malformed_last_hour == 0


async def test_what_was_new_when_it_was_cleaned_up_is_growth_after_a_restore(tmp_path: Path) -> None:
    async with bench(tmp_path, "regrowing") as own:
        before = await own.check()
        await own.restore(await own.clean(even_if_growing=True))
        report = await own.check()

        assert "regrowth" in rules(report)
        assert before.growth is not None
        assert report.growth is not None
        assert report.growth.malformed_last_hour == before.growth.malformed_last_hour


async def test_what_was_moved_back_twice_has_its_first_time(tmp_path: Path) -> None:
    async with bench(tmp_path) as own:
        await own.restore(await own.clean())
        await own.restore(await own.clean())
        report = await own.check()

        assert report.growth is not None
        assert report.growth.malformed_last_hour == 0


async def test_a_cleanup_may_be_planned_right_after_a_restore(tmp_path: Path) -> None:
    async with bench(tmp_path) as own:
        await own.restore(await own.clean())

        assert await own.restore(await own.clean()) == 3


async def test_a_watch_does_not_take_a_restore_for_growth(tmp_path: Path) -> None:
    async with bench(tmp_path) as own:
        cleaned = await own.clean()
        waits: list[float] = []

        async def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 1:
                await own.restore(cleaned)

        async with open_session(own.settings, ANA, environment=own.environment) as session:
            seen = await watch(session, timedelta(minutes=2), waiting=wait)

        assert (seen.grown, seen.unseen) == ((), None)


async def test_restores_that_cannot_be_read_are_a_gap_and_no_growth_is_claimed(tmp_path: Path) -> None:
    async with bench(tmp_path) as own:
        await own.restore(await own.clean())
        own.world.faults.add(Fault(method="RunQuery", status="PERMISSION_DENIED", skip=1))
        report = await own.check()

        assert any("restores of processor_heartbeats" in gap.reason for gap in report.gaps)
        assert "regrowth" not in rules(report)


async def test_recent_documents_that_were_moved_back_have_the_time_when_they_were_created(tmp_path: Path) -> None:
    async with bench(tmp_path) as own:
        now = own.world.clock.now()
        own.world.heartbeats.put(
            "NbacTeamBoxscoreProcessor_None_0badcafe",
            own.world.database.commit_time(),
            encode.fields({"last_heartbeat": now - timedelta(hours=1)}),
            created=stamps.from_datetime(now - timedelta(hours=3)),
        )
        await own.restore(await own.clean())
        async with SharedLogin() as login:
            recent, gaps = await recent_malformed(
                own.settings.pipeline,
                window=timedelta(hours=2),
                session=login,
                timeout=30,
                environment=own.environment,
            )

        assert not gaps
        assert recent is not None
        assert [(each.malformed, each.created) for each in recent.processors] == [(1, 0)]
