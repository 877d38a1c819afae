"""Jobs and their executions as Cloud Run's v1 API has them."""

from typing import Final

from validate_daily.sandbox.rest.parts import RUN, Fields, condition, container, metadata, resource
from validate_daily.sandbox.run import v2
from validate_daily.sandbox.run.state import Condition, Execution, Job, Task

_COMPLETIONS: Final = {
    "RECONCILING": "EXECUTION_RUNNING",
    "FAILED": "EXECUTION_FAILED",
    "SUCCEEDED": "EXECUTION_SUCCEEDED",
}


def job(one: Job) -> Fields:
    """``run.googleapis.com/v1 Job``."""
    status: Fields = {
        "observedGeneration": one.generation,
        "conditions": [condition(Condition("Ready", "SUCCEEDED", one.updated))],
        "executionCount": one.earlier + len(one.executions),
    }
    if one.executions:
        status["latestCreatedExecution"] = _reference(max(one.executions.values(), key=lambda each: each.created))
    return resource(
        RUN,
        "Job",
        one.place,
        one.short,
        metadata=metadata(
            one.place,
            uid=one.uid,
            generation=one.generation,
            version=v2.etag(one.uid, one.version),
            created=one.created,
            labels={**one.labels, f"{RUN}/lastUpdatedTime": v2.stamp(one.updated)},
            annotations={**one.annotations, f"{RUN}/creator": one.actor, f"{RUN}/lastModifier": one.actor},
        ),
        spec={"template": {"metadata": {"labels": dict(one.task.labels)}, "spec": _spec(one.task)}},
        status=status,
    )


def execution(of: Job, one: Execution) -> Fields:
    """``run.googleapis.com/v1 Execution``: its image as the job named it."""
    counted = {"RECONCILING": "runningCount", "FAILED": "failedCount", "SUCCEEDED": "succeededCount"}[one.status]
    status: Fields = {
        "observedGeneration": 1,
        "conditions": [
            condition(_completed(one)),
            condition(Condition("Started", "SUCCEEDED", one.created)),
        ],
        "startTime": v2.stamp(one.created),
        counted: one.task.tasks,
    }
    if one.completed is not None:
        status["completionTime"] = v2.stamp(one.completed)
    return resource(
        RUN,
        "Execution",
        of.place,
        one.name,
        metadata=metadata(
            of.place,
            uid=one.uid,
            generation=1,
            version=v2.etag(one.uid, one.completed),
            created=one.created,
            labels={**one.task.labels, f"{RUN}/job": of.short, f"{RUN}/jobUid": of.uid},
            annotations={f"{RUN}/creator": of.actor},
        ),
        spec=_spec(one.task),
        status=status,
    )


def _completed(one: Execution) -> Condition:
    reason = "NON_ZERO_EXIT_CODE" if one.status == "FAILED" else ""
    return Condition("Completed", one.status, one.completed or one.created, reason, one.failure)


def _reference(one: Execution) -> Fields:
    told: Fields = {
        "name": one.name,
        "creationTimestamp": v2.stamp(one.created),
        "completionStatus": _COMPLETIONS[one.status],
    }
    return told | ({"completionTimestamp": v2.stamp(one.completed)} if one.completed else {})


def _spec(one: Task) -> Fields:
    task: Fields = {
        "containers": [container(each) for each in one.containers],
        "maxRetries": one.max_retries,
        "serviceAccountName": one.service_account,
        "timeoutSeconds": str(int(one.timeout.total_seconds())),
    }
    return {"parallelism": 1, "taskCount": one.tasks, "template": {"spec": task}}
