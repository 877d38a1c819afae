"""Deployments and logs for tests of rules, seen at NOW beside a healthy heartbeat collection."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from checks.evidence.deployments import Deployments, Image, Job, Revision, Service, Share, State, Tag
from checks.evidence.images import Contents, File, Inspected, Presence
from checks.evidence.logs import LogBurst, Logs, Operation, Run, Trouble
from checks.evidence.snapshot import Heartbeat, Snapshot
from checks.judge.deployed import levels
from checks.judge.deployed.levels import Ladder
from checks.judge.processors import standings
from checks.settings.code_probe import CodeProbe
from checks.settings.pipeline import Pipeline
from checks.sources.firestore.tally import HeartbeatDocument
from checks.sources.registry.probed_files import probed_file

from support.snapshots import NOW, document, snapshot

REPOSITORY = "us-west2-docker.pkg.dev/demo-nba/nba/phase2"
OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "1" * 64


def settings(
    processors: Sequence[str | dict[str, object]] = ({"name": "Active", "service": "phase2"},), **more: object
) -> Pipeline:
    """Settings with a region, so that deployments and logs are looked at too."""
    return Pipeline.model_validate(
        {
            "pipeline": {"name": "nba", "project": "demo-nba", "region": "us-west2"},
            "heartbeats": {"processors": list(processors)},
            "services": [{"name": "phase2"}],
        }
        | more
    )


def image(digest: str | None = None, *, tag: str | None = None, repository: str = REPOSITORY) -> Image:
    """A reference by digest, by tag, or both."""
    reference = repository + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    return Image(reference=reference, repository=repository, tag=tag, digest=digest)


def revision(number: int, digest: str = NEW, **more: object) -> Revision:
    """A revision of phase2."""
    known = {
        "name": f"phase2-{number:05}-abc",
        "service": "phase2",
        "image": image(digest),
        "created_at": NOW - timedelta(days=10 - number),
        "ready": State.SUCCEEDED,
    }
    return Revision.model_validate(known | more)


def service(*shares: tuple[int, int], created: int = 2, ready: int = 2, **more: object) -> Service:
    """The service phase2: shares as (revision's number, percent)."""
    shares = shares or ((2, 100),)
    known = {
        "name": "phase2",
        "project": "demo-nba",
        "region": "us-west2",
        "image": image(tag="latest"),
        "reconciling": False,
        "settled": True,
        "created": f"phase2-{created:05}-abc",
        "ready": f"phase2-{ready:05}-abc",
        "shares": [
            Share(revision=f"phase2-{number:05}-abc", percent=percent, latest=number == ready)
            for number, percent in shares
        ],
        "pinned": False,
        "state": State.SUCCEEDED,
        "updated_at": NOW - timedelta(days=1),
        "revisions": [revision(1, OLD), revision(2, NEW)],
    }
    return Service.model_validate(known | more)


def job(name: str = "backfill", runs: Image | None = None, *, ran: timedelta | None = None, **more: object) -> Job:
    """A job that last ran that long ago."""
    known = {
        "name": name,
        "project": "demo-nba",
        "region": "us-west2",
        "image": runs or image(NEW),
        "executions": int(ran is not None),
        "last_run": NOW - ran if ran is not None else None,
    }
    return Job.model_validate(known | more)


def tag(digest: str | None = NEW, name: str = "latest", repository: str = REPOSITORY, *children: str) -> Tag:
    """Where a tag points."""
    return Tag(repository=repository, tag=name, digest=digest, children=children)


def run(processor: str = "Active", ago: timedelta = timedelta(minutes=5)) -> Run:
    """A run line."""
    return Run(processor=processor, at=NOW - ago, source="phase2")


def burst(trouble: Trouble, source: str = "phase2", *, of: str | None = None, lines: int = 3) -> LogBurst:
    """Some log lines about a trouble."""
    ago = timedelta(minutes=30)
    return LogBurst(
        trouble=trouble, source=source, revision=of, lines=lines, first=NOW - ago, last=NOW - ago, sample="the line"
    )


def operation(started: timedelta, *, sign: timedelta | None = None, ended: bool = False) -> Operation:
    """An operation of the coordinator."""
    return Operation(
        name="Loading historical games",
        source="coordinator",
        revision="coordinator-00001-abc",
        started=NOW - started,
        last_sign=NOW - (sign if sign is not None else started),
        ended=ended,
    )


def logs(
    *runs: Run,
    bursts: Sequence[LogBurst] = (),
    operations: Sequence[Operation] = (),
    complete: bool = True,
    window: timedelta = timedelta(hours=24),
) -> Logs:
    """What the logs told."""
    return Logs(
        since=NOW - window,
        until=NOW,
        runs=runs,
        bursts=tuple(bursts),
        operations=tuple(operations),
        complete=complete,
    )


def seen(
    *services: Service,
    jobs: Sequence[Job] = (),
    tags: Sequence[Tag] = (),
    told: Logs | None = None,
    documents: Sequence[HeartbeatDocument] = (document("Active"),),
    pipeline: Pipeline | None = None,
    inspected: Sequence[Inspected] = (),
) -> Snapshot:
    """A whole snapshot."""
    deployments = Deployments(services=services, jobs=tuple(jobs), tags=tuple(tags), inspected=tuple(inspected))
    found = snapshot(documents, pipeline or settings())
    return found.model_copy(update={"deployments": deployments, "logs": told or logs(run())})


PROBE = {"name": "fix", "path": "/app/beat.py", "contains": "good", "commit": "ce269d67"}
PROBED = settings(code_probes=[PROBE])
FOLLOWS = settings(
    code_probes=[PROBE],
    jobs=[{"name": name, "follows": "phase2"} for name in ("one", "two")] + [{"name": "alone"}],
)


def inspected(
    digest: str = NEW,
    text: bytes | None = b"good",
    *,
    repository: str = REPOSITORY,
    commit: str | None = None,
    unread: str | None = None,
    probe: Mapping[str, object] = PROBE,
) -> Inspected:
    """An image in which the probe's file holds this; None: it is proved not to be there."""
    presence = Presence.INCONCLUSIVE if unread else Presence.PRESENT if text is not None else Presence.ABSENT
    file = File(
        path="/app/beat.py",
        presence=presence,
        reason=unread or (None if text is not None else "every layer was read, and none has it"),
        next_step="try again" if unread else None,
        layer="sha256:" + "f" * 64 if presence is Presence.PRESENT else None,
    )
    contents = Contents(repository=repository, digest=digest, manifest=digest, commit=commit, files=(file,))
    probed = probed_file(CodeProbe.model_validate(probe), file, None if unread else text)
    return Inspected(contents=contents, probed=(probed,))


def by_revision(taken: Snapshot, name: str, commit: str) -> Snapshot:
    """The same, but every newest heartbeat says that this revision wrote it, at this commit."""
    assert taken.census is not None
    families = [
        family.model_copy(update={"newest": _written_by(family.newest, name, commit)})
        for family in taken.census.families
    ]
    return taken.model_copy(update={"census": taken.census.model_copy(update={"families": tuple(families)})})


def _written_by(beat: Heartbeat | None, name: str, commit: str) -> Heartbeat | None:
    return beat.model_copy(update={"revision": name, "commit": commit}) if beat else None


def ladder(taken: Snapshot, one: Service | Job) -> Ladder:
    """What each level of evidence says of a service or job."""
    return levels.ladder(taken, standings(taken), one)
