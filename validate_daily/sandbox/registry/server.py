"""The practice registry on a loopback port."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Final

from validate_daily.sandbox.calls import Call, Calls
from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.faults import Faults
from validate_daily.sandbox.http.messages import Request, Response
from validate_daily.sandbox.http.server import Route, serve
from validate_daily.sandbox.registry import service
from validate_daily.sandbox.registry.store import Registry

_VERSION: Final = {"Docker-Distribution-Api-Version": "registry/2.0"}


def serve_registry(
    registry: Registry, *, clock: Clock, faults: Faults, calls: Calls, host: str = "127.0.0.1", port: int = 0
) -> AbstractAsyncContextManager[str]:
    """Serve a registry while entered, on a free port unless one is given; gives ``host:port``.

    Its methods, for faults and in the record of calls, are ``GetVersion``, ``GetManifest``, ``GetBlob`` and
    ``ListTags``. A fault's ``cut_after`` counts bytes of the body here.
    """
    return serve(_Site(registry), clock=clock, faults=faults, calls=calls, host=host, port=port)


class _Site:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def route(self, request: Request) -> Route:
        """The method that a request asks for."""
        method, answer = service.route(request)

        def versioned(_call: Call) -> Response:
            return _versioned(answer(self._registry))

        return Route("registry", method, versioned)

    def refusal(self, status: str, message: str) -> Response:
        """A status in the registry's words."""
        return _versioned(service.refusal(status, message))


def _versioned(response: Response) -> Response:
    return replace(response, headers={**_VERSION, **response.headers})
