"""Which request leads where: hosts and paths as gcloud writes them, and methods by the names that gRPC has for them."""

import re
from dataclasses import dataclass
from typing import Final

from validate_daily.sandbox.rest.resources import KINDS, Kind, Scope

HOSTS: Final = {"run": "run.test", "logging": "logging.test"}
"""Names that no other machine can have; a location's Cloud Run has the location and a dash before its own."""

ENTRIES: Final = "/v2/entries:list"

_RUN: Final = re.compile(rf"(?:(?P<location>[a-z0-9-]+)-)?{re.escape(HOSTS['run'])}(?::\d+)?")
_LOGGING: Final = re.compile(rf"{re.escape(HOSTS['logging'])}(?::\d+)?")
_NAMESPACED: Final = re.compile(
    r"/apis/(?P<group>[a-z.]+)/v1/namespaces/(?P<project>[^/]+)/(?P<collection>[a-z]+)(?:/(?P<name>[^/:]+))?(?P<verb>:\w+)?"
)
_LOCATED: Final = re.compile(
    r"/v1/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/(?P<collection>[a-z]+)(?:/(?P<name>[^/:]+))?(?P<verb>:\w+)?"
)
_WORDS: Final = {"POST": "Create", "PUT": "Replace", "PATCH": "Update", "DELETE": "Delete"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request to Cloud Run is about."""

    kind: Kind
    scope: Scope
    name: str
    method: str
    reads: bool


def is_logging(host: str) -> bool:
    """Whether a host is Cloud Logging's."""
    return _LOGGING.fullmatch(host) is not None


def asked(verb: str, host: str, path: str) -> Asked | None:
    """What a request to Cloud Run is about; None where it is for somebody else, or about nothing here."""
    here = _RUN.fullmatch(host)
    match = _NAMESPACED.fullmatch(path) or _LOCATED.fullmatch(path)
    kind = KINDS.get(match["collection"]) if match else None
    if here is None or match is None or kind is None:
        return None
    told = match.groupdict()
    if told.get("group", kind.group) != kind.group:
        return None
    location = here["location"] or told.get("location")
    scope = Scope(told["project"], None if location == "-" else location)
    name, reads = told["name"] or "", verb == "GET" and not told["verb"]
    return Asked(kind, scope, name, _method(verb, kind.name, name, told["verb"] or ""), reads)


def _method(verb: str, kind: str, name: str, custom: str) -> str:
    if custom:
        return f"{custom[1:].capitalize()}{kind}"
    if verb == "GET":
        return f"Get{kind}" if name else f"List{kind}s"
    return f"{_WORDS.get(verb, verb.capitalize())}{kind}"
