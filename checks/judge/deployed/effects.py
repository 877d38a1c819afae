"""What a service or job wrote since what it runs now began: the strongest evidence, where there is any."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from checks.evidence.deployments import Job, Service, is_execution_of
from checks.evidence.logs import LogBurst, Trouble
from checks.evidence.snapshot import Family, Heartbeat, Snapshot
from checks.judge.deployed.proofs import Outcome
from checks.judge.logged.troubles import is_over
from checks.judge.processors import ProcessorStanding
from checks.settings.heartbeats import Processor
from checks.text.duration import format_duration
from checks.text.plural import counted, form

_DRAINS: Final = timedelta(minutes=10)
"""How long what served before may go on writing after a new revision was made."""

_SAYS_WHY: Final = frozenset({Trouble.PERMISSION_DENIED, Trouble.IMPORT_ERROR, Trouble.WRITE_ERROR})


@dataclass(frozen=True, slots=True)
class Effect:
    """What was seen. ``result`` is None where it says nothing; ``documents``: malformed ids are what contradicts."""

    says: str
    result: Outcome | None = None
    documents: bool = False


def effect_of(snapshot: Snapshot, standings: Iterable[ProcessorStanding], one: Service | Job) -> Effect:
    """What its processors wrote, and its log lines, since the newest of its serving revisions was made.

    For a job that is since it last ran. Documents that name another writer, and those that the revision before may
    have written while it drained, do not count.

    Args:
        snapshot: what was seen.
        standings: how its processors stand.
        one: of the same snapshot.
    """
    since = _since(one)
    processors = snapshot.pipeline.heartbeats.processors_of(one.name)
    if since is None:
        return Effect("when what runs now began is not known")
    ago = format_duration(snapshot.taken_at - since)
    if told := _lines(snapshot, tuple(standings), one, since):
        newest = max(told, key=lambda burst: burst.last)
        lines = sum(burst.lines for burst in told)
        say = form(lines, "says", "say")
        says = f"{lines:,} of its log lines in the {ago} since it began {say} {newest.trouble}: {newest.sample}"
        return Effect(says, Outcome.CONTRADICTED)
    if not processors:
        return Effect("the settings name no processor that it runs")
    if snapshot.census is None:
        return Effect("no heartbeats were read")
    families = {family.processor: family for family in snapshot.census.families}
    own = [families[name] for each in processors for name in each.names if name in families]
    newest_ones = [each.newest_malformed for each in own if each.newest_malformed]
    bad = [each for each in newest_ones if each.created_at > since + _DRAINS and _may_be_of(one, each)]
    if bad:
        last = max(bad, key=lambda each: each.created_at)
        said = f"{last.doc} was created {last.created_at:%Y-%m-%d %H:%M:%S} UTC"
        says = f"{len(bad)} of its processors wrote malformed ids in the {ago} since it began: {said}"
        return Effect(says, Outcome.CONTRADICTED, documents=True)
    return _beats(snapshot, processors, own, since)


def _beats(snapshot: Snapshot, processors: Sequence[Processor], own: Sequence[Family], since: datetime) -> Effect:
    registered = snapshot.pipeline.heartbeats.registered
    beating = {
        family.processor
        for family in own
        if family.newest and (family.newest.beat_at or family.newest.created_at) > since
        if family.newest.doc == family.processor or family.newest.doc in registered
    }
    must = [each for each in processors if each.must_beat]
    silent = [each.name for each in must if beating.isdisjoint(each.names)]
    unread = any(each.malformed and each.malformed_last_hour is None for each in own)
    ago = format_duration(snapshot.taken_at - since)
    if silent or not must or unread or not (snapshot.census and snapshot.census.listed):
        more = "; malformed ids were counted and not all read" if unread else ""
        beat = f"{len(must) - len(silent)} of {counted(len(must), 'processor')} beat"
        return Effect(f"{beat} in the {ago} since it began{more}")
    whole = form(len(must), "its only processor", f"all {len(must)} of its processors")
    told = f"{whole} beat well in the {ago} since it began, and wrote nothing malformed"
    return Effect(told, Outcome.MATCHED)


def _since(one: Service | Job) -> datetime | None:
    if isinstance(one, Job):
        return one.last_run
    made = [revision.created_at if revision else None for _, revision in one.serving]
    return None if None in made else max(filter(None, made), default=None)


def _lines(
    snapshot: Snapshot, standings: Sequence[ProcessorStanding], one: Service | Job, since: datetime
) -> list[LogBurst]:
    """Log lines of what runs now that say why heartbeats are not written, and after which not all have beaten."""
    found = [
        burst
        for burst in (snapshot.logs.bursts if snapshot.logs else ())
        if burst.source == one.name and burst.trouble in _SAYS_WHY and burst.last > since
        if burst.revision is None or _is_of(one, burst.revision)
    ]
    return [burst for burst in found if not is_over(snapshot, standings, burst)]


def _may_be_of(one: Service | Job, beat: Heartbeat) -> bool:
    """Whether a document may have been written by what runs now: it names its writer, or does not say."""
    return beat.revision is None or _is_of(one, beat.revision)


def _is_of(one: Service | Job, writer: str) -> bool:
    if isinstance(one, Job):
        return writer == one.last_execution or is_execution_of(writer, one.name)
    return writer in {share.revision for share in one.shares}
