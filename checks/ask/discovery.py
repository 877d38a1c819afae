"""Looks at a project for what its settings might name: services, jobs, and processors that have a heartbeat document.

What is found is a proposal: who must beat, and which job follows which service, a person decides.
"""

import asyncio
import os
from collections.abc import Mapping
from typing import Final

from checks.evidence.base import Count, Evidence
from checks.evidence.deployments import Job, Service
from checks.evidence.snapshot import Census, Gap, Target
from checks.settings.pipeline import Pipeline
from checks.sources.addresses import run_target
from checks.sources.cloud_run.regions import REGIONS
from checks.sources.firestore.channel import heartbeats_target
from checks.sources.progress import Progress, quiet

DEFAULT_TIMEOUT: Final = 60.0


class Malformed(Evidence):
    """A processor that wrote under malformed ids only, and how many documents there are."""

    processor: str
    documents: Count


class Discovery(Evidence):
    """What was searched, what was found there, and what could not be seen.

    Attributes:
        pipeline: the project, database and collection that were searched.
        regions: those that were asked for services and jobs.
        named: the user named these regions.
        processors: canonical ids that have a document.
        malformed: processors that have documents under other ids only.
    """

    pipeline: Pipeline
    regions: tuple[str, ...]
    named: bool
    services: tuple[Service, ...] = ()
    jobs: tuple[Job, ...] = ()
    processors: tuple[str, ...] = ()
    malformed: tuple[Malformed, ...] = ()
    gaps: tuple[Gap, ...] = ()
    targets: tuple[Target, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing at all was found."""
        return not (self.services or self.jobs or self.processors or self.malformed)

    @property
    def practice(self) -> bool:
        """Whether any source was an emulator or a sandbox."""
        return any(target.practice for target in self.targets)


async def discover(
    pipeline: Pipeline,
    regions: tuple[str, ...] = (),
    *,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - a budget that sources share, not a cancellation
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
) -> Discovery:
    """Look through a project.

    Args:
        pipeline: the project, and the database and collection of its heartbeats.
        regions: where to look for services and jobs; every region that is open to all unless given.
        timeout: seconds that looking may take; what is not seen by then is a gap.
        progress: told how far the long reads are.
        environment: where other addresses are looked up.

    Raises:
        UsageError: an address is refused before anything is asked.
    """
    where = {"resource": f"projects/{pipeline.pipeline.project}"}
    targets = (
        heartbeats_target(pipeline, environment),
        run_target(pipeline, environment).model_copy(update=where),
    )
    # Google's packages take seconds to load: not before the arguments have proved right.
    from checks.sources.budget import Budget  # noqa: PLC0415
    from checks.sources.cloud_run.listing import list_places  # noqa: PLC0415
    from checks.sources.credentials import Login  # noqa: PLC0415
    from checks.sources.firestore.census import read_heartbeats  # noqa: PLC0415

    login, budget = Login(), Budget(timeout)
    asked = tuple(dict.fromkeys(regions)) or REGIONS
    places = tuple((pipeline.pipeline.project, region) for region in asked)
    reading, (services, jobs, gaps) = await asyncio.gather(
        read_heartbeats(pipeline, targets[0], budget, progress, login=login),
        list_places(places, targets[1], budget, progress, login=login),
    )
    processors, malformed = _processors(reading.census)
    return Discovery(
        pipeline=pipeline,
        regions=asked,
        named=bool(regions),
        services=tuple(sorted(services, key=lambda each: (each.region, each.name))),
        jobs=tuple(sorted(jobs, key=lambda each: (each.region, each.name))),
        processors=processors,
        malformed=malformed,
        gaps=(*reading.gaps, *gaps),
        targets=targets,
    )


def _processors(census: Census | None) -> tuple[tuple[str, ...], tuple[Malformed, ...]]:
    families = census.families if census else ()
    return (
        tuple(sorted(each.processor for each in families if each.canonical)),
        tuple(Malformed(processor=each.processor, documents=each.malformed) for each in families if not each.canonical),
    )
