"""What Cloud Run says of a service that looks deployed and is not, or looks wrong and is right: message to verdict."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import google.cloud.run_v2 as run
import pytest

from checks import judge
from checks.evidence.deployments import Service, Tag
from checks.evidence.logs import Trouble
from checks.judge.deployed.gate import WantedImage, judge_deploy
from checks.judge.deployed.reasons import STEPS
from checks.judge.finding import Finding
from checks.settings.pipeline import Pipeline
from checks.sources.cloud_run.messages import read_revision, read_service

from support.deployed import burst, logs, seen, settings
from support.deployed import run as run_line
from support.snapshots import NOW

APP = "us-west2-docker.pkg.dev/demo-nba/apps/phase2"
CURRENT, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
STATE = run.Condition.State
COMMON, REVISION, EXECUTION = (
    run.Condition.CommonReason,
    run.Condition.RevisionReason,
    run.Condition.ExecutionReason,
)
LATEST = {"type_": 1, "percent": 100}
NAMES = "projects/demo-nba/locations/us-west2/services/phase2"


def by_name(name: str, percent: int = 100, tag: str = "") -> dict[str, object]:
    return {"type_": 2, "revision": name, "percent": percent, "tag": tag}


def ready(state: int = STATE.CONDITION_SUCCEEDED, **more: object) -> run.Condition:
    return run.Condition({"type_": "Ready", "state": state} | more)


def failed(**more: object) -> run.Condition:
    return ready(STATE.CONDITION_FAILED, **more)


def told_revision(
    name: str, image: str = f"{APP}@{CURRENT}", condition: run.Condition | None = None, port: int = 8080, **more: object
) -> run.Revision:
    container = {"image": image, "ports": [{"container_port": port}]}
    known: dict[str, object] = {
        "name": f"{NAMES}/revisions/{name}",
        "service": "phase2",
        "containers": [container],
        "conditions": [condition or ready()],
        "create_time": NOW - timedelta(days=1),
    }
    return run.Revision(known | more)


def _raw(message: run.Service | run.Revision) -> Any:
    """The message without Google's wrapping, which is typed in part."""
    kind: Any = type(message)
    return kind.pb(message)


def told_service(
    *revisions: run.Revision, created: str = "phase2-a", ready_one: str = "phase2-a", **more: Any
) -> Service:
    """The service as a source reads it: ``phase2-a`` serves all of the traffic, unless told otherwise."""
    known: dict[str, Any] = {
        "name": NAMES,
        "generation": 5,
        "observed_generation": 5,
        "template": {"containers": [{"image": f"{APP}:latest", "ports": [{"container_port": 8080}]}]},
        "traffic": [LATEST],
        "traffic_statuses": [LATEST],
        "latest_created_revision": f"{NAMES}/revisions/{created}",
        "latest_ready_revision": f"{NAMES}/revisions/{ready_one}",
        "terminal_condition": ready(),
        "update_time": NOW - timedelta(days=1),
    }
    place, sources = ("demo-nba", "us-west2"), settings().sources
    read = read_service(_raw(run.Service(known | more)), place, sources)
    whole = revisions or (told_revision("phase2-a"),)
    found = tuple(read_revision(_raw(each), read, sources) for each in whole)
    return read.model_copy(update={"revisions": found})


def tags(latest: str | None = CURRENT, **others: str) -> list[Tag]:
    known = {"latest": latest} | others
    return [Tag(repository=APP, tag=name.replace("_", "-"), digest=digest) for name, digest in known.items()]


TAGGED = settings(services=[{"name": "phase2", "tag": "latest"}])


def findings(
    service: Service, pipeline: Pipeline | None = None, pushed: Sequence[Tag] | None = None, **more: Any
) -> list[Finding]:
    return list(judge(seen(service, tags=pushed or tags(), pipeline=pipeline, **more)).findings)


def told(service: Service, pipeline: Pipeline | None = None, pushed: Sequence[Tag] | None = None) -> Finding:
    (finding,) = findings(service, pipeline, pushed)
    assert (finding.rule, finding.subject) == ("revision-not-serving", "phase2")
    return finding


def gate(service: Service, digest: str = CURRENT) -> Any:
    return judge_deploy(service, WantedImage(digest=digest, named="it", repository=APP), (), ())


def test_a_service_that_is_well_is_healthy_and_deployed() -> None:
    assert findings(told_service()) == []
    assert gate(told_service()).exit_code == 0


KEY = {
    "reason": COMMON.ENCRYPTION_KEY_PERMISSION_DENIED,
    "message": "The encryption key is disabled or destroyed; new instances cannot start.",
}


