"""The loop ends: it repairs what the whole check found, and asks whether anything grows now, not ever."""

import shlex
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from validate_daily.sandbox.images import Build

from support.repair_walks import row_of, walks
from support.rollout_cloud import PHASE2

HOUR = timedelta(hours=1)
RUN_SCOPED = "NbacTeamBoxscoreProcessor_None_0badcafe"
CLEAN = "the left-overs are gone"
ENDS = "growth has stopped"


@pytest.mark.long
async def test_r1_after_jobs_were_updated_the_loop_ends(tmp_path: Path) -> None:
    async with walks(tmp_path, "forgotten-jobs-running") as own:
        first = await own.walk()
        ends = [await own.walk(after=5 * HOUR) for _ in range(3)]

        assert first.before.verdict == "P1"
        assert [each.exit_code for each in ends] == [0, 0, 0]
        assert await own.malformed() == 0
        assert (await own.check()).verdict == "healthy"


@pytest.mark.parametrize("hours", [3, 26, 52])
@pytest.mark.long
async def test_r2_one_late_document_does_not_block_for_ever(tmp_path: Path, hours: int) -> None:
    async with walks(tmp_path, "fix-pushed") as own:
        await own.walk()
        own.write(RUN_SCOPED)
        ended = await own.walk(after=hours * HOUR)

        assert ended.loop == 0
        assert await own.malformed() == 0
        assert own.held[-1] == ENDS


@pytest.mark.long
async def test_a_late_document_blocks_for_an_hour_where_it_was_no_request_under_way(tmp_path: Path) -> None:
    async with walks(tmp_path, "fix-pushed") as own:
        await own.walk()
        own.world.advance(3 * HOUR)
        own.write(RUN_SCOPED)
        blocked = await own.walk()
        blame = list(own.lines)
        ended = await own.walk(after=HOUR)

        assert (blocked.loop, ended.loop) == (1, 0)
        assert any("the old format is still written since" in line for line in blame)


async def test_r3_where_old_code_goes_on_writing_the_loop_stops(tmp_path: Path) -> None:
    async with walks(tmp_path, "regrowing", probes=False) as own:
        for _ in range(2):
            walked = await own.walk(after=5 * HOUR)

            assert (walked.loop, walked.exit_code) == (1, 1)
            assert own.told("build it anew without a cache")
        assert not any(call.method == "Commit" for call in own.world.calls)


async def test_the_clock_starts_when_the_last_job_was_updated(tmp_path: Path) -> None:
    async with walks(tmp_path, "forgotten-jobs-running") as own:
        own.write(RUN_SCOPED)  # by a job, before it is updated
        walked = await own.walk()

        assert CLEAN in own.held
        assert walked.exit_code == 0


@pytest.mark.parametrize(
    ("writer", "who", "step"),
    [
        ("nbac-team-boxscore-processor-backfill-x7k2p", "an execution of the job", "validate-daily jobs"),
        (f"{PHASE2}-00001-old", "the old revision", "run again in an hour"),
        (None, "who writes them is unknown: they do not say it, and the files of", "an old revision that still"),
    ],
    ids=["job", "old revision", "unknown"],
)
@pytest.mark.long
async def test_an_image_whose_bytes_are_proved_is_not_blamed(
    tmp_path: Path, writer: str | None, who: str, step: str
) -> None:
    async with walks(tmp_path, "fix-pushed") as own:
        await own.walk()
        own.world.advance(3 * HOUR)
        own.write(RUN_SCOPED, revision=writer)
        await own.walk()

        assert own.told(who)
        assert own.told(step)
        assert not own.told("build it anew")


@pytest.mark.long
async def test_a_document_of_the_serving_revision_is_the_images(tmp_path: Path) -> None:
    async with walks(tmp_path, "fix-pushed") as own:
        await own.walk()
        own.world.advance(3 * HOUR)
        own.write(RUN_SCOPED, revision=own.world.service(PHASE2).created_revision)
        await own.walk()

        assert own.told("which serves, although its files hold the fix: it is the image")


