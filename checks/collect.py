"""Asks every source at the same time and returns one snapshot; what fails becomes a gap, and the rest is kept."""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from checks.evidence import Gap, Snapshot
from checks.pipeline import Pipeline
from checks.progress import Progress, quiet
from checks.report import Report, judge
from checks.rules import RULES, Rule
from checks.sources.firestore_channel import firestore_target

DEFAULT_TIMEOUT: Final = 60.0


async def check(
    pipeline: Pipeline,
    *,
    rules: Iterable[Rule] = RULES,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - a budget that sources share, not a cancellation
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
) -> Report:
    """Look at a pipeline and judge it.

    Args:
        pipeline: what to look at.
        rules: what to judge by.
        timeout: seconds that looking may take; what is not seen by then is unknown.
        progress: told how far the long reads are.
        environment: where ``FIRESTORE_EMULATOR_HOST`` is looked up.

    Raises:
        UsageError: an address is refused before anything is asked.
    """
    snapshot = await collect(pipeline, timeout=timeout, progress=progress, environment=environment)
    return judge(snapshot, rules)


async def collect(
    pipeline: Pipeline,
    *,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - a budget that sources share, not a cancellation
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
) -> Snapshot:
    """Read every source once, all at the same time. Arguments and errors as for ``check``."""
    database = f"projects/{pipeline.heartbeat_project}/databases/{pipeline.heartbeats.database}"
    target = firestore_target(database, environment)
    # Google's packages take a second to load: not before the settings have proved right.
    from checks.sources.firestore import read_heartbeats  # noqa: PLC0415
    from checks.sources.reading import Budget  # noqa: PLC0415

    heartbeats = await read_heartbeats(pipeline, target, Budget(timeout), progress)
    gaps = heartbeats.gaps
    if heartbeats.read_time is None:
        gaps = (*gaps, _LOCAL_CLOCK)
    return Snapshot(
        pipeline=pipeline,
        taken_at=heartbeats.read_time or datetime.now(UTC),
        census=heartbeats.census,
        gaps=gaps,
        targets=(target,),
    )


_LOCAL_CLOCK: Final = Gap(
    source="clock",
    reason="Firestore gave no read time, so taken_at is this machine's clock",
    next_step="make Firestore readable; then the report bears Firestore's own time",
)
