"""The gRPC methods of Cloud Run v2 that the practice cloud answers, in one list."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from validate_daily.sandbox.calls import Call
from validate_daily.sandbox.errors import RefusedError
from validate_daily.sandbox.rpc import Awaited, Single, Table
from validate_daily.sandbox.run import change_methods, messages, operations, read_methods
from validate_daily.sandbox.run.cloud import CloudRun

_V2: Final = "google.cloud.run.v2"

Request = dict[str, Any]
Answer = Callable[[CloudRun, Request], dict[str, object]]


def run_tables(cloud: CloudRun, settle: Callable[[], None]) -> Mapping[str, Table]:
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
            "GetService": method("GetServiceRequest", read_methods.get_service, "Service", "run.services.get"),
            "ListServices": method(
                "ListServicesRequest", read_methods.list_services, "ListServicesResponse", "run.services.list"
            ),
            "UpdateService": method(
                "UpdateServiceRequest", change_methods.update_service, "Operation", "run.services.update"
            ),
            "TestIamPermissions": method(
                "TestIamPermissionsRequest", read_methods.test_iam_permissions, "TestIamPermissionsResponse"
            ),
        },
        f"{_V2}.Revisions": {
            "GetRevision": method("GetRevisionRequest", read_methods.get_revision, "Revision", "run.revisions.get"),
            "ListRevisions": method(
                "ListRevisionsRequest", read_methods.list_revisions, "ListRevisionsResponse", "run.revisions.list"
            ),
        },
        f"{_V2}.Jobs": {
            "GetJob": method("GetJobRequest", read_methods.get_job, "Job", "run.jobs.get"),
            "ListJobs": method("ListJobsRequest", read_methods.list_jobs, "ListJobsResponse", "run.jobs.list"),
            "UpdateJob": method("UpdateJobRequest", change_methods.update_job, "Operation", "run.jobs.update"),
            "RunJob": method("RunJobRequest", change_methods.run_job, "Operation", "run.jobs.run"),
            "TestIamPermissions": method(
                "TestIamPermissionsRequest", read_methods.test_iam_permissions, "TestIamPermissionsResponse"
            ),
        },
        f"{_V2}.Executions": {
            "GetExecution": method(
                "GetExecutionRequest", read_methods.get_execution, "Execution", "run.executions.get"
            ),
            "ListExecutions": method(
                "ListExecutionsRequest", read_methods.list_executions, "ListExecutionsResponse", "run.executions.list"
            ),
        },
        "google.longrunning.Operations": {
            "GetOperation": method("GetOperationRequest", operations.get, "Operation", "run.operations.get"),
            "WaitOperation": Awaited(wait),
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
