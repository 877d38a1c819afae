"""``validate-daily probe``: what really runs, as people and scripts ask, over every story about a deploy."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from checks.settings.code_probe import CodeProbe
from checks.settings.template import settings_text
from validate_daily.sandbox import Fault, Sandbox, build, running
from validate_daily.sandbox.images import HEARTBEAT

from support.commands import example, run, told

PHASE2, PHASE3, JOB = (
    "nba-phase2-raw-processors",
    "nba-phase3-analytics-processors",
    "nbac-schedule-processor-backfill",
)
FILE = f"/{HEARTBEAT}"
FIX = "return self.processor_name"


@pytest.fixture
def config(tmp_path: Path) -> str:
    return example(tmp_path)


def asked(sandbox: Sandbox, config: str, *command: str, code: int) -> dict[str, Any]:
    return told(sandbox, "probe", "--config", config, *command, code=code)


STORIES = [
    ("healthy", PHASE2, 0, "matched", "runtime"),
    ("build-cache", PHASE3, 1, "contradicted", "runtime"),
    ("tag-moved", PHASE2, 1, "contradicted", "digest"),
    ("stale-label", PHASE3, 0, "matched", "runtime"),
    ("split-traffic", PHASE3, 1, "contradicted", "runtime"),
    ("forgotten-jobs", JOB, 1, "contradicted", "bytes"),
    ("silent-stop", PHASE2, 1, "contradicted", "bytes"),
    ("pinned-traffic", PHASE3, 1, "contradicted", "digest"),
]


@pytest.mark.parametrize(("story", "subject", "code", "result", "level"), STORIES)
def test_every_story_about_a_deploy_has_its_verdict_and_its_level(
    story: str, subject: str, code: int, result: str, level: str, config: str
) -> None:
    with running(build(story)) as sandbox:
        report = asked(sandbox, config, subject, code=code)

    (told,) = report["subjects"]
    assert (told["subject"], told["result"], told["level"]) == (subject, result, level)
    assert told["digest"].startswith("sha256:")
    assert told["bytes_read"] > 0
    assert told["reason"]
    assert report["practice"] is True
    assert [rung["level"] for rung in told["ladder"]["rungs"]] == [
        "runtime", "bytes", "digest", "tag", "label", "exit-code", "text",
    ]  # fmt: skip


def test_a_build_cache_is_told_from_its_bytes_against_label_tag_and_digest(config: str) -> None:
    with running(build("build-cache")) as sandbox:
        (told,) = asked(sandbox, config, PHASE3, code=1)["subjects"]

    levels = {rung["level"]: rung["result"] for rung in told["ladder"]["rungs"]}
    assert (levels["bytes"], levels["digest"]) == ("contradicted", "matched")
    assert "says ce269d67, which is one-document-per-processor" in told["ladder"]["contradictions"][0]
    (share,) = told["shares"]
    assert (share["percent"], share["commit"]) == (100, "ce269d67")
    proofs = {proof["probe"]: proof for proof in share["proofs"]}
    assert proofs["one-document-per-processor"]["file"]["created_by"] == "COPY . /app"


def test_of_split_traffic_each_share_is_named_with_its_own_bytes(config: str) -> None:
    with running(build("split-traffic")) as sandbox:
        (told,) = asked(sandbox, config, PHASE3, code=1)["subjects"]

    shares = {
        share["percent"]: {proof["probe"]: proof["result"] for proof in share["proofs"]} for share in told["shares"]
    }
    assert shares == {
        30: {"one-document-per-processor": "contradicted", "monitoring-is-a-package": "matched"},
        70: {"one-document-per-processor": "matched", "monitoring-is-a-package": "matched"},
    }


def test_without_a_subject_every_job_on_an_old_registry_path_is_named(config: str) -> None:
    with running(build("forgotten-jobs")) as sandbox:
        report = asked(sandbox, config, code=1)

    told = {each["subject"]: each["result"] for each in report["subjects"]}
    jobs = {each["subject"]: each for each in report["subjects"] if each["kind"] == "job"}
    assert len(told) == 27
    assert {told[name] for name in jobs} == {"contradicted"}
    assert {told[name] for name in told.keys() - jobs.keys()} == {"matched"}
    assert all(job["shares"][0]["image"].startswith("gcr.io/nba-props-platform/") for job in jobs.values())


def test_a_file_is_looked_for_by_hand_and_the_bytes_alone_decide(config: str) -> None:
    with running(build("tag-moved")) as sandbox:
        holds = asked(sandbox, config, PHASE2, "--path", FILE, "--contains", FIX, code=0)
        lacks = asked(sandbox, config, PHASE2, "--path", FILE, "--matches", "run_id", code=1)
        gone = asked(sandbox, config, PHASE2, "--path", "/app/nowhere.py", code=1)

    assert [each["subjects"][0]["level"] for each in (holds, lacks, gone)] == ["bytes"] * 3
    assert "has no line that matches 'run_id'" in lacks["subjects"][0]["reason"]
    assert gone["subjects"][0]["shares"][0]["proofs"][0]["file"]["presence"] == "absent"


@pytest.mark.parametrize("how", ["tag", "digest", "no such tag"])
def test_an_image_is_looked_into_by_its_reference(how: str, config: str) -> None:
    with running(build("tag-moved")) as sandbox:
        repository = sandbox.world.pipeline.repository(PHASE2)
        digest = sandbox.world.images.resolve(f"{repository}:latest")
        reference = {
            "tag": f"{repository}:latest",
            "digest": f"{repository}@{digest}",
            "no such tag": f"{repository}:nope",
        }
        report = asked(sandbox, config, reference[how], code=3 if how == "no such tag" else 0)

    (told,) = report["subjects"]
    assert (told["kind"], told["ladder"]) == ("image", None)
    assert told["digest"] == (None if how == "no such tag" else digest)


@pytest.mark.parametrize("image", ["evil.example/x/y:latest", "us-docker.pkg.dev.evil.example/x:1", "a/b", "../x/y:1"])
def test_an_image_of_no_registry_of_googles_is_not_asked_for(image: str, config: str) -> None:
    with running(build("healthy")) as sandbox:
        environment = {name: "" for name in sandbox.environment() if "REGISTRY" in name}
        done = run(sandbox, "probe", image, "--config", config, **environment)

    assert done.returncode == 64
    assert "no registry of Google's" in done.stderr or "no image reference" in done.stderr


def test_whole_says_what_an_image_lacks_to_start(config: str) -> None:
    with running(build("gunicorn-missing")) as sandbox:
        image = f"{sandbox.world.pipeline.repository(PHASE2)}:latest"
        lacking = asked(sandbox, config, image, "--whole", code=1)
        serving = asked(sandbox, config, PHASE3, "--whole", code=0)

    starting = lacking["subjects"][0]["shares"][0]["starting"]
    assert starting["complete"] is True
    assert [lack["what"] for lack in starting["lacks"]] == ["gunicorn"]
    assert serving["subjects"][0]["shares"][0]["starting"] == {"lacks": [], "complete": True, "note": None}


def test_denied_and_hanging_registries_are_unknown_and_never_matched(config: str) -> None:
    for story in ("denied-registry", "hanging-registry"):
        with running(build(story)) as sandbox:
            report = asked(sandbox, config, PHASE2, "--path", FILE, "--timeout", "5", code=3)
        assert report["subjects"][0]["result"] == "unknown"
        assert report["gaps"]
        assert report["subjects"][0]["next_step"]


def test_cloud_run_that_cannot_be_read_is_unknown_with_its_reason(config: str) -> None:
    with running(build("denied-run")) as sandbox:
        report = asked(sandbox, config, PHASE2, code=3)

    assert report["subjects"] == []
    assert "PERMISSION_DENIED" in report["gaps"][0]["reason"]


@pytest.mark.parametrize("section", ["services", "jobs"])
def test_what_a_code_probe_is_about_and_cloud_run_does_not_have_is_unknown(section: str, config: str) -> None:
    path = Path(config)
    path.write_text(path.read_text() + f'\n[[{section}]]\nname = "ghost"\n')
    with running(build("healthy")) as sandbox:
        report = asked(sandbox, config, code=3)

    told = {each["subject"]: each["result"] for each in report["subjects"]}
    assert report["result"] == told.pop("ghost") == "unknown"
    assert set(told.values()) == {"matched"}


def test_a_listing_that_was_cut_short_leaves_the_whole_unknown(tmp_path: Path) -> None:
    config = tmp_path / "bare.toml"
    config.write_text(
        '[pipeline]\nname = "nba"\nproject = "nba-props-platform"\nregion = "us-west2"\n'
        f'[[code_probes]]\nname = "fix"\npath = "{FILE}"\ncontains = "{FIX}"\n'
    )
    world = build("healthy")
    world.faults.add(Fault(service="run", method="ListJobs", status="PERMISSION_DENIED"))
    with running(world) as sandbox:
        report = asked(sandbox, str(config), code=3)

    assert {each["result"] for each in report["subjects"]} == {"matched"}
    assert report["result"] == "unknown"


def test_a_registry_that_denies_leaves_the_configured_probes_unknown_whatever_the_effect(config: str) -> None:
    with running(build("denied-registry")) as sandbox:
        (told,) = asked(sandbox, config, PHASE2, code=3)["subjects"]

    assert (told["result"], told["level"]) == ("unknown", "bytes")


def test_people_see_each_level_and_each_share(config: str) -> None:
    with running(build("split-traffic")) as sandbox:
        done = run(sandbox, "probe", PHASE3, "--config", config)

    assert done.returncode == 1
    assert "contradicted  service nba-phase3-analytics-processors at the level of runtime" in done.stdout
    assert "nba-phase3-analytics-processors-00169-56h (30 %): sha256:" in done.stdout
    assert "- bytes " in done.stdout
    assert "1 of 3 layers" in done.stdout


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("--contains", "x"), "--contains needs --path"),
        (("--path", "app/x.py"), "--path cannot be"),
        (("--path", "/x", "--matches", "("), "--matches cannot be: no regular expression"),
        (("nope",), "no code probe of the settings is about nope"),
        (("nope", "--path", "/x"), "no service or job nope"),
        (("--path", "/x", "--contains", "a", "--blob", "b"), "not allowed with"),
    ],
)
def test_what_cannot_be_asked_is_said(command: tuple[str, ...], said: str, config: str) -> None:
    with running(build("healthy")) as sandbox:
        done = run(sandbox, "probe", "--config", config, *command)

    assert done.returncode == 64
    assert said in done.stderr


def test_without_code_probes_and_a_file_there_is_nothing_to_look_for(tmp_path: Path) -> None:
    config = tmp_path / "bare.toml"
    config.write_text('[pipeline]\nname = "nba"\nproject = "nba-props-platform"\nregion = "us-west2"\n')
    with running(build("healthy")) as sandbox:
        done = run(sandbox, "probe", "--config", str(config))

    assert done.returncode == 64
    assert "[[code_probes]]" in done.stderr


# --- where the bytes can come from


def git(checkout: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, "-C", checkout, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def committed(checkout: Path, text: bytes, message: str) -> str:
    file = checkout / "shared" / "monitoring" / "processor_heartbeat.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text)
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", message)
    return git(checkout, "rev-parse", "HEAD")


def test_a_checkout_tells_which_commit_the_bytes_are_of_and_whether_the_fix_is_among_its_ancestors(
    tmp_path: Path,
) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    git(checkout, "init", "-q", "-b", "main")
    with running(build("build-cache")) as sandbox:
        registry, world = sandbox.world.registry, sandbox.world
        old, new = (_text(registry, world.pipeline.repository(PHASE3), tag) for tag in ("075fab1e", "ce269d67"))
        before = committed(
            checkout, _text(registry, world.pipeline.repository(PHASE2), "ce269d67"), "the fix\n\x1b[31m"
        )
        fix = before
        after = committed(checkout, old, "back to the old")
        config = tmp_path / "validate-daily.toml"
        config.write_text(settings_text("example").replace('commit = "ce269d67"', f'commit = "{fix}"'))
        report = asked(sandbox, str(config), PHASE3, "--repository", str(checkout), code=1)
        people = run(sandbox, "probe", PHASE3, "--repository", str(checkout), "--config", str(config)).stdout

    assert new == old, "the image that is tagged by the fix holds the old file"
    (history,) = [each for each in report["provenance"].values() if each["commits"]]
    assert [commit["sha"] for commit in history["commits"]] == [after]
    assert (history["contains_fix"], history["complete"], history["searched"]) == (True, True, 2)
    assert f"{after[:8]} " in people
    assert "is an ancestor of where these bytes come from" in people


def test_a_directory_that_is_no_checkout_is_said(config: str, tmp_path: Path) -> None:
    with running(build("healthy")) as sandbox:
        done = run(sandbox, "probe", PHASE2, "--config", config, "--repository", str(tmp_path))

    assert done.returncode == 64
    assert "name a checkout with --repository" in done.stderr


def _text(registry: Any, repository: str, tag: str) -> bytes:
    """The heartbeat's file in the image that a tag names: its newest layer has it."""
    import gzip  # noqa: PLC0415 - only here
    import io  # noqa: PLC0415 - only here
    import tarfile  # noqa: PLC0415 - only here

    path = repository.partition("/")[2]
    manifest = json.loads(registry.manifest(path, registry.resolve(path, tag)).data)
    layer = registry.blob(path, manifest["layers"][-1]["digest"]).data
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
        found = archive.extractfile(HEARTBEAT)
        assert found is not None
        return found.read()


def test_a_probe_says_exactly_one_thing() -> None:
    for more in ({}, {"contains": "a", "exists": True}, {"blob": "b" * 40, "matches": "x"}):
        with pytest.raises(ValueError, match="exactly one of contains, matches, blob and exists"):
            CodeProbe.model_validate({"name": "x", "path": "/x", **more})
