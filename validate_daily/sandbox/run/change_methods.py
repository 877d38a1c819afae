"""The methods that change: whoever changes says what was read before, and is refused if that is no longer so."""

from copy import copy
from dataclasses import replace
from typing import Any, Final

from validate_daily.sandbox.errors import RefusedError, invalid, unimplemented
from validate_daily.sandbox.run import operations, parse, v2
from validate_daily.sandbox.run.cloud import CloudRun
from validate_daily.sandbox.run.read_methods import job_of, service_of
from validate_daily.sandbox.run.state import Service, Template

Request = dict[str, Any]
Response = dict[str, object]

_LONGEST_NAME: Final = 63
_PARTS: Final = frozenset({"template", "traffic", "labels", "annotations"})


def update_service(cloud: CloudRun, request: Request) -> Response:
    """UpdateService: the whole of it, or the parts of the mask."""
    sent = request.get("service", {})
    if request.get("allow_missing") and sent.get("name", "") not in cloud.services:
        unimplemented("UpdateServiceRequest.allow_missing: services are not created here")
    service = service_of(cloud, sent.get("name", ""))
    _unchanged(service.name, sent.get("etag", ""), v2.etag(service.uid, service.version))
    parts = _parts(request.get("update_mask", ""))
    template = parse.template(sent.get("template", {})) if "template" in parts else None
    if template is not None:
        template = _named(service, template)
    names = {*service.revisions, template.revision if template else ""}
    change: dict[str, Any] = {"template": template}
    if "traffic" in parts:
        change["traffic"] = parse.traffic(sent.get("traffic", []), names)
    for part in ("labels", "annotations"):
        if part in parts:
            change[part] = parse.labels(sent.get(part, {}))
    if request.get("validate_only"):
        return _would_be(cloud, service, change)
    return operations.told(cloud.update(service, **change, at=cloud.clock.now()))


def update_job(cloud: CloudRun, request: Request) -> Response:
    """UpdateJob: the whole of it. Nothing is started."""
    sent = request.get("job", {})
    job = job_of(cloud, sent.get("name", ""))
    _unchanged(job.name, sent.get("etag", ""), v2.etag(job.uid, job.version))
    for token in ("start_execution_token", "run_execution_token"):
        if token in sent:
            unimplemented(f"Job.{token}")
    task = parse.task(sent.get("template", {}))
    labels, annotations = parse.labels(sent.get("labels", {})), parse.labels(sent.get("annotations", {}))
    if request.get("validate_only"):
        would = copy(job)
        would.task, would.labels, would.annotations = task, labels, annotations
        return cloud.rehearsal.of_job(would)
    update = cloud.update_job(job, task=task, labels=labels, annotations=annotations, at=cloud.clock.now())
    return operations.told(update)


def run_job(cloud: CloudRun, request: Request) -> Response:
    """RunJob: an operation that is done when the execution is."""
    job = job_of(cloud, request.get("name", ""))
    _unchanged(job.name, request.get("etag", ""), v2.etag(job.uid, job.version))
    if request.get("overrides"):
        unimplemented("RunJobRequest.overrides")
    if request.get("validate_only"):
        return {"done": True}
    return operations.told(cloud.execute(job, at=cloud.clock.now()))


def _unchanged(name: str, etag: str, current: str) -> None:
    if etag and etag != current:
        raise RefusedError(
            "ABORTED",
            f"Conflict for resource '{name.rpartition('/')[2]}': version '{etag}' was specified but current version is "
            f"'{current}'.",
        )


def _parts(mask: str) -> frozenset[str]:
    parts = frozenset(mask.split(",")) if mask else _PARTS
    if unknown := parts - _PARTS:
        unimplemented(f"update_mask {', '.join(sorted(unknown))}")
    return parts


def _named(service: Service, template: Template) -> Template:
    """A template may name its revision: a new name, or that of a revision which is just so."""
    if not template.revision:
        return template
    if not template.revision.startswith(f"{service.short}-") or len(template.revision) > _LONGEST_NAME:
        invalid(
            f"template.revision {template.revision!r} must begin with {service.short}- and have at most "
            f"{_LONGEST_NAME} characters"
        )
    unnamed, current = replace(template, revision=""), replace(service.template, revision="")
    if template.revision not in service.revisions:
        return template
    if template.revision == service.created_revision and unnamed == current:
        return service.template
    raise RefusedError(
        "ALREADY_EXISTS", f"Revision named '{template.revision}' with different configuration already exists."
    )


def _would_be(cloud: CloudRun, service: Service, change: dict[str, Any]) -> Response:
    would = copy(service)
    for part, value in change.items():
        if value is not None:
            setattr(would, part, value)
    return cloud.rehearsal.of_service(would)
