"""What the practice registry answers: the reading half of the OCI distribution API, in one list."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final

from validate_daily.sandbox.http.messages import Request, Response
from validate_daily.sandbox.registry.images import Content
from validate_daily.sandbox.registry.store import Registry

Answer = Callable[[Registry, str, str], Response]

_NAME: Final = r"(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
_TAG_OR_DIGEST: Final = r"(?P<reference>[A-Za-z0-9_][A-Za-z0-9._:-]*)"

_REFUSALS: Final = {
    "PERMISSION_DENIED": (HTTPStatus.FORBIDDEN, "DENIED"),
    "UNAUTHENTICATED": (HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED"),
    "NOT_FOUND": (HTTPStatus.NOT_FOUND, "NAME_UNKNOWN"),
    "RESOURCE_EXHAUSTED": (HTTPStatus.TOO_MANY_REQUESTS, "TOOMANYREQUESTS"),
    "UNAVAILABLE": (HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE"),
    "DEADLINE_EXCEEDED": (HTTPStatus.GATEWAY_TIMEOUT, "UNAVAILABLE"),
    "INVALID_ARGUMENT": (HTTPStatus.BAD_REQUEST, "UNSUPPORTED"),
    "UNIMPLEMENTED": (HTTPStatus.NOT_IMPLEMENTED, "UNSUPPORTED"),
}
_BROKEN: Final = (HTTPStatus.INTERNAL_SERVER_ERROR, "UNKNOWN")


def route(request: Request) -> tuple[str, Callable[[Registry], Response]]:
    """The method of a request, under the name that faults and the record of calls use, and its answer."""
    if request.method not in {"GET", "HEAD"}:
        return request.method, lambda _registry: _read_only(request.method)
    for pattern, method, answer in _ROUTES:
        if match := pattern.fullmatch(request.path):
            return method, _about(answer, match.groupdict())
    return request.method, lambda _registry: _error(HTTPStatus.NOT_FOUND, "UNSUPPORTED", f"nothing at {request.path}")


def _about(answer: Answer, found: Mapping[str, str]) -> Callable[[Registry], Response]:
    return lambda registry: answer(registry, found.get("name", ""), found.get("reference", ""))


def refusal(status: str, message: str) -> Response:
    """The response that a gRPC status stands for."""
    code, word = _REFUSALS.get(status, _BROKEN)
    return _error(code, word, message)


def _version(_registry: Registry, _name: str, _reference: str) -> Response:
    return _json(HTTPStatus.OK, {})


def _manifest(registry: Registry, name: str, reference: str) -> Response:
    content = registry.manifest(name, reference)
    if content is None:
        return _unknown(registry, name, "MANIFEST_UNKNOWN", f"{name} has no manifest {reference}")
    return _found(content, content.media_type)


def _blob(registry: Registry, name: str, digest: str) -> Response:
    content = registry.blob(name, digest)
    if content is None:
        return _unknown(registry, name, "BLOB_UNKNOWN", f"{name} has no blob {digest}")
    return _found(content, "application/octet-stream")


def _tags(registry: Registry, name: str, _reference: str) -> Response:
    tags = registry.tags(name)
    if tags is None:
        return _unknown(registry, name, "NAME_UNKNOWN", f"there is no repository {name}")
    told: dict[str, object] = {"name": name, "tags": tags}
    if uploads := registry.uploads(name):
        told["manifest"] = {digest: _facts(registry, name, digest, uploads[digest], tags) for digest in uploads}
    return _json(HTTPStatus.OK, told)


def _facts(registry: Registry, name: str, digest: str, at: datetime, tags: list[str]) -> dict[str, object]:
    """What Google's registries add to a listing of tags."""
    return {
        "tag": [tag for tag in tags if registry.resolve(name, tag) == digest],
        "timeUploadedMs": str(int(at.timestamp() * 1_000)),
    }


def _found(content: Content, media_type: str) -> Response:
    return Response(HTTPStatus.OK, content.data, media_type, {"Docker-Content-Digest": content.digest})


def _unknown(registry: Registry, name: str, code: str, message: str) -> Response:
    if registry.tags(name) is None:
        code, message = "NAME_UNKNOWN", f"there is no repository {name}"
    return _error(HTTPStatus.NOT_FOUND, code, message)


def _read_only(method: str) -> Response:
    response = _error(HTTPStatus.METHOD_NOT_ALLOWED, "UNSUPPORTED", f"this registry only reads: {method} is not for it")
    return Response(response.status, response.body, headers={"Allow": "GET, HEAD"})


def _error(status: HTTPStatus, code: str, message: str) -> Response:
    response = _json(status, {"errors": [{"code": code, "message": message, "detail": None}]})
    if status != HTTPStatus.UNAUTHORIZED:
        return response
    return Response(status, response.body, headers={"WWW-Authenticate": 'Basic realm="practice cloud"'})


def _json(status: HTTPStatus, document: object) -> Response:
    return Response(status, json.dumps(document).encode())


_ROUTES: Final[list[tuple[re.Pattern[str], str, Answer]]] = [
    (re.compile(r"/v2/?"), "GetVersion", _version),
    (re.compile(rf"/v2/{_NAME}/manifests/{_TAG_OR_DIGEST}"), "GetManifest", _manifest),
    (re.compile(rf"/v2/{_NAME}/blobs/{_TAG_OR_DIGEST}"), "GetBlob", _blob),
    (re.compile(rf"/v2/{_NAME}/tags/list"), "ListTags", _tags),
]
