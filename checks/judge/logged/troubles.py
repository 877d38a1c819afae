"""Trouble with writing heartbeats, as the logs tell of it: whose it is, and whether it is over."""

from collections.abc import Sequence

from checks.evidence.logs import LogBurst
from checks.evidence.snapshot import Snapshot
from checks.judge.processors import ProcessorStanding, recovered


def is_over(snapshot: Snapshot, standings: Sequence[ProcessorStanding], burst: LogBurst) -> bool:
    """Whether heartbeats were written since the last of these lines.

    Its writer said so, or the processor that the lines name has beaten since. Where they name none, all processors of
    the service must have.
    """
    if burst.written_again is not None:
        return True
    if burst.processor is not None:
        beat = _newest(snapshot, standings, burst.processor)
        if beat is not None and beat.newest and beat.newest.last_heartbeat:
            return beat.newest.last_heartbeat > burst.last
    return recovered(snapshot, standings, burst.source, burst.last)


def is_of_this_pipeline(snapshot: Snapshot, burst: LogBurst) -> bool:
    """Whether it concerns this pipeline, where the settings name services or jobs; else everything does.

    A service that they do not name concerns it if its lines name a registered processor or the collection, if it runs
    a processor, or if it runs an image of a named service.
    """
    pipeline = snapshot.pipeline
    named = {each.name for each in (*pipeline.services, *pipeline.jobs)}
    if not named or burst.source in named or burst.named or pipeline.heartbeats.processors_of(burst.source):
        return True
    found = snapshot.deployments
    deployed = (*found.services, *found.jobs) if found else ()
    ours = {one.image.repository for one in deployed if one.name in named}
    return any(one.name == burst.source and one.image.repository in ours for one in deployed)


def _newest(snapshot: Snapshot, standings: Sequence[ProcessorStanding], name: str) -> ProcessorStanding | None:
    known = next((each for each in snapshot.pipeline.heartbeats.processors if name in each.names), None)
    wanted = known.name if known else name
    return next((each for each in standings if each.name == wanted), None)