@pytest.mark.parametrize("of_revision", [True, False])
@pytest.mark.parametrize("of_service", [True, False])
def test_a_service_that_lost_its_key_is_neither_healthy_nor_deployed(*, of_service: bool, of_revision: bool) -> None:
    revision = told_revision("phase2-a", condition=failed(**KEY) if of_revision else None)
    service = told_service(revision, terminal_condition=failed(**KEY) if of_service else ready())
    if not (of_service or of_revision):
        assert (findings(service), gate(service).exit_code) == ([], 0)
        return

    finding = told(service)

    assert finding.severity == "P1"
    assert "encryption key" in finding.next_step
    assert any("disabled or destroyed" in fact.subject for fact in finding.evidence)
    assert gate(service).exit_code == 1
    assert "disabled or destroyed" in gate(service).reason


def test_a_traffic_tag_on_a_revision_that_was_deleted_is_told_in_the_words_of_cloud_run() -> None:
    message = "Revision 'phase2-00007-old' in traffic does not exist or is deleted."
    service = told_service(
        traffic=[LATEST, by_name("phase2-00007-old", 0, "candidate")],
        terminal_condition=failed(message=message),
        conditions=[run.Condition({"type_": "RoutesReady", "state": STATE.CONDITION_FAILED, "message": message})],
    )

    finding = told(service)

    assert finding.severity == "P1"
    assert finding.evidence[0].subject == message
    assert "send the traffic" not in finding.next_step
    assert gate(service).exit_code == 1


@pytest.mark.parametrize("state", [STATE.CONDITION_SUCCEEDED, STATE.CONDITION_RECONCILING])
def test_a_status_of_an_older_generation_is_unknown_and_not_deployed(state: int) -> None:
    service = told_service(observed_generation=4, terminal_condition=ready(state))

    assert told(service).severity == "unknown"
    assert gate(service).exit_code != 0


def test_a_failure_is_told_although_cloud_run_keeps_the_older_generation() -> None:
    assert told(told_service(observed_generation=4, terminal_condition=failed(**KEY))).severity == "P1"


PREVIEW = told_revision("phase2-b", f"{APP}@{OTHER}")
ON_LATEST = [by_name("phase2-a"), {"type_": 1, "percent": 0, "tag": "pr-12"}]
ON_NAME = [by_name("phase2-a"), by_name("phase2-b", 0, "canary")]


def with_preview(traffic: Sequence[Mapping[str, object]], newest: run.Revision = PREVIEW, **more: Any) -> Service:
    template = {"containers": [{"image": f"{APP}:pr-12"}]}
    known: dict[str, Any] = {"traffic": list(traffic), "traffic_statuses": list(traffic), "template": template}
    return told_service(told_revision("phase2-a"), newest, created="phase2-b", ready_one="phase2-b", **(known | more))


@pytest.mark.parametrize("pipeline", [TAGGED, settings()], ids=["the settings name the tag", "they do not"])
@pytest.mark.parametrize("traffic", [ON_LATEST, ON_NAME])
def test_a_preview_is_no_fault(traffic: Sequence[Mapping[str, object]], pipeline: Pipeline) -> None:
    assert findings(with_preview(traffic), pipeline, tags(pr_12=OTHER)) == []


def test_a_preview_whose_tag_moved_or_went_is_no_fault_of_production() -> None:
    for pushed in (tags(pr_12="sha256:" + "c" * 64), [*tags(), Tag(repository=APP, tag="pr-12", digest=None)]):
        assert findings(with_preview(ON_LATEST), settings(), pushed) == []


def test_beside_a_preview_production_that_is_old_stays_p1() -> None:
    (finding,) = findings(with_preview(ON_LATEST), TAGGED, tags("sha256:" + "c" * 64, pr_12=OTHER))

    assert (finding.rule, finding.severity) == ("serving-digest-not-tag", "P1")


def test_a_preview_of_what_should_serve_is_p1_and_nobody_is_told_to_send_it_the_traffic() -> None:
    service = with_preview(ON_LATEST)
    finding = told(service, TAGGED, tags(OTHER))

    assert finding.severity == "P1"
    assert "send the traffic" not in finding.next_step
    assert gate(service, OTHER).exit_code == 1
    assert "send the traffic" not in gate(service, OTHER).next_step


def test_the_newest_revision_without_a_traffic_tag_that_gets_nothing_is_p1() -> None:
    traffic = [by_name("phase2-a"), by_name("phase2-a", 0, "stable")]

    assert told(with_preview(traffic), TAGGED, tags(OTHER)).severity == "P1"


def test_a_preview_that_failed_is_told_and_is_not_production() -> None:
    broken = told_revision("phase2-b", f"{APP}@{OTHER}", failed(**KEY))
    service = with_preview(
        ON_LATEST, broken, terminal_condition=failed(**KEY), latest_ready_revision=f"{NAMES}/revisions/phase2-a"
    )

    assert told(service, TAGGED, tags(pr_12=OTHER)).severity == "P2"
    assert told(service, settings(), tags(pr_12=OTHER)).severity == "P1"


