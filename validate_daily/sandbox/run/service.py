"""The gRPC methods of Cloud Run v2 that the practice cloud answers, in one list."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from validate_daily.sandbox.calls import Call
from validate_daily.sandbox.errors import RefusedError
from validate_daily.sandbox.rpc import Single, Table, Waiting
from validate_daily.sandbox.run import change_methods as changing
from validate_daily.sandbox.run import messages, operations
from validate_daily.sandbox.run import read_methods as reading
from validate_daily.sandbox.run.cloud import CloudRun

_V2: Final = "google.cloud.run.v2"

Request = dict[str, Any]
Answer = Callable[[CloudRun, Request], dict[str, object]]


def tables(cloud: CloudRun, settle: Callable[[], None]) -> Mapping[str, Table]:
    """All methods, by service. ``settle`` lets everything happen that is due by now, before each answer."""

    def method(request_kind: str, answer: Answer, response_kind: str, permission: str | None = None) -> Single:
        def handle(data: bytes, call: Call) -> bytes:
            with cloud.lock:
                settle()
                request = messages.decode(request_kind, data)
                call.request = _about(request)
                _permit(cloud, permission, call.request)
                return messages.encode(response_kind, answer(cloud, request))

        return Single(handle)

    async def wait(data: bytes, call: Call) -> bytes:
        request = messages.decode("WaitOperationRequest", data)
        call.request = _about(request)
        return messages.encode("Operation", await operations.wait(cloud, settle, request))

    return {
        f"{_V2}.Services": {
            "GetService": method("GetServiceRequest", reading.get_service, "Service", "run.services.get"),
            "ListServices": method(
                "ListServicesRequest", reading.list_services, "ListServicesResponse", "run.services.list"
            ),
            "UpdateService": method(
                "UpdateServiceRequest", changing.update_service, "Operation", "run.services.update"
            ),
            "TestIamPermissions": method(
                "TestIamPermissionsRequest", reading.test_iam_permissions, "TestIamPermissionsResponse"
            ),
        },
        f"{_V2}.Revisions": {
            "GetRevision": method("GetRevisionRequest", reading.get_revision, "Revision", "run.revisions.get"),
            "ListRevisions": method(
                "ListRevisionsRequest", reading.list_revisions, "ListRevisionsResponse", "run.revisions.list"
            ),
        },
        f"{_V2}.Jobs": {
            "GetJob": method("GetJobRequest", reading.get_job, "Job", "run.jobs.get"),
            "ListJobs": method("ListJobsRequest", reading.list_jobs, "ListJobsResponse", "run.jobs.list"),
            "UpdateJob": method("UpdateJobRequest", changing.update_job, "Operation", "run.jobs.update"),
            "RunJob": method("RunJobRequest", changing.run_job, "Operation", "run.jobs.run"),
            "TestIamPermissions": method(
                "TestIamPermissionsRequest", reading.test_iam_permissions, "TestIamPermissionsResponse"
            ),
        },
        f"{_V2}.Executions": {
            "GetExecution": method("GetExecutionRequest", reading.get_execution, "Execution", "run.executions.get"),
            "ListExecutions": method(
                "ListExecutionsRequest", reading.list_executions, "ListExecutionsResponse", "run.executions.list"
            ),
        },
        "google.longrunning.Operations": {
            "GetOperation": method("GetOperationRequest", operations.get, "Operation", "run.operations.get"),
            "WaitOperation": Waiting(wait),
        },
    }


def _about(request: Request) -> str:
    for key in ("name", "parent", "resource"):
        if key in request:
            return str(request[key])
    changed: Request = request.get("service") or request.get("job") or {}
    return str(changed.get("name", ""))


def _permit(cloud: CloudRun, permission: str | None, resource: str) -> None:
    if permission is None or cloud.permissions is None or permission in cloud.permissions:
        return
    message = f"Permission '{permission}' denied on resource '{resource}' (or resource may not exist)."
    raise RefusedError("PERMISSION_DENIED", message)
