"""Asks every source at the same time and returns one snapshot; what fails becomes a gap, and the rest is kept."""

import asyncio
import importlib
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from checks.evidence.deployments import Deployments
from checks.evidence.logs import Logs
from checks.evidence.own_deployments import with_writers
from checks.evidence.snapshot import Census, Gap, Snapshot, Target
from checks.judge.report import MOST_PROCESSORS, Report, judge
from checks.judge.rule import Rule
from checks.judge.rules import RULES
from checks.settings.pipeline import Pipeline
from checks.settings.sources import SOURCE_NAMES, SourceName
from checks.sources import SOURCES, source_named
from checks.sources.credentials import Login
from checks.sources.progress import Progress, quiet
from checks.sources.source import ReadRequest, SourceAnswer

DEFAULT_TIMEOUT: Final = 60.0


def target_of(pipeline: Pipeline, source: SourceName, environment: Mapping[str, str]) -> Target:
    """Where a source is asked, without going there.

    Raises:
        UsageError: the address is refused.
    """
    return source_named(source).target(pipeline, environment)


def load(sources: Iterable[SourceName]) -> None:
    """Load what these sources need of Google's packages: that takes seconds, which are not the budget's."""
    importlib.import_module("checks.sources.budget")
    for source in sources:
        source_named(source).load()


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
    sources: Collection[SourceName] = SOURCE_NAMES,
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
    asked = [source for source in SOURCES if source.name in sources and source.name not in pipeline.unasked]
    targets: dict[SourceName, Target] = {source.name: source.target(pipeline, environment) for source in asked}
    await asyncio.to_thread(load, targets)  # not before the addresses have proved right
    from checks.sources.budget import Budget  # noqa: PLC0415 - Google's packages load when used

    here = datetime.now(UTC)  # Firestore's own time is not known yet
    budget, login = Budget(timeout), session or Login()
    requests: dict[SourceName, ReadRequest] = {
        source: ReadRequest(
            pipeline=pipeline,
            target=target,
            budget=budget,
            progress=progress,
            login=login,
            until=here,
            as_of=as_of,
            count_only=count_only,
            whole_images=whole_images,
        )
        for source, target in targets.items()
    }
    answers = await _read_all(requests, Snapshot.SOURCES)
    read_time = next((each.read_time for each in answers.values() if each.read_time), None)
    if read_time is not None and as_of is None and abs(here - read_time) > _APART:
        # This machine's clock chose the wrong window.
        requests = {source: replace(request, until=read_time) for source, request in requests.items()}
        windowed = [field for field, names in Snapshot.SOURCES.items() if source_named(names[0]).windowed]
        answers |= await _read_all(requests, windowed)
    answers |= await _with_writers(requests, answers)
    gaps = tuple(gap for each in answers.values() for gap in each.gaps)
    if read_time is None:
        gaps = (*gaps, _LOCAL_CLOCK if "firestore" in targets else _NO_CLOCK)
    return Snapshot.model_validate(
        {field: answer.evidence for field, answer in answers.items()}
        | {
            "pipeline": pipeline,
            "taken_at": read_time or datetime.now(UTC),
            "gaps": gaps,
            "targets": tuple(targets.values()),
        }
    )


async def _read_all(requests: Mapping[SourceName, ReadRequest], fields: Collection[str]) -> dict[str, SourceAnswer]:
    """The evidence for these fields of a snapshot, all at the same time."""
    answers = await asyncio.gather(*(_read(requests, field) for field in fields))
    return dict(zip(fields, answers, strict=True))


async def _with_writers(
    requests: Mapping[SourceName, ReadRequest], answers: Mapping[str, SourceAnswer]
) -> dict[str, SourceAnswer]:
    """The deployments, if heartbeats or runs tell that more of them are the pipeline's: what adds to them adds anew."""
    answer = answers.get("deployments")
    census, logs = (answers[name].evidence if name in answers else None for name in ("census", "logs"))
    if answer is None or not isinstance(answer.evidence, Deployments):
        return {}
    found = with_writers(
        next(iter(requests.values())).pipeline,
        answer.evidence,
        census if isinstance(census, Census) else None,
        logs if isinstance(logs, Logs) else None,
    )
    others_before = (answer.evidence.other_services, answer.evidence.other_jobs)
    if (found.other_services, found.other_jobs) == others_before:
        return {}
    first, *others = Snapshot.SOURCES["deployments"]
    kept = SourceAnswer(found, tuple(gap for gap in answer.gaps if gap.source == first), answer.read_time)
    return {"deployments": await _added(requests, others, kept)}


async def _read(requests: Mapping[SourceName, ReadRequest], field: str) -> SourceAnswer:
    """The evidence of one field: what its first source reads, and what the others add to it."""
    return await _added(requests, Snapshot.SOURCES[field], SourceAnswer())


async def _added(
    requests: Mapping[SourceName, ReadRequest], sources: Iterable[SourceName], answer: SourceAnswer
) -> SourceAnswer:
    """An answer, and what these sources add to it in turn."""
    for source in sources:
        if source in requests:
            more = await source_named(source).read(replace(requests[source], evidence=answer.evidence))
            answer = SourceAnswer(more.evidence, (*answer.gaps, *more.gaps), more.read_time or answer.read_time)
    return answer


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