def not_ready(condition: run.Condition, **more: Any) -> Service:
    """``phase2-b`` is the newest, ``phase2-a`` serves."""
    newest = told_revision("phase2-b", f"{APP}@{more.pop('digest', OTHER)}", condition, port=more.pop("port", 8080))
    known: dict[str, Any] = {"terminal_condition": condition, "template": {"containers": [{"image": f"{APP}:v2"}]}}
    return told_service(told_revision("phase2-a"), newest, created="phase2-b", **(known | more))


MESSAGES = {
    "secret": (
        {"reason": COMMON.SECRETS_ACCESS_CHECK_FAILED},
        (
            "template.containers[0].env[0].value_from.secret_key_ref.name: Permission denied on secret: "
            "projects/123/secrets/db-url/versions/latest for Revision service account o@shop.iam.gserviceaccount.com. "
            "The service account used must be granted the 'Secret Manager Secret Accessor' role "
            "(roles/secretmanager.secretAccessor) at the secret, project or higher level."
        ),
        "secrets/db-url",
        "roles/secretmanager.secretAccessor",
    ),
    "image denied": (
        {"reason": COMMON.CONTAINER_PERMISSION_DENIED},
        (
            "Google Cloud Run Service Agent must have permission to read the image, "
            "us-west2-docker.pkg.dev/shared/apps/orders:v2. Ensure that the provided container image URL is correct."
        ),
        "permission to read the image",
        "permission to read the image",
    ),
    "quota": (
        {"revision_reason": REVISION.MIN_INSTANCES_NOT_PROVISIONED},
        "Unable to provision minimum instances: Quota exceeded for CpuAllocPerProjectRegion.",
        "Quota exceeded",
        "quota",
    ),
    "image missing": (
        {"reason": COMMON.CONTAINER_MISSING},
        "Image 'us-west2-docker.pkg.dev/shop/apps/orders@sha256:abcd' not found.",
        "not found",
        "push the image",
    ),
    "policy": (
        {"reason": COMMON.CONTAINER_IMAGE_UNAUTHORIZED},
        "Container image is not authorized by policy.",
        "not authorized by policy",
        "Binary Authorization",
    ),
    "network": (
        {"reason": COMMON.VPC_NETWORK_NOT_FOUND},
        "VPC network 'prod' was not found.",
        "VPC network 'prod'",
        "VPC network",
    ),
}


@pytest.mark.parametrize(("reason", "message", "shown", "step"), MESSAGES.values(), ids=MESSAGES)
def test_the_next_step_fits_the_reason_that_cloud_run_gives(
    reason: Mapping[str, object], message: str, shown: str, step: str
) -> None:
    service = not_ready(failed(message=message, **reason))

    (finding,) = findings(service, pushed=tags(v2=OTHER))

    assert finding.severity == "P1"
    assert any(message in fact.subject for fact in finding.evidence)
    of_gate = gate(service, OTHER)
    assert message in of_gate.reason
    for given in (finding.next_step, of_gate.next_step):
        assert step in given
        assert "mend the image" not in given
        assert "8080" not in given
    assert shown in finding.model_dump_json()


def test_every_reason_of_the_api_has_a_step() -> None:
    names = {each.name for kind in (COMMON, REVISION, EXECUTION) for each in kind if each.value}

    assert names == set(STEPS)


FIELDS = [
    (field, each.name)
    for field, kind in (("reason", COMMON), ("revision_reason", REVISION))
    for each in kind
    if each.value
]


@pytest.mark.parametrize(("field", "reason"), FIELDS)
def test_no_step_names_a_port_by_habit(field: str, reason: str) -> None:
    service = not_ready(failed(message="It failed.", **{field: reason}), port=3000)

    (finding,) = findings(service, pushed=tags(v2=OTHER))

    assert "8080" not in finding.next_step
    assert "{" not in finding.next_step


def test_the_port_is_the_one_that_the_message_names_else_that_of_the_template() -> None:
    reason = {"revision_reason": REVISION.HEALTH_CHECK_CONTAINER_ERROR}
    named = "failed to start and listen on the port defined provided by the PORT=5000 environment variable."
    for message, port in ((named, "5000"), ("The container failed to listen.", "3000")):
        (finding,) = findings(not_ready(failed(message=message, **reason), port=3000), pushed=tags(v2=OTHER))
        assert f"on port {port}" in finding.next_step


def test_a_deploy_of_the_same_image_whose_revision_failed_is_not_deployed() -> None:
    service = not_ready(failed(**KEY), digest=CURRENT, template={"containers": [{"image": f"{APP}:latest"}]})

    assert gate(service).exit_code == 1
    assert "phase2-b never became ready" in gate(service).reason


