"""The closed loop stops at the first step that does not hold, goes on where it stands, and ends with a proof."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from checks.judge.report import Report
from checks.settings.file import Settings, parse_settings
from validate_daily.commands.shared.loop_walk import LoopResult, LoopRun, walk
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.errors import RefusedError
from validate_daily.repairs.plans.plan import Plan
from validate_daily.sandbox import Fault, Sandbox, World, build
from validate_daily.sandbox.images import Build

from support.paths import EXAMPLE
from support.rollout_cloud import PHASE2


@dataclass
class Steps:
    """One walk after another over the same practice cloud."""

    world: World
    how: LoopRun
    lines: list[str]
    audit: Path
    told: list[Report]
    left: list[str] = field(default_factory=list[str])

    async def walk(self) -> int:
        """Walk once: how the loop ended, before the check that follows it."""
        return (await self.whole()).loop

    async def whole(self) -> LoopResult:
        self.lines.clear()
        self.told.clear()
        walked = await walk(self.how)
        end = self.lines.index("Now the whole check:")
        self.left[:] = self.lines[end + 1 :]
        del self.lines[end:]
        return walked

    @property
    def facts(self) -> list[str]:
        events = (json.loads(line) for line in self.audit.read_text().splitlines())
        return [f"{each['evidence']['name']}: {each['subject']}" for each in events if each["moment"] == "fact"]


def agree(plan: Plan) -> Approval:
    return Approval.given(plan, "unattended", plan.principal)


@asynccontextmanager
async def walking(
    folder: Path, scenario: str = "fix-pushed", *, by: Callable[[Plan], Approval] | None = agree, probes: bool = True
) -> AsyncGenerator[Steps]:
    world = build(scenario)
    world.run.takes = timedelta(milliseconds=50)
    audit, lines = folder / "audit.jsonl", list[str]()
    example = EXAMPLE.read_text() if probes else EXAMPLE.read_text().partition("# The fix of the incidents")[0]
    text = f"{example}\n[writes]\nenabled = true\nunattended = true\n[audit]\npath = '{audit}'\n"
    settings = Settings(parse_settings(text, origin="F"), folder / "F", named=True)

    async def wait(_seconds: float) -> None:
        world.advance(timedelta(minutes=30))

    async with Sandbox(world) as cloud:
        environment = {**cloud.environment(), "VALIDATE_DAILY_PLAN_KEY": "k" * 40}
        told = list[Report]()
        how = LoopRun(
            settings,
            by,
            timedelta(hours=2),
            timeout=30,
            environment=environment,
            waiting=wait,
            tell=lines.append,
            show=told.append,
        )
        yield Steps(world, how, lines, audit, told)


async def test_looking_where_it_stands_changes_nothing(tmp_path: Path) -> None:
    async with walking(tmp_path, by=None) as path:
        code = await path.walk()

        assert code == 1
        assert path.lines[0].startswith("NOT YET   the writer is fixed: nba-phase2-raw-processors")
        assert not any(call.method in {"UpdateService", "UpdateJob", "Commit"} for call in path.world.calls)
        assert not path.audit.exists()


async def test_it_stops_until_heartbeats_come_and_then_cleans_up_and_proves_it(tmp_path: Path) -> None:
    async with walking(tmp_path) as path:
        first = await path.walk()
        stopped = path.lines[-2:]
        before = len(path.world.heartbeats)
        path.world.advance(timedelta(hours=2))
        second = await path.walk()

        assert (first, second) == (1, 0)
        assert "no heartbeat yet since" in stopped[0]
        assert stopped[1] == "next: run again when they have run"
        assert before > 1_000
        assert len(path.world.heartbeats) == 30
        assert path.lines[-1].startswith("holds     growth has stopped")
        assert {name.partition(":")[0] for name in path.facts} == {
            "the writer is fixed",
            "the jobs that follow it run the same",
            "its processors beat well",
            "the left-overs are gone",
            "growth has stopped",
        }


async def test_a_tag_that_points_at_old_code_is_found_out_by_its_bytes(tmp_path: Path) -> None:
    async with walking(tmp_path, "regrowing") as path:
        code = await path.walk()

        assert code == 1
        assert path.lines[0].startswith("NOT YET   the writer is fixed: nba-phase2-raw-processors")
        assert "LACKS one-document-per-processor: " in path.lines[0]
        assert path.lines[1] == "next: build nba-phase2-raw-processors anew without a cache, and push it"


async def test_an_image_that_lacks_the_fix_is_never_offered_as_a_plan(tmp_path: Path) -> None:
    async with walking(tmp_path, "proliferation") as path:
        path.world.images.push(path.world.pipeline.repository(PHASE2), Build("old", "7a91c04d"))
        code = await path.walk()

        assert code == 1
        assert "LACKS one-document-per-processor: " in path.lines[0]
        assert not any(call.method == "UpdateService" for call in path.world.calls)


async def test_files_that_cannot_be_read_leave_the_step_unknown(tmp_path: Path) -> None:
    async with walking(tmp_path, "regrowing") as path:
        path.world.faults.add(Fault(method="GetBlob", status="PERMISSION_DENIED"))
        code = await path.walk()

        assert code == 3
        assert path.lines[0].startswith("UNKNOWN   the writer is fixed")
        assert "what is inside is unknown" in path.lines[0]


async def test_without_code_probes_old_code_is_found_out_by_what_is_written(tmp_path: Path) -> None:
    async with walking(tmp_path, "regrowing", probes=False) as path:
        path.world.advance(timedelta(minutes=5))
        code = await path.walk()

        assert code == 1
        assert any("the old format is still written" in line for line in path.lines)
        assert any("build it anew without a cache" in line for line in path.lines)
        assert not any(call.method == "Commit" for call in path.world.calls)


async def test_a_fix_that_does_not_start_ends_the_walk_with_not_deployed(tmp_path: Path) -> None:
    async with walking(tmp_path) as path:
        path.world.faults.add(Fault(method="UpdateService", status="PERMISSION_DENIED"))
        code = await path.walk()

        assert code == 1
        assert any("NOT DEPLOYED" in line for line in path.lines)
        assert len(path.world.heartbeats) > 1_000


async def test_a_person_who_does_not_agree_ends_it(tmp_path: Path) -> None:
    asked: list[str] = []

    def no(plan: Plan) -> Approval:
        asked.append(plan.words)
        raise RefusedError("not approved: something else was typed", "nothing was changed")

    async with walking(tmp_path, by=no) as path:
        code = await path.walk()
        assert code == 1
        assert "not approved" in path.lines[-1]
        assert asked == ["nba-phase2-raw-processors 1"]
        assert not any(call.method == "UpdateService" for call in path.world.calls)


async def test_where_all_is_well_only_the_watch_is_left(tmp_path: Path) -> None:
    async with walking(tmp_path, "healthy") as path:
        code = await path.walk()

        assert code == 0
        assert [line.partition(":")[0] for line in path.lines] == [
            "holds     the left-overs are gone",
            "holds     growth has stopped",
        ]


@pytest.mark.parametrize("scenario", ["permission-lost", "gunicorn-missing", "stuck-operation"])
async def test_a_loop_with_nothing_to_do_still_exits_by_what_the_whole_check_finds(
    tmp_path: Path, scenario: str
) -> None:
    async with walking(tmp_path, scenario, by=None) as path:
        walked = await path.whole()

        assert path.told == [walked.report]
        assert walked.report.verdict == "P1"
        assert walked.exit_code == 1
        roots = [each for each in walked.report.findings if each.cause is None]
        assert path.left[0].startswith("NOT REPAIRED by this loop")
        assert path.left[1:] == [f"    {each.severity} {each.rule} {each.subject}" for each in roots]


@pytest.mark.long
async def test_a_loop_that_ends_well_names_the_service_that_it_could_not_fix(tmp_path: Path) -> None:
    async with walking(tmp_path) as path:
        await path.walk()
        path.world.advance(timedelta(hours=2))
        walked = await path.whole()

        assert (walked.loop, walked.exit_code) == (0, 1)
        assert "    P1 fix-not-deployed nba-scrapers" in path.left


async def test_where_all_is_well_the_whole_check_says_so(tmp_path: Path) -> None:
    async with walking(tmp_path, "healthy") as path:
        walked = await path.whole()

        assert (walked.loop, walked.report.verdict, walked.exit_code) == (0, "healthy", 0)
        assert path.left == []


@pytest.mark.parametrize(("source", "code"), [("ListLogEntries", 3), ("ListServices", 3)], ids=["logs", "services"])
async def test_what_the_check_cannot_see_is_unknown_however_well_the_loop_ends(
    tmp_path: Path, source: str, code: int
) -> None:
    async with walking(tmp_path, "healthy", by=None) as path:
        path.world.faults.add(Fault(method=source, status="PERMISSION_DENIED"))
        walked = await path.whole()

        assert (walked.loop, walked.exit_code) == (0, code)
