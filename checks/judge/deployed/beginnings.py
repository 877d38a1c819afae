"""Since when what runs now runs: growth, and what a service or job wrote, count from there."""

from datetime import datetime, timedelta
from typing import Final

from checks.evidence.deployments import Deployments, Job, Revision, Service, Share, is_execution_of
from checks.evidence.running_images import parts_of
from checks.evidence.snapshot import Family, Heartbeat, Snapshot
from checks.judge.deployed.proofs import Outcome, proof_in

DRAINS: Final = timedelta(minutes=10)
"""How long what served before may go on writing after the traffic left it."""


def began(one: Service | Job) -> datetime | None:
    """When what runs now began, at the latest: a service's traffic, or a job's last execution.

    Traffic that follows the latest revision reaches it when it is made. A revision that traffic names may be older than
    its traffic, as after a rollback: that began with the last change of the service at the latest.
    """
    if isinstance(one, Job):
        return one.last_run
    times = [_traffic_began(one, share, revision) for share, revision in one.serving]
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None


def _traffic_began(service: Service, share: Share, revision: Revision | None) -> datetime | None:
    if revision is None:
        return None
    return revision.created_at if share.latest else max(revision.created_at, service.updated_at)


def names(one: Service | Job, beat: Heartbeat) -> bool | None:
    """Whether a document says that what runs now wrote it; None where it does not say who did."""
    return None if beat.revision is None else is_named(one, beat.revision)


def is_named(one: Service | Job, writer: str) -> bool:
    """Whether the revision or execution of this name is what runs now."""
    if isinstance(one, Job):
        return writer == one.last_execution or is_execution_of(writer, one.name)
    return writer in {share.revision for share in one.shares}


def wrote(one: Service | Job, beat: Heartbeat, since: datetime) -> bool:
    """Whether what runs now wrote a document: it says so, or it was created when nothing else ran any more.

    Args:
        one: what runs.
        beat: the document.
        since: when it began.
    """
    own = names(one, beat)
    return own is not False and beat.created_at > (since if own else since + DRAINS)


def is_over(snapshot: Snapshot, family: Family) -> bool:
    """Whether no malformed document of a processor was created since what runs it now began, and nothing disproves it.

    Where not all of its documents were read, a change is in progress, or the files that serve lack a fix: it is not.
    """
    deployments, newest = snapshot.deployments, family.newest_malformed
    name = snapshot.pipeline.heartbeats.services.get(family.processor)
    if deployments is None or newest is None or name is None or family.malformed_last_hour is None:
        return False
    running = [each for each in (*deployments.services, *deployments.jobs) if each.name == name]
    return bool(running) and all(_is_over_for(snapshot, deployments, each, newest) for each in running)


def _is_over_for(snapshot: Snapshot, deployments: Deployments, one: Service | Job, newest: Heartbeat) -> bool:
    since = began(one)
    if since is None or (isinstance(one, Service) and one.reconciling):
        return False
    drains = DRAINS if isinstance(one, Service) and names(one, newest) is not True else timedelta()
    return newest.created_at <= since + drains and not _lacks_fix(snapshot, deployments, one)


def _lacks_fix(snapshot: Snapshot, deployments: Deployments, one: Service | Job) -> bool:
    proofs = (
        proof_in(part, probe.name)
        for part in parts_of(deployments, one)
        for probe in snapshot.pipeline.probes_of(one.name)
    )
    return any(proof is not None and proof.result is Outcome.CONTRADICTED for proof in proofs)
