"""The methods that read."""

from typing import Any

from validate_daily.sandbox.run import names, pages, v2
from validate_daily.sandbox.run.cloud import CloudRun
from validate_daily.sandbox.run.state import Execution, Job, Revision, Service

Request = dict[str, Any]
Response = dict[str, object]


def get_service(cloud: CloudRun, request: Request) -> Response:
    """GetService."""
    return v2.service(service_of(cloud, request["name"]))


def list_services(cloud: CloudRun, request: Request) -> Response:
    """ListServices."""
    parent = names.location(request.get("parent", ""))
    own = sorted((one for one in cloud.services.values() if one.place.name == parent), key=lambda one: one.name)
    page, token = pages.page(request, own, lambda one: one.name)
    return {"services": [v2.service(one) for one in page], **token}


def get_revision(cloud: CloudRun, request: Request) -> Response:
    """GetRevision."""
    name = str(request.get("name", ""))
    parent, _, short = name.rpartition("/revisions/")
    names.child(parent, "services")
    service = cloud.services.get(parent)
    revision = service.revisions.get(short) if service else None
    if service is None or revision is None:
        names.missing(name, "REVISION")
    return v2.revision(service, revision)


def list_revisions(cloud: CloudRun, request: Request) -> Response:
    """ListRevisions, newest first; of all services where ``-`` stands for the service."""
    place, short = names.child(request.get("parent", ""), "services")
    own: list[tuple[Service, Revision]] = [
        (service, revision)
        for service in cloud.services.values()
        if service.place.name == place and short in {"-", service.short}
        for revision in service.revisions.values()
    ]
    own.sort(key=lambda one: (one[1].created, one[1].name), reverse=True)
    page, token = pages.page(request, own, lambda one: one[1].name)
    return {"revisions": [v2.revision(service, revision) for service, revision in page], **token}


def get_job(cloud: CloudRun, request: Request) -> Response:
    """GetJob."""
    return v2.job(job_of(cloud, request["name"]))


def list_jobs(cloud: CloudRun, request: Request) -> Response:
    """ListJobs."""
    parent = names.location(request.get("parent", ""))
    own = sorted((one for one in cloud.jobs.values() if one.place.name == parent), key=lambda one: one.name)
    page, token = pages.page(request, own, lambda one: one.name)
    return {"jobs": [v2.job(one) for one in page], **token}


def get_execution(cloud: CloudRun, request: Request) -> Response:
    """GetExecution."""
    name = str(request.get("name", ""))
    parent, _, short = name.rpartition("/executions/")
    names.child(parent, "jobs")
    job = cloud.jobs.get(parent)
    execution = job.executions.get(short) if job else None
    if job is None or execution is None:
        names.missing(name, "EXECUTION")
    return v2.execution(job, execution)


def list_executions(cloud: CloudRun, request: Request) -> Response:
    """ListExecutions, newest first; of all jobs where ``-`` stands for the job."""
    place, short = names.child(request.get("parent", ""), "jobs")
    own: list[tuple[Job, Execution]] = [
        (job, execution)
        for job in cloud.jobs.values()
        if job.place.name == place and short in {"-", job.short}
        for execution in job.executions.values()
    ]
    own.sort(key=lambda one: (one[1].created, one[1].name), reverse=True)
    page, token = pages.page(request, own, lambda one: one[1].name)
    return {"executions": [v2.execution(job, execution) for job, execution in page], **token}


def test_iam_permissions(cloud: CloudRun, request: Request) -> Response:
    """TestIamPermissions: those of the permissions asked for that the caller has."""
    resource = str(request.get("resource", ""))
    if resource not in cloud.services and resource not in cloud.jobs:
        names.missing(resource, "JOB" if "/jobs/" in resource else "SERVICE")
    asked = [str(permission) for permission in request.get("permissions", [])]
    return {"permissions": [one for one in asked if cloud.permissions is None or one in cloud.permissions]}


def service_of(cloud: CloudRun, name: str) -> Service:
    """The service of this full name."""
    names.child(name, "services")
    return cloud.services.get(name) or names.missing(name, "SERVICE")


def job_of(cloud: CloudRun, name: str) -> Job:
    """The job of this full name."""
    names.child(name, "jobs")
    return cloud.jobs.get(name) or names.missing(name, "JOB")