def test_a_newest_revision_of_the_same_image_that_gets_nothing_is_named() -> None:
    revisions = told_revision("phase2-a"), told_revision("phase2-b")
    traffic = [by_name("phase2-a")]
    service = told_service(
        *revisions, created="phase2-b", ready_one="phase2-b", traffic=traffic, traffic_statuses=traffic
    )

    assert "phase2-b, the newest revision, gets no traffic" in gate(service).reason


def test_a_traffic_change_that_was_refused_is_told_by_its_message_and_is_not_called_pinned() -> None:
    message = "Assigning traffic to latest ready revision: Resource readiness deadline exceeded."
    service = told_service(
        told_revision("phase2-a"),
        told_revision("phase2-b", f"{APP}@{OTHER}"),
        created="phase2-b",
        ready_one="phase2-b",
        traffic=[by_name("phase2-b")],
        traffic_statuses=[by_name("phase2-a")],
        terminal_condition=failed(message=message),
    )

    finding = told(service, pushed=tags(OTHER))

    assert finding.severity == "P1"
    assert any(fact.subject == message for fact in finding.evidence)
    assert "pinned" not in finding.model_dump_json()
    assert gate(service, OTHER).exit_code == 1
    assert "pinned" not in gate(service, OTHER).reason


NAMELESS = [{"type_": 2, "percent": 100}]


@pytest.mark.parametrize("wanted", [[LATEST], NAMELESS])
@pytest.mark.parametrize("state", [STATE.CONDITION_RECONCILING, STATE.CONDITION_PENDING])
@pytest.mark.parametrize("age", [timedelta(minutes=5), timedelta(days=1)])
def test_a_newest_revision_that_nobody_calls_ready_gets_no_advice_to_send_it_traffic(
    state: int, wanted: Sequence[Mapping[str, object]], age: timedelta
) -> None:
    newest = told_revision("phase2-b", f"{APP}@{OTHER}", ready(state), create_time=NOW - age)
    service = told_service(
        told_revision("phase2-a"),
        newest,
        created="phase2-b",
        traffic=list(wanted),
        terminal_condition=ready(state),
        template={"containers": [{"image": f"{APP}:v2"}]},
    )

    finding = told(service, pushed=tags(v2=OTHER))

    assert finding.severity == ("P1" if age > timedelta(hours=1) else "unknown")
    assert "traffic" not in finding.next_step
    assert "pinned" not in finding.model_dump_json()
    assert gate(service, OTHER).exit_code != 0
    assert gate(service, CURRENT).exit_code != 0


@pytest.mark.parametrize("met", [[LATEST], NAMELESS, [{"percent": 100}]])
@pytest.mark.parametrize("wanted", [[], [LATEST], NAMELESS])
def test_traffic_without_a_name_follows_the_latest(
    wanted: Sequence[Mapping[str, object]], met: Sequence[Mapping[str, object]]
) -> None:
    service = told_service(traffic=list(wanted), traffic_statuses=list(met))

    assert (findings(service), service.pinned, service.unmet) == ([], False, False)
    assert gate(service).exit_code == 0


def test_a_service_that_was_scaled_to_0_by_hand_is_said_to_be() -> None:
    service = told_service(scaling={"scaling_mode": 2, "manual_instance_count": 0})

    finding = told(service)

    assert (finding.severity, "scaled to 0 by hand" in finding.summary) == ("P2", True)
    assert gate(service).exit_code == 3
    for more in ({"scaling_mode": 2, "manual_instance_count": 3}, {"scaling_mode": 1}, {"min_instance_count": 0}):
        assert findings(told_service(scaling=more)) == []


def test_lines_of_the_failed_revision_decide_the_step() -> None:

    lines = {
        "terminated: Application failed to start: failed to load /bin/run.sh: exec format error": "linux/amd64",
        "Memory limit of 512 MiB exceeded with 530 MiB used. Consider increasing the memory limit.": "memory limit",
        'STARTUP TCP probe failed 3 times consecutively for container "app" on port 8080 path "".': "startup probe",
        'STARTUP HTTP probe failed 1 time consecutively for container "app" on port 3000 path "/".': "startup probe",
    }
    reason = {"revision_reason": REVISION.HEALTH_CHECK_CONTAINER_ERROR}
    service = not_ready(failed(message="The user-provided container failed to start.", **reason), port=3000)
    for line, step in lines.items():
        witnessed = burst(Trouble.STARTUP, of="phase2-b").model_copy(update={"sample": line})
        (finding,) = findings(service, pushed=tags(v2=OTHER), told=logs(run_line(), bursts=[witnessed]))
        assert any(fact.subject == line for fact in finding.evidence)
        assert step in finding.next_step
