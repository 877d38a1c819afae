"""How a revision comes to serve, or does not: what Cloud Run says of it at each step."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from validate_daily.sandbox.images import Images
from validate_daily.sandbox.run.state import PORT, Condition, Revision, Service, Status, Template

_PARTS: Final = ("ContainerHealthy", "ContainerReady", "ResourcesAvailable")
_HEALTH: Final = (
    "The user-provided container failed to start and listen on the port defined provided by the PORT={port} "
    "environment variable within the allocated timeout. This can happen when the container port is misconfigured or if "
    "the timeout is too short. The health check timeout can be extended. Logs for this revision might contain more "
    "information.\n\nLogs URL: {logs}\nFor more troubleshooting guidance, see "
    "https://cloud.google.com/run/docs/troubleshooting#container-failed-to-start"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a revision cannot serve."""

    reason: str
    message: str


def examine(images: Images, template: Template, logs: str) -> Failure | None:
    """What the health check of a new revision finds."""
    if missing := images.missing(template.containers):
        return Failure("CONTAINER_MISSING", f"Image '{missing.image}' not found.")
    build = images.build(images.program(template.containers).image)
    if build is not None and not build.starts:
        return Failure("HEALTH_CHECK_CONTAINER_ERROR", _HEALTH.format(port=PORT, logs=logs))
    return None


def created(revision: Revision, at: datetime) -> None:
    """A revision was created, and is being looked at."""
    _say(revision, at, Condition("Ready", "RECONCILING", at), others="RECONCILING")


def ready(revision: Revision, at: datetime) -> None:
    """A revision can serve."""
    _say(revision, at, Condition("Ready", "SUCCEEDED", at), others="SUCCEEDED")


def failed(revision: Revision, failure: Failure, at: datetime) -> None:
    """A revision cannot serve."""
    ready = Condition("Ready", "FAILED", at, failure.reason, failure.message)
    _say(revision, at, ready, others="RECONCILING")
    if failure.reason == "HEALTH_CHECK_CONTAINER_ERROR":
        healthy = replace(ready, type="ContainerHealthy")
        revision.conditions = tuple(healthy if each.type == healthy.type else each for each in revision.conditions)


def retire(service: Service, at: datetime) -> None:
    """What gets no traffic, and is not the newest, is put away: that is no error."""
    kept = {revision.name for revision, _ in service.serving()} | {service.created_revision}
    for revision in service.revisions.values():
        if revision.name in kept or not revision.ready or revision.conditions[0].reason == "RETIRED":
            continue
        active = Condition("Active", "FAILED", at, "RETIRED", "Revision retired.", info=True)
        revision.conditions = (
            Condition("Ready", "SUCCEEDED", at, "RETIRED"),
            active,
            *(Condition(part, "RECONCILING", at) for part in _PARTS),
        )
        revision.updated = at


def change_began(service: Service, at: datetime) -> None:
    """A change of a service began."""
    service.reconciling = True
    _settle(service, at, "RECONCILING")


def changed(service: Service, at: datetime) -> None:
    """A change of a service is over, and what was wanted is so."""
    service.observed = service.traffic
    service.observed_generation = service.generation
    service.reconciling = False
    _settle(service, at, "SUCCEEDED")
    retire(service, at)


def broken(service: Service, revision: Revision, failure: Failure, at: datetime) -> None:
    """A change of a service is over and came to nothing: what served before goes on."""
    service.reconciling = False
    message = f"Revision '{revision.name}' is not ready and cannot serve traffic. {failure.message}"
    wrong = Condition("Ready", "FAILED", at, "REVISION_FAILED", message)
    configured = replace(wrong, type="ConfigurationsReady")
    routed = Condition("RoutesReady", "SUCCEEDED", at) if service.observed else replace(wrong, type="RoutesReady")
    service.conditions = (wrong, configured, routed)
    _touch(service, at)


def _say(revision: Revision, at: datetime, ready: Condition, *, others: Status) -> None:
    active = Condition("Active", "SUCCEEDED" if ready.status == "SUCCEEDED" else "RECONCILING", at)
    revision.conditions = (ready, active, *(Condition(part, others, at) for part in _PARTS))
    revision.updated = at


def _settle(service: Service, at: datetime, status: Status) -> None:
    service.conditions = tuple(Condition(kind, status, at) for kind in ("Ready", "ConfigurationsReady", "RoutesReady"))
    _touch(service, at)


def _touch(service: Service, at: datetime) -> None:
    service.updated = max(service.updated, at)
    service.version += 1
