"""What the skill tells an assistant to expect is what the tools answer on the practice cloud."""

from pathlib import Path

from skills import body
from validate_daily.sandbox import running

from support.mcp_world import client_of, environment_of, told
from support.paths import EXAMPLE

SKILL = " ".join(body("validate-daily").split())
WRITER = "nba-phase2-raw-processors"


async def test_old_code_inside_an_image_that_serves_is_proved_by_its_bytes() -> None:
    with running("regrowing") as cloud:
        async with client_of(environment_of(cloud)) as client:
            recent = await told(client, "recent_malformed_heartbeats")
            service = await told(client, "describe_service", service=WRITER)
            code = await told(client, "verify_deployed_code", subject=WRITER)

    assert recent["processors"][0]["created"] > 0
    assert {(each["service"], *each["revisions"]) for each in recent["processors"]} == {(WRITER,)}
    assert (service["verdict"], service["tag"]["serves"]) == ("P1", True)
    assert [each["rule"] for each in service["findings"]] == ["fix-not-deployed", "image-drift"]
    assert {each["level"]: each["result"] for each in code["levels"]}["bytes"] == "contradicted"
    assert "`tag.serves` true, and contradicted at level bytes: the old code is inside the image itself" in SKILL
    assert "`revisions` empty: the documents do not say who wrote them" in SKILL


async def test_silence_is_told_by_scanned_and_not_by_an_empty_list() -> None:
    with running("silent-stop") as cloud:
        async with client_of(environment_of(cloud)) as client:
            recent = await told(client, "recent_malformed_heartbeats")

    assert (recent["scanned"], recent["processors"], recent["complete"]) == (0, [], True)
    assert "`scanned` 0 of `recent_malformed_heartbeats` says that nothing beat, not that nothing is wrong" in SKILL


async def test_a_change_in_progress_is_neither_deployed_nor_not() -> None:
    with running("rollout-in-progress") as cloud:
        async with client_of(environment_of(cloud)) as client:
            service = await told(client, "describe_service", service="nba-phase4-precompute-processors")

    assert (service["verdict"], service["reconciling"]) == ("unknown", True)
    assert service["created"] != service["ready"]
    assert "`reconciling` true: unknown" in SKILL


def _without_probes() -> str:
    return EXAMPLE.read_text("utf-8").partition("# The fix of the incidents")[0]


async def test_a_job_that_follows_nothing_is_healthy_and_says_that_nobody_compared_it(tmp_path: Path) -> None:
    settings = tmp_path / "validate-daily.toml"
    settings.write_text("".join(line for line in _without_probes().splitlines(keepends=True) if "follows" not in line))
    with running("forgotten-jobs") as cloud:
        async with client_of(environment_of(cloud, settings)) as client:
            answer = await told(client, "list_deployments", limit=100)

    jobs = [each for each in answer["deployments"] if each["kind"] == "job"]
    assert jobs
    for job in jobs:
        assert job["verdict"] == "healthy"
        assert "compared with nothing" in job["why"][0]
    assert "its image is compared with nothing" in SKILL
