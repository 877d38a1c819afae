"""Templates as clients send them. What the practice cloud would not keep, it refuses."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, cast

from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.run import messages, v2
from validate_daily.sandbox.run.state import ALL_TO_LATEST, Container, Target, Task, Template

Fields = Mapping[str, Any]

_WHOLE: Final = 100
_RESERVED: Final = ("run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev")


def template(fields: Fields) -> Template:
    """A revision template."""
    scaling = cast("Fields", fields.get("scaling", {}))
    told = Template(
        containers=_containers(fields),
        revision=str(fields.get("revision", "")),
        labels=labels(fields.get("labels", {})),
        annotations=labels(fields.get("annotations", {})),
        service_account=str(fields.get("service_account", "")),
        timeout=_duration(fields.get("timeout", "300s")),
        max_instances=int(scaling.get("max_instance_count", 0)),
        concurrency=int(fields.get("max_instance_request_concurrency", 80)),
    )
    _nothing_lost("RevisionTemplate", fields, v2.template(told))
    return told


def task(fields: Fields) -> Task:
    """An execution template."""
    inner = cast("Fields", fields.get("template", {}))
    told = Task(
        containers=_containers(inner),
        labels=labels(fields.get("labels", {})),
        service_account=str(inner.get("service_account", "")),
        timeout=_duration(inner.get("timeout", "600s")),
        max_retries=int(inner.get("max_retries", 3)),
        tasks=int(fields.get("task_count", 1)),
    )
    _nothing_lost("TaskTemplate", inner, v2.task(told))
    return told


def traffic(entries: Iterable[Fields], known: Iterable[str]) -> tuple[Target, ...]:
    """Who gets how much: all to the latest where nothing is said."""
    targets = tuple(
        Target(int(entry.get("percent", 0)), str(entry.get("revision", "")), str(entry.get("tag", "")))
        for entry in entries
    )
    known = set(known)
    for target in targets:
        if target.revision and target.revision not in known:
            invalid(f"traffic names the revision {target.revision!r}, which does not exist")
    if targets and sum(target.percent for target in targets) != _WHOLE:
        invalid(f"traffic must add up to 100 percent, not to {sum(target.percent for target in targets)}")
    return targets or ALL_TO_LATEST


def labels(fields: Fields) -> dict[str, str]:
    """Labels or annotations; Google's own cannot be set."""
    told = {name: str(value) for name, value in fields.items()}
    for name in told:
        if name.partition("/")[0].endswith(_RESERVED):
            invalid(f"{name!r} is in a namespace of Google's and cannot be set in the v2 API")
    return told


def _containers(fields: Fields) -> tuple[Container, ...]:
    told = tuple(_container(entry) for entry in cast("list[Fields]", fields.get("containers", [])))
    if not told or not all(one.image for one in told):
        invalid("a template needs a container with an image")
    return told


def _container(fields: Fields) -> Container:
    ports = cast("list[Fields]", fields.get("ports", []))
    variables = cast("list[Fields]", fields.get("env", []))
    return Container(
        image=str(fields.get("image", "")),
        name=str(fields.get("name", "")),
        port=int(ports[0]["container_port"]) if ports else None,
        environment={str(one["name"]): str(one.get("value", "")) for one in variables},
        command=tuple(fields.get("command", [])),
        args=tuple(fields.get("args", [])),
        depends_on=tuple(fields.get("depends_on", [])),
        limits=dict(fields.get("resources", {}).get("limits", {})),
    )


def _duration(text: str) -> timedelta:
    return timedelta(seconds=float(text.removesuffix("s")))


def _nothing_lost(kind: str, sent: Fields, kept: Fields) -> None:
    """Defaults may come in; nothing that was sent may go."""
    rest = messages.decode(kind, messages.encode(kind, kept))
    for name, value in sent.items():
        if rest.get(name) != value and value not in ({}, [], "", 0):
            unimplemented(f"{kind}.{name} as it was sent")
