"""Asks every source at the same time and returns one snapshot; what fails becomes a gap, and the rest is kept."""

import asyncio
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from checks.ask.look import SourceReads, load
from checks.evidence.snapshot import Gap, Snapshot, Target
from checks.judge.report import MOST_PROCESSORS, Report, judge
from checks.judge.rule import Rule
from checks.judge.rules import RULES
from checks.settings.pipeline import Pipeline
from checks.settings.sources import SOURCES, SourceName
from checks.sources.addresses import logging_target, registry_target, run_target
from checks.sources.credentials import Login
from checks.sources.firestore.channel import firestore_target
from checks.sources.progress import Progress, quiet

DEFAULT_TIMEOUT: Final = 60.0

_TARGETS: Final[dict[SourceName, Callable[[Pipeline, Mapping[str, str]], Target]]] = {
    "firestore": lambda pipeline, environment: firestore_target(
        f"projects/{pipeline.heartbeat_project}/databases/{pipeline.heartbeats.database}", environment
    ),
    "cloud-run": run_target,
    "logging": logging_target,
    "registry": registry_target,
}


def target_of(pipeline: Pipeline, source: SourceName, environment: Mapping[str, str]) -> Target:
    """Where a source is asked, without going there.

    Raises:
        UsageError: the address is refused.
    """
    return _TARGETS[source](pipeline, environment)


async def check(
    pipeline: Pipeline,
    *,
    rules: Iterable[Rule] = RULES,
    processors: int = MOST_PROCESSORS,
    count_only: bool = False,
    session: Login | None = None,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - a budget that sources share, not a cancellation
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
) -> Report:
    """Look at a pipeline and judge it. Only what the rules need is looked at.

    Args:
        pipeline: what to look at.
        rules: what to judge by.
        processors: how many processors the report names; it counts the others.
        count_only: count the heartbeats and look at nothing else: what their number proves is told at once, and all
            else is unknown.
        session: the way to Google, for whoever looks more than once; one for this look unless given.
        timeout: seconds that looking may take; what is not seen by then is unknown.
        progress: told how far the long reads are.
        environment: where ``FIRESTORE_EMULATOR_HOST`` and ``VALIDATE_DAILY_*_ENDPOINT`` are looked up.

    Raises:
        UsageError: an address is refused before anything is asked.
    """
    applied = tuple(rule for rule in rules if not count_only or rule.counted)
    sources: set[SourceName] = {source for rule in applied for source in rule.needs}
    snapshot = await collect(
        pipeline,
        sources=sources,
        count_only=count_only,
        session=session,
        timeout=timeout,
        progress=progress,
        environment=environment,
    )
    return judge(snapshot, applied, processors=processors)


async def collect(
    pipeline: Pipeline,
    *,
    sources: Collection[SourceName] = SOURCES,
    as_of: datetime | None = None,
    count_only: bool = False,
    whole_images: bool = False,
    session: Login | None = None,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - a budget that sources share, not a cancellation
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
) -> Snapshot:
    """Read every source once, all at the same time, but for tags: which ones to ask for, Cloud Run tells.

    Args:
        pipeline: what to look at.
        sources: what to ask, less what the pipeline's settings leave out.
        count_only: of the heartbeats, ask how many there are and no more.
        whole_images: read every layer of the images that code probes look into, and tell whether each can start.
        as_of: an earlier read time of Firestore's, which keeps an hour of them; None reads the heartbeats now.
        session: the way to Google, for whoever looks more than once; one for this look unless given.
        timeout: seconds that looking may take; what is not seen by then is a gap.
        progress: told how far the long reads are.
        environment: where addresses are looked up.

    Raises:
        UsageError: an address is refused before anything is asked.
    """
    asked: list[SourceName] = [source for source in SOURCES if source in sources and source not in pipeline.unasked]
    targets: dict[SourceName, Target] = {source: target_of(pipeline, source, environment) for source in asked}
    await asyncio.to_thread(load, asked)  # not before the addresses have proved right
    from checks.sources.budget import Budget  # noqa: PLC0415 - Google's packages load when used

    look = SourceReads(
        pipeline, targets, Budget(timeout), progress, session or Login(), as_of, count_only, whole_images
    )
    here = datetime.now(UTC)  # Firestore's own time is not known yet
    heartbeats, (deployments, undeployed), (logs, unlogged) = await asyncio.gather(
        look.heartbeats(), look.deployments(), look.logs(here)
    )
    read_time = heartbeats.read_time if heartbeats else None
    if read_time is not None and as_of is None and abs(here - read_time) > _APART:
        logs, unlogged = await look.logs(read_time)  # this machine's clock chose the wrong window
    gaps = (*(heartbeats.gaps if heartbeats else ()), *undeployed, *unlogged)
    if read_time is None:
        gaps = (*gaps, _LOCAL_CLOCK if heartbeats else _NO_CLOCK)
    return Snapshot(
        pipeline=pipeline,
        taken_at=read_time or datetime.now(UTC),
        census=heartbeats.census if heartbeats else None,
        deployments=deployments,
        logs=logs,
        gaps=gaps,
        targets=tuple(targets.values()),
    )


_APART: Final = timedelta(minutes=1)
"""How far this machine's clock may be off Firestore's before the logs are looked through again, by the latter."""

_LOCAL_CLOCK: Final = Gap(
    source="clock",
    reason="Firestore gave no read time, so taken_at is this machine's clock",
    next_step="make Firestore readable; then the report bears Firestore's own time",
)
_NO_CLOCK: Final = Gap(
    source="clock",
    reason="Firestore was not asked, so taken_at is this machine's clock",
    next_step="ask for the heartbeats too; then the report bears Firestore's own time",
)
