"""The state in the words of Cloud Run's v2 API."""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Final

from validate_daily.sandbox.run import messages
from validate_daily.sandbox.run.state import (
    Condition,
    Container,
    Execution,
    Job,
    Revision,
    Service,
    Target,
    Task,
    Template,
)

Fields = dict[str, object]

_REASONS: Final = {
    field: messages.enum("Condition", field) for field in ("reason", "revision_reason", "execution_reason")
}
_LATEST: Final = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
_REVISION: Final = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


def service(one: Service) -> Fields:
    """``google.cloud.run.v2.Service``."""
    terminal, *others = one.conditions
    return {
        "name": one.name,
        "uid": one.uid,
        "generation": str(one.generation),
        "labels": dict(one.labels),
        "annotations": dict(one.annotations),
        "create_time": stamp(one.created),
        "update_time": stamp(one.updated),
        "creator": one.actor,
        "last_modifier": one.actor,
        "client": one.client,
        "ingress": "INGRESS_TRAFFIC_ALL",
        "launch_stage": "GA",
        "template": template(one.template),
        "traffic": [_target(target) for target in one.traffic],
        "traffic_statuses": [_target(target) | _uri(one, target) for target in one.observed],
        "observed_generation": str(one.observed_generation),
        "terminal_condition": condition(terminal),
        "conditions": [condition(each) for each in others],
        "latest_created_revision": revision_name(one, one.created_revision),
        "latest_ready_revision": revision_name(one, one.ready_revision),
        "uri": _address(one),
        "urls": [_address(one)],
        "reconciling": one.reconciling,
        "etag": etag(one.uid, one.version),
    }


def revision(of: Service, one: Revision) -> Fields:
    """``google.cloud.run.v2.Revision``: the service by its short name, as production has it."""
    whole = template(one.template)
    return {
        "name": revision_name(of, one.name),
        "uid": uid(of.uid, one.name),
        "generation": "1",
        "observed_generation": "1",
        "labels": dict(one.template.labels),
        "annotations": dict(one.template.annotations),
        "create_time": stamp(one.created),
        "update_time": stamp(one.updated),
        "launch_stage": "GA",
        "service": one.service,
        "scaling": whole.get("scaling", {}),
        "max_instance_request_concurrency": one.template.concurrency,
        "timeout": whole["timeout"],
        "service_account": one.template.service_account,
        "containers": whole["containers"],
        "reconciling": not one.conditions or one.conditions[0].status == "RECONCILING",
        "conditions": [condition(each) for each in one.conditions],
        "log_uri": log_uri(of, one.name),
        "etag": etag(of.uid + one.name, one.updated),
    }


def job(one: Job) -> Fields:
    """``google.cloud.run.v2.Job``."""
    told: Fields = {
        "name": one.name,
        "uid": one.uid,
        "generation": str(one.generation),
        "labels": dict(one.labels),
        "annotations": dict(one.annotations),
        "create_time": stamp(one.created),
        "update_time": stamp(one.updated),
        "creator": one.actor,
        "last_modifier": one.actor,
        "client": one.client,
        "launch_stage": "GA",
        "template": {"labels": dict(one.task.labels), "task_count": one.task.tasks, "template": task(one.task)},
        "observed_generation": str(one.generation),
        "terminal_condition": condition(Condition("Ready", "SUCCEEDED", one.updated)),
        "execution_count": one.earlier + len(one.executions),
        "reconciling": False,
        "etag": etag(one.uid, one.version),
    }
    if one.executions:
        latest = max(one.executions.values(), key=lambda execution: execution.created)
        told["latest_created_execution"] = _reference(latest)
    return told


