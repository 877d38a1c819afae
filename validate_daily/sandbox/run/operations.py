"""Long-running operations: how a change goes, and how it ended."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from validate_daily.sandbox.run import names, v2
from validate_daily.sandbox.run.cloud import CloudRun, Operation
from validate_daily.sandbox.run.messages import packed
from validate_daily.sandbox.run.state import Execution, Job, Service

Request = dict[str, Any]
Response = dict[str, object]

_FAILED_PRECONDITION: Final = 9
_LONGEST: Final = 30.0
_LOOK: Final = 0.05


def told(operation: Operation) -> Response:
    """``google.longrunning.Operation``."""
    about = _about(operation)
    response: Response = {"name": operation.name, "metadata": about, "done": operation.done}
    if operation.failure:
        return response | {"error": {"code": _FAILED_PRECONDITION, "message": operation.failure}}
    return response | ({"response": about} if operation.done else {})


def get(cloud: CloudRun, request: Request) -> Response:
    """GetOperation."""
    return told(_find(cloud, request))


async def wait(cloud: CloudRun, settle: Callable[[], None], request: Request) -> Response:
    """WaitOperation: until it is done, or for so long."""
    patience = min(float(str(request.get("timeout", f"{_LONGEST}s")).removesuffix("s")), _LONGEST)
    end = asyncio.get_running_loop().time() + patience
    while True:
        with cloud.lock:
            settle()
            operation = _find(cloud, request)
            if operation.done or asyncio.get_running_loop().time() >= end:
                return told(operation)
        await asyncio.sleep(_LOOK)


def _find(cloud: CloudRun, request: Request) -> Operation:
    name = str(request.get("name", ""))
    return cloud.operations.get(name) or names.missing(name, "OPERATION")


def _about(operation: Operation) -> Response:
    match operation.about:
        case Service() as service:
            return packed("Service", v2.service(service))
        case (Job() as job, Execution() as execution):
            return packed("Execution", v2.execution(job, execution))
        case Job() as job:
            return packed("Job", v2.job(job))
