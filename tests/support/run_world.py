"""A Cloud Run to read from: services, revisions and jobs by name, on Google's own types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import google.cloud.run_v2 as run

from checks.settings.pipeline import Pipeline

from support.stand_in import Answer, StatusError

AT = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
PLACE = "projects/demo-nba/locations/us-west2"
LATEST = run.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
BY_NAME = run.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
STATE = run.Condition.State
REPOSITORY = "us-west2-docker.pkg.dev/demo-nba/pipe/scrapers"

LIST_SERVICES = "google.cloud.run.v2.Services/ListServices"
LIST_JOBS = "google.cloud.run.v2.Jobs/ListJobs"
GET_REVISION = "google.cloud.run.v2.Revisions/GetRevision"


def digest(letter: str) -> str:
    """A digest of one letter."""
    return f"sha256:{letter * 64}"


def settings(*regions: str, **more: object) -> Pipeline:
    """A pipeline in the first region, with a service in each of the others."""
    first, *others = regions or ("us-west2",)
    told = {"pipeline": {"name": "nba", "project": "demo-nba", "region": first}}
    return Pipeline.model_validate(
        told | {"services": [{"name": f"s-{region}", "region": region} for region in others]} | more
    )


def ready(state: int = STATE.CONDITION_SUCCEEDED, **more: object) -> run.Condition:
    """A Ready condition."""
    return run.Condition({"type_": "Ready", "state": state} | more)


def service(name: str = "scrapers", *, place: str = PLACE, **changes: object) -> run.Service:
    """A settled service whose second revision serves everything, unless changes say otherwise."""
    revision = f"{place}/services/{name}/revisions/{name}-00002"
    target = {"type_": LATEST, "percent": 100}
    told: dict[str, object] = {
        "name": f"{place}/services/{name}",
        "labels": {"commit-sha": "abc1234"},
        "template": {"containers": [{"image": f"{REPOSITORY}:latest"}]},
        "generation": 7,
        "observed_generation": 7,
        "latest_created_revision": revision,
        "latest_ready_revision": revision,
        "traffic": [target],
        "traffic_statuses": [target],
        "terminal_condition": ready(),
        "update_time": AT,
    }
    return run.Service(told | changes)


def revision(name: str = "scrapers-00002", **changes: object) -> run.Revision:
    """A ready revision."""
    owner = name.rpartition("-")[0]
    told: dict[str, object] = {
        "name": f"{PLACE}/services/{owner}/revisions/{name}",
        "service": owner,
        "containers": [{"image": f"{REPOSITORY}@{digest('a')}"}],
        "conditions": [ready()],
        "create_time": AT,
    }
    return run.Revision(told | changes)


def job(name: str = "backfill", **changes: object) -> run.Job:
    """A job that has run."""
    told: dict[str, object] = {
        "name": f"{PLACE}/jobs/{name}",
        "template": {"template": {"containers": [{"image": "gcr.io/demo-nba/backfill:v1"}]}},
        "execution_count": 3,
        "latest_created_execution": {
            "name": f"{name}-x1",
            "create_time": AT,
            "completion_status": run.ExecutionReference.CompletionStatus.EXECUTION_SUCCEEDED,
        },
    }
    return run.Job(told | changes)


@dataclass
class RunWorld:
    """What one Cloud Run holds. ``per_page`` cuts the listings; ``asked`` keeps every revision that was asked for."""

    services: list[run.Service] = field(default_factory=list[run.Service])
    revisions: list[run.Revision] = field(default_factory=list[run.Revision])
    jobs: list[run.Job] = field(default_factory=list[run.Job])
    per_page: int = 100
    unreachable: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list[str])

    def answers(self, **instead: Answer) -> Mapping[str, Answer]:
        """The three methods, some of them answered otherwise: ``services``, ``jobs``, ``revisions``."""
        return {
            LIST_SERVICES: instead.get("services", self._list_services),
            LIST_JOBS: instead.get("jobs", self._list_jobs),
            GET_REVISION: instead.get("revisions", self._get_revision),
        }

    async def _list_services(self, request: bytes) -> bytes:
        asked = run.ListServicesRequest.deserialize(request)
        own = [each for each in self.services if each.name.startswith(f"{asked.parent}/")]
        start = int(asked.page_token or 0)
        end = start + self.per_page
        token = str(end) if end < len(own) else ""
        return run.ListServicesResponse.serialize(
            run.ListServicesResponse(services=own[start:end], next_page_token=token, unreachable=self.unreachable)
        )

    async def _list_jobs(self, request: bytes) -> bytes:
        asked = run.ListJobsRequest.deserialize(request)
        own = [each for each in self.jobs if each.name.startswith(f"{asked.parent}/")]
        start = int(asked.page_token or 0)
        end = start + self.per_page
        token = str(end) if end < len(own) else ""
        return run.ListJobsResponse.serialize(run.ListJobsResponse(jobs=own[start:end], next_page_token=token))

    async def _get_revision(self, request: bytes) -> bytes:
        name = run.GetRevisionRequest.deserialize(request).name
        self.asked.append(name)
        found = next((each for each in self.revisions if each.name == name), None)
        if found is None:
            raise StatusError("NOT_FOUND", f"no {name}")
        return run.Revision.serialize(found)
