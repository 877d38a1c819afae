"""One look at all sources that are asked: each brings its evidence and its gaps, and hinders no other."""

import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from checks.evidence.deployments import Deployments, Image
from checks.evidence.logs import Logs
from checks.evidence.snapshot import Gap, Target
from checks.settings.pipeline import Pipeline
from checks.settings.sources import SourceName
from checks.sources.credentials import Login
from checks.sources.progress import Progress

if TYPE_CHECKING:
    from checks.sources.budget import Budget
    from checks.sources.firestore.census import CensusReading

_MODULES: Final[dict[SourceName, str]] = {
    "firestore": "checks.sources.firestore.census",
    "cloud-run": "checks.sources.cloud_run.deployments",
    "logging": "checks.sources.logging.logs",
    "registry": "checks.sources.registry.tags",
}


def load(sources: Iterable[SourceName]) -> None:
    """Load what these sources need of Google's packages: that takes seconds, which are not the budget's."""
    importlib.import_module("checks.sources.budget")
    for source in sources:
        importlib.import_module(_MODULES[source])


@dataclass(frozen=True, slots=True)
class SourceReads:
    """What is asked, where, and within which limits. Each method is None, without a gap, for what is not asked."""

    pipeline: Pipeline
    targets: Mapping[SourceName, Target]
    budget: "Budget"
    progress: Progress
    login: Login
    as_of: datetime | None = None
    count_only: bool = False
    whole_images: bool = False

    async def heartbeats(self) -> "CensusReading | None":
        """The census of the heartbeats."""
        target = self.targets.get("firestore")
        if target is None:
            return None
        from checks.sources.firestore.census import read_heartbeats  # noqa: PLC0415 - Google's packages load when used
        from checks.sources.firestore.id_walk import Terms  # noqa: PLC0415 - the same

        return await read_heartbeats(
            self.pipeline,
            target,
            self.budget,
            self.progress,
            login=self.login,
            as_of=self.as_of,
            terms=Terms(families=not self.count_only),
        )

    async def deployments(self) -> tuple[Deployments | None, tuple[Gap, ...]]:
        """What is deployed and, after that, where the tags of its images point, and what code probes find in them."""
        target = self.targets.get("cloud-run")
        if target is None:
            return None, ()
        from checks.sources.cloud_run.deployments import read_deployments  # noqa: PLC0415 - Google's packages load when used

        found, gaps = await read_deployments(self.pipeline, target, self.budget, self.progress, login=self.login)
        registry = self.targets.get("registry")
        if found is None or registry is None:
            return found, gaps
        from checks.sources.registry.tags import read_tags  # noqa: PLC0415 - the same

        tags, untold = await read_tags(self._images(found), registry, self.budget, login=self.login)
        found = found.model_copy(update={"tags": tags})
        if not self.pipeline.code_probes:
            return found, (*gaps, *untold)
        from checks.sources.registry.inspection import inspect_images  # noqa: PLC0415 - the same

        inspected, unseen = await inspect_images(
            self.pipeline, found, registry, self.budget, login=self.login, whole=self.whole_images
        )
        return found.model_copy(update={"inspected": inspected}), (*gaps, *untold, *unseen)

    async def logs(self, until: datetime) -> tuple[Logs | None, tuple[Gap, ...]]:
        """What the logs tell, in the window that ends at ``until``."""
        target = self.targets.get("logging")
        if target is None:
            return None, ()
        from checks.sources.logging.logs import read_logs  # noqa: PLC0415 - Google's packages load when used

        return await read_logs(self.pipeline, target, until, self.budget, self.progress, login=self.login)

    def _images(self, deployments: Deployments) -> Iterator[Image]:
        yield from (service.image.tagged(self.pipeline.tag_of(service.name)) for service in deployments.services)
        yield from (job.image for job in deployments.jobs)