def execution(of: Job, one: Execution) -> Fields:
    """``google.cloud.run.v2.Execution``: its image as the job named it."""
    done, failed = one.status == "SUCCEEDED", one.status == "FAILED"
    told: Fields = {
        "name": f"{of.name}/executions/{one.name}",
        "uid": one.uid,
        "generation": "1",
        "observed_generation": "1",
        "labels": dict(one.task.labels),
        "create_time": stamp(one.created),
        "start_time": stamp(one.created),
        "update_time": stamp(one.completed or one.created),
        "creator": of.actor,
        "launch_stage": "GA",
        "job": one.job,
        "parallelism": 1,
        "task_count": one.task.tasks,
        "template": task(one.task),
        "reconciling": one.completed is None,
        "running_count": one.task.tasks if one.completed is None else 0,
        "succeeded_count": one.task.tasks if done else 0,
        "failed_count": one.task.tasks if failed else 0,
        "conditions": [
            condition(
                Condition(
                    "Completed",
                    one.status,
                    one.completed or one.created,
                    reason="NON_ZERO_EXIT_CODE" if failed else "",
                    message=one.failure,
                )
            ),
            condition(Condition("Started", "SUCCEEDED", one.created)),
        ],
        "etag": etag(one.uid, one.completed),
    }
    if one.completed is not None:
        told["completion_time"] = stamp(one.completed)
    return told


def template(one: Template) -> Fields:
    """``RevisionTemplate``."""
    told: Fields = {
        "labels": dict(one.labels),
        "annotations": dict(one.annotations),
        "containers": [_container(each) for each in one.containers],
        "service_account": one.service_account,
        "timeout": _seconds(one.timeout),
        "max_instance_request_concurrency": one.concurrency,
    }
    if one.revision:
        told["revision"] = one.revision
    if one.max_instances:
        told["scaling"] = {"max_instance_count": one.max_instances}
    return told


def task(one: Task) -> Fields:
    """``TaskTemplate``."""
    return {
        "containers": [_container(each) for each in one.containers],
        "max_retries": one.max_retries,
        "timeout": _seconds(one.timeout),
        "service_account": one.service_account,
    }


def condition(one: Condition) -> Fields:
    """``Condition``: the reason in the one of its three enums that knows it."""
    told: Fields = {
        "type": one.type,
        "state": f"CONDITION_{one.status}",
        "message": one.message,
        "last_transition_time": stamp(one.at),
    }
    if one.info:
        told["severity"] = "INFO"
    if one.reason:
        field = next(field for field, names in _REASONS.items() if one.reason in names)
        told[field] = one.reason
    return told


def revision_name(of: Service, short: str) -> str:
    """The full name of a revision, nothing of none."""
    return f"{of.name}/revisions/{short}" if short else ""


def log_uri(of: Service, short: str) -> str:
    """Where people read a revision's log."""
    return (
        f"https://console.cloud.google.com/logs/viewer?project={of.place.project}&resource=cloud_run_revision/"
        f"service_name/{of.short}/revision_name/{short}"
    )


def stamp(moment: datetime) -> str:
    """A time as JSON has it."""
    return moment.isoformat().replace("+00:00", "Z")


def uid(*parts: object) -> str:
    """The same id for the same parts, in the form of a UUID."""
    digits = hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def etag(*parts: object) -> str:
    """A token that changes with its parts, in quotation marks as production's are."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return f'"{base64.urlsafe_b64encode(digest[:12]).decode()}"'


def _container(one: Container) -> Fields:
    told: Fields = {"image": one.image, "name": one.name, "command": list(one.command), "args": list(one.args)}
    if one.environment:
        told["env"] = [{"name": name, "value": value} for name, value in one.environment.items()]
    if one.port is not None:
        told["ports"] = [{"name": "http1", "container_port": one.port}]
    if one.depends_on:
        told["depends_on"] = list(one.depends_on)
    if one.limits:
        told["resources"] = {"limits": dict(one.limits)}
    return told


def _target(one: Target) -> Fields:
    told: Fields = {"type": _REVISION if one.revision else _LATEST, "percent": one.percent}
    return told | ({"revision": one.revision} if one.revision else {}) | ({"tag": one.tag} if one.tag else {})


def _uri(of: Service, target: Target) -> Fields:
    return {"uri": _address(of).replace("https://", f"https://{target.tag}---")} if target.tag else {}


def _address(of: Service) -> str:
    return f"https://{of.short}-{of.uid[:10].replace('-', '')}-wl.a.run.app"


def _reference(one: Execution) -> Fields:
    status = {"RECONCILING": "EXECUTION_RUNNING", "FAILED": "EXECUTION_FAILED", "SUCCEEDED": "EXECUTION_SUCCEEDED"}
    told: Fields = {
        "name": one.name,
        "create_time": stamp(one.created),
        "completion_status": status[one.status],
    }
    return told | ({"completion_time": stamp(one.completed)} if one.completed else {})


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():g}s"
