"""Reading Cloud Run's v1 API: which resources a request means, and which of them are on its page."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.rest import jobs, services
from validate_daily.sandbox.rest.parts import RUN, SERVING, Fields
from validate_daily.sandbox.run import names, pages
from validate_daily.sandbox.run.cloud import CloudRun
from validate_daily.sandbox.run.state import Place

_T = TypeVar("_T")

_EQUALS: Final = re.compile(r"\s*(?P<key>[^\s=!(),]+)\s*==?\s*(?P<value>[^\s=!(),]*)\s*")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a request looks: in a project, and in a location of it or in all."""

    project: str
    location: str | None

    def holds(self, place: Place) -> bool:
        """Whether it looks there."""
        return self.project == place.project and self.location in {None, place.location}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource.

    Attributes:
        name: what it is called.
        group: the API group that it belongs to.
        within: all resources of it in a scope, those of services and jobs in turn newest first.
    """

    name: str
    group: str
    within: Callable[[CloudRun, Scope], list[Fields]]


def one(cloud: CloudRun, kind: Kind, scope: Scope, name: str) -> Fields:
    """The resource of this name.

    Raises:
        RefusedError: there is none.
    """
    found = next((each for each in kind.within(cloud, scope) if _metadata(each)["name"] == name), None)
    where = f"projects/{scope.project}/locations/{scope.location or '-'}"
    return found or names.missing(f"{where}/{kind.name.lower()}s/{name}", kind.name.upper())


def page(cloud: CloudRun, kind: Kind, scope: Scope, query: Mapping[str, str]) -> Fields:
    """A page of resources.

    Raises:
        RefusedError: the query makes no sense, or needs what is not implemented.
    """
    limit = query.get("limit", "0")
    if not limit.isdecimal():
        invalid(f"limit {limit!r} is no number")
    if query.get("fieldSelector"):
        unimplemented("fieldSelector")
    wanted = _labels(query.get("labelSelector", ""))
    found = [each for each in kind.within(cloud, scope) if wanted.items() <= _metadata(each)["labels"].items()]
    asked = {"page_size": limit, "page_token": query.get("continue", "")}
    items, token = pages.page(asked, found, lambda each: str(_metadata(each)["uid"]))
    return {
        "apiVersion": f"{kind.group}/v1",
        "kind": f"{kind.name}List",
        "metadata": {"continue": token["next_page_token"]} if token else {},
        "items": list(items),
    }


def _services(cloud: CloudRun, scope: Scope) -> list[Fields]:
    return [services.service(each) for each in _sorted(cloud.services) if scope.holds(each.place)]


def _revisions(cloud: CloudRun, scope: Scope) -> list[Fields]:
    own = [of for of in _sorted(cloud.services) if scope.holds(of.place)]
    return [services.revision(of, each) for of in own for each in reversed(of.revisions.values())]


def _jobs(cloud: CloudRun, scope: Scope) -> list[Fields]:
    return [jobs.job(each) for each in _sorted(cloud.jobs) if scope.holds(each.place)]


def _executions(cloud: CloudRun, scope: Scope) -> list[Fields]:
    own = [of for of in _sorted(cloud.jobs) if scope.holds(of.place)]
    return [jobs.execution(of, each) for of in own for each in reversed(of.executions.values())]


KINDS: Final[Mapping[str, Kind]] = {
    "services": Kind("Service", SERVING, _services),
    "revisions": Kind("Revision", SERVING, _revisions),
    "jobs": Kind("Job", RUN, _jobs),
    "executions": Kind("Execution", RUN, _executions),
}


def _sorted(by_name: Mapping[str, _T]) -> list[_T]:
    return [by_name[name] for name in sorted(by_name)]


def _metadata(of: Fields) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", of["metadata"])


def _labels(selector: str) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for part in filter(None, selector.split(",")):
        match = _EQUALS.fullmatch(part)
        if match is None:
            unimplemented(f"the label selector {part!r}: write key=value")
        wanted[match["key"]] = match["value"]
    return wanted
