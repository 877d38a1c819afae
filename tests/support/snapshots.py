"""Snapshots for tests of rules: a few documents in, the evidence a source would have made of them out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from checks.evidence.snapshot import Census, Gap, Method, Snapshot, Target
from checks.judge.finding import Finding
from checks.judge.report import Report, judge
from checks.settings.pipeline import Pipeline
from checks.sources.firestore.tally import HeartbeatDocument, Tally

NOW = datetime(2026, 2, 1, 22, 0, tzinfo=UTC)
FRESH = timedelta(minutes=5)
LONG_AGO = timedelta(days=90)
A_GAP = Gap(source="firestore", reason="listing of heartbeats: UNAVAILABLE: gone", next_step="try again")


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def document(
    doc: str,
    age: timedelta | None = FRESH,
    *,
    created: timedelta = LONG_AGO,
    updated: timedelta | None = None,
    unparsable: str | None = None,
    name: str | None = None,
) -> HeartbeatDocument:
    """A heartbeat document whose last_heartbeat, creation and update lie that long before NOW.

    Firestore stored it when it beat, unless told otherwise; one from the future, or without a time, a while ago.
    """
    if updated is None:
        updated = FRESH if age is None or age < timedelta() else age
    return HeartbeatDocument(
        doc=doc,
        beat=None if age is None else micros(NOW - age),
        unparsable=unparsable or (None if age is not None else "there is no last_heartbeat"),
        created=micros(NOW - created),
        updated=micros(NOW - updated),
        name=name,
    )


def run_document(
    doc: str,
    status: str | None = "running",
    silent: timedelta = FRESH,
    *,
    lasted: timedelta | None = timedelta(hours=1),
    beats_every: float | None = None,
    run_id: str | None = None,
    data_date: str | None = None,
    progress: float | str | None = None,
    total: float | None = None,
    names_its_build: bool = False,
) -> HeartbeatDocument:
    """A document that tells of its run.

    Args:
        doc: its id.
        status: its word for how the run stands.
        silent: how long before NOW it beat.
        lasted: from its start to that beat; None where it names no start.
        beats_every: seconds that it promises from one beat to the next.
        run_id, data_date, progress, total: which run it is, and how far.
        names_its_build: it has a commit and a revision.
    """
    return document(doc, silent)._replace(
        name=doc,
        status=status,
        started=None if lasted is None else micros(NOW - silent - lasted),
        beats_every=beats_every,
        run_id=run_id,
        data_date=data_date,
        progress=progress,
        total=total,
        names_its_build=names_its_build,
    )


def pipeline(processors: Sequence[str | Mapping[str, object]] = (), **heartbeats: object) -> Pipeline:
    """Settings with these processors, and with these keys of ``[heartbeats]``."""
    return Pipeline.model_validate(
        {
            "pipeline": {"name": "nba", "project": "demo-nba"},
            "heartbeats": {"processors": list(processors), **heartbeats},
        }
    )


def snapshot(
    documents: Iterable[HeartbeatDocument] = (),
    settings: Pipeline | None = None,
    *,
    listed: bool = True,
    counted: int | bool = True,
) -> Snapshot:
    """The snapshot of these documents at NOW.

    Args:
        documents: what was listed.
        settings: the pipeline; one without registered processors by default.
        listed: the listing came to its end.
        counted: the server's count; True counts the documents, False could not count.
    """
    settings = settings or pipeline()
    tally = Tally(micros(NOW), settings.heartbeats.registered)
    for each in documents:
        tally.add(each)
    total = tally.seen if isinstance(counted, bool) else counted
    complete = listed and counted is not False
    return Snapshot(
        pipeline=settings,
        taken_at=NOW,
        census=Census(
            collection="projects/demo-nba/databases/(default)/documents/processor_heartbeats",
            total=total,
            counted=counted is not False,
            listed=listed,
            families=tally.families(),
        ),
        gaps=() if complete else (A_GAP,),
        targets=(Target(source="firestore", address="127.0.0.1:1", resource="projects/demo-nba", practice=True),),
    )


def walked(
    ranges: Iterable[tuple[HeartbeatDocument, int, int | None]],
    newest: Iterable[HeartbeatDocument] = (),
    settings: Pipeline | None = None,
    *,
    read: Iterable[HeartbeatDocument] = (),
    reach: timedelta | None = None,
) -> Snapshot:
    """The snapshot of a walk at NOW.

    Args:
        ranges: the first document of each counted range, how many there are, and were 55 minutes ago.
        newest: the newest heartbeats, which were read.
        settings: the pipeline; one without registered processors by default.
        read: documents that lie in no range.
        reach: how far back the newest heartbeats were read; None is all the way.
    """
    settings = settings or pipeline()
    tally = Tally(micros(NOW), settings.heartbeats.registered)
    for each in read:
        tally.add(each)
    for first, now, then in ranges:
        tally.add_range(first, now, then)
    tally.reach = None if reach is None else micros(NOW - reach)
    for each in newest:
        tally.see(each)
    census = Census(
        collection="projects/demo-nba/databases/(default)/documents/processor_heartbeats",
        total=tally.seen,
        counted=True,
        listed=True,
        method=Method.RANGES,
        families=tally.families(),
    )
    return Snapshot(pipeline=settings, taken_at=NOW, census=census)


def unseen(settings: Pipeline | None = None) -> Snapshot:
    """A snapshot of nothing: Firestore did not answer."""
    return Snapshot(pipeline=settings or pipeline(), taken_at=NOW, census=None, gaps=(A_GAP,))


def told(report: Report) -> list[tuple[str, str, str]]:
    """Every finding as (rule, severity, subject)."""
    return [(finding.rule, finding.severity.value, finding.subject) for finding in report.findings]


def judged(
    documents: Iterable[HeartbeatDocument] = (),
    settings: Pipeline | None = None,
    *,
    listed: bool = True,
    counted: int | bool = True,
) -> Report:
    """The report on these documents."""
    return judge(snapshot(documents, settings, listed=listed, counted=counted))


def found(taken: Snapshot, rule: str) -> list[Finding]:
    """The findings of one rule."""
    return [each for each in judge(taken).findings if each.rule == rule]


def only(taken: Snapshot, rule: str) -> Finding:
    """The only finding, which is this rule's."""
    (finding,) = judge(taken).findings
    assert finding.rule == rule
    return finding
