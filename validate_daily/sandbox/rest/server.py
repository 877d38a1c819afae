"""The practice cloud as gcloud reaches it: an HTTP proxy behind which there is nothing but Cloud Run and its logs."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from http import HTTPStatus
from typing import Final, NoReturn

from validate_daily.sandbox.calls import Call, Calls
from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.errors import RefusedError, unimplemented
from validate_daily.sandbox.faults import Faults
from validate_daily.sandbox.http.messages import Request, Response
from validate_daily.sandbox.http.server import Route, serve
from validate_daily.sandbox.rest import entries, resources, routes
from validate_daily.sandbox.rest.routes import Asked
from validate_daily.sandbox.rpc import Table
from validate_daily.sandbox.run.cloud import CloudRun

_STATUSES: Final = {
    "INVALID_ARGUMENT": HTTPStatus.BAD_REQUEST,
    "FAILED_PRECONDITION": HTTPStatus.BAD_REQUEST,
    "OUT_OF_RANGE": HTTPStatus.BAD_REQUEST,
    "UNAUTHENTICATED": HTTPStatus.UNAUTHORIZED,
    "PERMISSION_DENIED": HTTPStatus.FORBIDDEN,
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "ABORTED": HTTPStatus.CONFLICT,
    "ALREADY_EXISTS": HTTPStatus.CONFLICT,
    "RESOURCE_EXHAUSTED": HTTPStatus.TOO_MANY_REQUESTS,
    "UNIMPLEMENTED": HTTPStatus.NOT_IMPLEMENTED,
    "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "DEADLINE_EXCEEDED": HTTPStatus.GATEWAY_TIMEOUT,
}


def serve_rest(
    cloud: CloudRun,
    logs: Table,
    *,
    settle: Callable[[], None],
    clock: Clock,
    faults: Faults,
    calls: Calls,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AbstractAsyncContextManager[str]:
    """Serve what gcloud reads while entered; gives ``host:port``.

    Its methods, for faults and in the record of calls, have the names that gRPC has for them.

    Args:
        cloud: the services and jobs.
        logs: the methods of Cloud Logging that gRPC answers with.
        settle: lets everything happen that is due by now, before each answer.
        clock: the world's time.
        faults: what goes wrong on purpose.
        calls: where calls are written down.
        host: where to listen.
        port: the port; a free one unless given.
    """
    return serve(_Rest(cloud, logs, settle), clock=clock, faults=faults, calls=calls, host=host, port=port)


class _Rest:
    def __init__(self, cloud: CloudRun, logs: Table, settle: Callable[[], None]) -> None:
        self._cloud = cloud
        self._entries = entries.list_entries(logs)
        self._settle = settle

    def route(self, request: Request) -> Route:
        """Cloud Logging's one method, Cloud Run's, or a refusal that names what was asked for."""
        if routes.is_logging(request.host) and (request.method, request.path) == ("POST", routes.ENTRIES):
            return Route("logging", "ListLogEntries", partial(self._list_entries, request))
        asked = routes.asked(request.method, request.host, request.path)
        if asked is not None:
            return Route("run", asked.method, partial(self._read if asked.reads else _refuse, request, asked))
        side = "logging" if routes.is_logging(request.host) else "run"
        return Route(side, request.method, partial(_nowhere, request))

    def refusal(self, status: str, message: str) -> Response:
        """A status as Google's APIs say it in JSON."""
        code = _STATUSES.get(status, HTTPStatus.INTERNAL_SERVER_ERROR)
        return _json(code, {"error": {"code": code.value, "message": message, "status": status}})

    def _read(self, request: Request, asked: Asked, call: Call) -> Response:
        call.request = f"{asked.scope.project} {asked.scope.location or '-'} {asked.name}".rstrip()
        with self._cloud.lock:
            self._settle()
            self._permit(asked)
            if asked.name:
                return _json(HTTPStatus.OK, resources.one(self._cloud, asked.kind, asked.scope, asked.name))
            return _json(HTTPStatus.OK, resources.page(self._cloud, asked.kind, asked.scope, request.query))

    def _permit(self, asked: Asked) -> None:
        permission = f"run.{asked.kind.name.lower()}s.{'get' if asked.name else 'list'}"
        if self._cloud.permissions is None or permission in self._cloud.permissions:
            return
        where = f"namespaces/{asked.scope.project}/{asked.kind.name.lower()}s/{asked.name}".rstrip("/")
        raise RefusedError(
            "PERMISSION_DENIED", f"Permission '{permission}' denied on resource '{where}' (or resource may not exist)."
        )

    def _list_entries(self, request: Request, call: Call) -> Response:
        return Response(HTTPStatus.OK, self._entries(request.body, call).encode())


def _refuse(_request: Request, asked: Asked, _call: Call) -> NoReturn:
    unimplemented(f"{asked.method} over HTTP, where it only reads")


def _nowhere(request: Request, _call: Call) -> NoReturn:
    unimplemented(f"{request.method} {request.host}{request.path}")


def _json(status: HTTPStatus, document: object) -> Response:
    return Response(status, json.dumps(document).encode())
