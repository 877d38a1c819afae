"""What all resources of Cloud Run's v1 API have in common: metadata, conditions, containers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from validate_daily.sandbox.run import v2
from validate_daily.sandbox.run.state import Condition, Container, Labels, Place

Fields = dict[str, object]

SERVING: Final = "serving.knative.dev"
RUN: Final = "run.googleapis.com"

_LOCATION: Final = "cloud.googleapis.com/location"
_STATUSES: Final = {"SUCCEEDED": "True", "FAILED": "False", "RECONCILING": "Unknown"}


def resource(
    group: str, kind: str, place: Place, name: str, *, metadata: Mapping[str, object], spec: Fields, status: Fields
) -> Fields:
    """A whole resource. Its namespace is the project's id, where production has its number."""
    path = f"/apis/{group}/v1/namespaces/{place.project}/{kind.lower()}s/{name}"
    own = {"name": name, "namespace": place.project, "selfLink": path}
    return {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "metadata": own | dict(metadata),
        "spec": spec,
        "status": status,
    }


def metadata(
    place: Place,
    *,
    uid: str,
    generation: int,
    version: str,
    created: datetime,
    labels: Labels,
    annotations: Labels,
) -> Fields:
    """What a resource's metadata say beside its name."""
    return {
        "uid": uid,
        "generation": generation,
        "resourceVersion": version.strip('"'),
        "creationTimestamp": v2.stamp(created),
        "labels": {**labels, _LOCATION: place.location},
        "annotations": dict(annotations),
    }


def condition(one: Condition) -> Fields:
    """A condition: whether it holds in a word, and its reason in another."""
    told: Fields = {"type": one.type, "status": _STATUSES[one.status], "lastTransitionTime": v2.stamp(one.at)}
    if one.reason:
        told["reason"] = one.reason.title().replace("_", "")
    if one.message:
        told["message"] = one.message
    if one.info:
        told["severity"] = "Info"
    return told


def container(one: Container) -> Fields:
    """A container, without what it says nothing about."""
    told: Fields = {
        "name": one.name,
        "image": one.image,
        "command": list(one.command),
        "args": list(one.args),
        "env": [{"name": name, "value": value} for name, value in one.environment.items()],
        "ports": [] if one.port is None else [{"name": "http1", "containerPort": one.port}],
        "resources": {"limits": dict(one.limits)} if one.limits else {},
    }
    return {key: value for key, value in told.items() if value}
