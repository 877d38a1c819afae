"""What a check reads, and what gcloud prints, in the same few words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from checks.evidence.deployments import Deployments, State

from support.gcloud import Printed

_READY = {"True": State.SUCCEEDED, "False": State.FAILED, "Unknown": State.PENDING}
_ENDED = {
    "EXECUTION_SUCCEEDED": State.SUCCEEDED,
    "EXECUTION_FAILED": State.FAILED,
    "EXECUTION_RUNNING": State.PENDING,
}


@dataclass(frozen=True)
class ServiceWords:
    """A service: what serves as (revision, percent, digest), and whether it and its newest revision are ready."""

    serves: frozenset[tuple[str, int, str | None]]
    created: str
    ready: str
    state: State
    created_state: State | None
    pinned: bool


@dataclass(frozen=True)
class JobWords:
    """A job: its image as somebody typed it, how often it ran, and when and how it ran last."""

    image: str
    executions: int
    last_run: datetime | None
    last_state: State


def services_read(found: Deployments) -> dict[str, ServiceWords]:
    """The services that a check read."""
    words: dict[str, ServiceWords] = {}
    for each in found.services:
        newest = each.revision(each.created)
        words[each.name] = ServiceWords(
            frozenset(
                (share.revision, share.percent, revision.image.digest if revision else None)
                for share, revision in each.serving
            ),
            each.created,
            each.ready,
            each.state,
            newest.ready if newest else None,
            each.pinned,
        )
    return words


def services_printed(services: Iterable[Printed], revisions: Iterable[Printed]) -> dict[str, ServiceWords]:
    """The services that gcloud printed."""
    by_name = {name(each): each for each in revisions}
    return {name(each): _service(each, by_name) for each in services}


def jobs_read(found: Deployments) -> dict[str, JobWords]:
    """The jobs that a check read."""
    return {
        each.name: JobWords(each.image.reference, each.executions, each.last_run, each.last_state)
        for each in found.jobs
    }


def jobs_printed(jobs: Iterable[Printed]) -> dict[str, JobWords]:
    """The jobs that gcloud printed."""
    return {name(each): _job(each) for each in jobs}


def name(resource: Printed) -> str:
    """A resource's name."""
    return resource["metadata"]["name"]


def created(resource: Printed) -> datetime:
    """When a resource came into being."""
    return datetime.fromisoformat(resource["metadata"]["creationTimestamp"])


def _service(one: Printed, revisions: Mapping[str, Printed]) -> ServiceWords:
    status = one["status"]
    targets = [(each["revisionName"], each["percent"]) for each in status["traffic"] if each.get("percent")]
    return ServiceWords(
        frozenset((revision, percent, _digest(revisions[revision])) for revision, percent in targets),
        status["latestCreatedRevisionName"],
        status["latestReadyRevisionName"],
        _ready(one),
        _ready(revisions[status["latestCreatedRevisionName"]]),
        not any(each.get("latestRevision") and each.get("percent") for each in one["spec"]["traffic"]),
    )


def _job(one: Printed) -> JobWords:
    (container,) = one["spec"]["template"]["spec"]["template"]["spec"]["containers"]
    last = one["status"]["latestCreatedExecution"]
    return JobWords(
        container["image"],
        one["status"]["executionCount"],
        datetime.fromisoformat(last["creationTimestamp"]),
        _ENDED[last["completionStatus"]],
    )


def _digest(revision: Printed) -> str:
    return revision["status"]["imageDigest"].rpartition("@")[2]


def _ready(resource: Printed) -> State:
    return _READY[next(each["status"] for each in resource["status"]["conditions"] if each["type"] == "Ready")]