@pytest.mark.long
async def test_what_owns_no_run_scoped_document_is_repaired_as_well(tmp_path: Path) -> None:
    async with walks(tmp_path, "tag-moved") as own:
        walked = await own.walk()

        assert (walked.before.verdict, walked.report.verdict, walked.exit_code) == ("P1", "healthy", 0)
        assert own.held[:2] == ["the writer is fixed", "the jobs that follow it run the same"]


async def test_jobs_alone_are_repaired(tmp_path: Path) -> None:
    async with walks(tmp_path, "forgotten-jobs") as own:
        walked = await own.walk()

        assert (walked.before.verdict, walked.exit_code) == ("P2", 0)


@pytest.mark.long
async def test_a_service_without_a_fixed_image_is_left_alone_and_named(tmp_path: Path) -> None:
    async with walks(tmp_path, "fix-pushed") as own:
        served = own.world.service("nba-scrapers").created_revision
        await own.walk()
        told = list(own.lines)
        walked = await own.walk(after=5 * HOUR)

        assert own.world.service("nba-scrapers").created_revision == served
        assert any(line.startswith("NOT YET   the writer is fixed: nba-scrapers") for line in told)
        assert (walked.loop, walked.exit_code) == (0, 1)
        assert {each.subject for each in walked.report.findings if each.severity == "P1"} == {"nba-scrapers"}


async def test_a_service_that_cannot_be_repaired_does_not_keep_the_others_from_it(tmp_path: Path) -> None:
    async with walks(tmp_path, "tag-moved") as own:
        own.world.images.push(own.world.pipeline.repository(PHASE2), Build("new", "ce269d67", lacks="gunicorn"))
        walked = await own.walk()

        assert own.held[-1] == ENDS
        assert walked.exit_code == 1


async def test_switched_off_heartbeats_are_named_with_their_command(tmp_path: Path) -> None:
    async with walks(tmp_path, "switched-off") as own:
        walked = await own.walk()

        assert walked.exit_code == walked.report.exit_code == 1
        (line,) = [line for line in own.lines if "heartbeats-switched-off" in line]
        assert shlex.split(line.rpartition(": ")[2])[:5] == ["gcloud", "run", "services", "update", "prediction-worker"]
        assert "--remove-env-vars=ENABLE_HEARTBEATS" in line


@pytest.mark.parametrize("unattended", [True, False])
async def test_what_it_cannot_repair_is_said_and_it_exits_as_the_check(tmp_path: Path, *, unattended: bool) -> None:
    async with walks(tmp_path, "permission-lost", unattended=unattended) as own:
        walked = await own.walk()

        assert (walked.loop, walked.exit_code) == (0, int(walked.report.exit_code))
        assert own.told("NOT REPAIRED by this loop, which can repair none of it")


async def test_commands_name_the_settings_file_that_the_user_named(tmp_path: Path) -> None:
    async with walks(tmp_path, "tag-moved", unattended=False) as own:
        own.how = replace(own.how, config=tmp_path / "my settings.toml")
        walked = await own.walk()

        named = f"--config {shlex.quote(str(tmp_path / 'my settings.toml'))}"
        assert walked.loop == 1
        assert f"next: validate-daily repair {named} --apply" in own.lines
        assert own.told(f"validate-daily redeploy {PHASE2} {named} --apply")
        assert not any("validate-daily " in line and "--config" not in line for line in own.lines)


async def test_an_execution_from_before_its_job_was_updated_is_waited_for(tmp_path: Path) -> None:
    async with walks(tmp_path, "forgotten-jobs-running") as own:
        job = next(iter(own.world.run.jobs.values()))
        own.world.run.execute(job, at=own.world.clock.now(), takes=3 * HOUR)
        waits = await own.walk()
        told = list(own.lines)
        ends = await own.walk(after=5 * HOUR)

        assert (waits.loop, ends.exit_code) == (1, 0)
        assert any("still running with the image from before its job was updated" in line for line in told)
        assert await own.malformed() == 0


@pytest.mark.parametrize("scenario", ["tag-moved", "forgotten-jobs", "forgotten-jobs-running"])
@pytest.mark.long
async def test_these_scenarios_end_healthy(tmp_path: Path, scenario: str) -> None:
    row = await row_of(scenario, tmp_path)

    assert (row.after, row.left, row.next_check) == ("healthy", (), "healthy")
