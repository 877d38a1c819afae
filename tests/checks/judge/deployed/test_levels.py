from datetime import timedelta

import pytest

from checks.evidence.deployments import State
from checks.evidence.logs import Trouble
from checks.evidence.snapshot import Level, Snapshot
from checks.judge.deployed.levels import Ladder
from checks.judge.deployed.proofs import Outcome
from checks.sources.firestore.tally import HeartbeatDocument

from support.deployed import (
    FOLLOWS,
    NEW,
    OLD,
    PROBED,
    REPOSITORY,
    burst,
    image,
    inspected,
    job,
    ladder,
    logs,
    revision,
    run,
    seen,
    service,
    settings,
    tag,
)
from support.snapshots import NOW, document, found

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
BAD = document("Active_None_097ffc9c", age=MINUTE, created=MINUTE)


def rungs(of: Ladder) -> dict[str, str | None]:
    return {rung.level.value: rung.result.value if rung.result else None for rung in of.rungs}


def test_every_level_says_something_and_the_strongest_that_knows_decides() -> None:
    whole = seen(service(commit="ce269d67"), tags=[tag()], pipeline=PROBED, inspected=[inspected()])

    told = ladder(whole, service(commit="ce269d67"))

    assert rungs(told) == {
        "runtime": "matched", "bytes": "matched", "digest": "matched", "tag": None, "label": None, "exit-code": None,
        "text": None,
    }  # fmt: skip
    assert (told.verdict, told.level, told.measured_at) == (Outcome.MATCHED, Level.RUNTIME, whole.taken_at)
    assert all(rung.says for rung in told.rungs)


@pytest.mark.parametrize(
    ("documents", "text", "points", "verdict", "level"),
    [
        ([document("Active")], b"bad", NEW, "contradicted", "bytes"),
        ([document("Active"), BAD], b"good", NEW, "contradicted", "runtime"),
        ([document("Active")], b"good", OLD, "contradicted", "digest"),
        ([document("Active", age=9 * DAY)], b"good", NEW, "matched", "bytes"),
        ([], b"good", NEW, "matched", "bytes"),
    ],
)
def test_a_contradiction_outranks_what_matches(
    documents: list[HeartbeatDocument], text: bytes, points: str, verdict: str, level: str
) -> None:
    snapshot = seen(
        service(), tags=[tag(points)], pipeline=PROBED, inspected=[inspected(text=text)], documents=documents
    )

    told = ladder(snapshot, service())

    assert (told.verdict, told.level) == (Outcome(verdict), Level(level))


def test_a_label_or_a_tag_alone_never_decides() -> None:
    bare = seen(service(commit="ce269d67"), pipeline=settings(processors=[]))

    told = ladder(bare, service(commit="ce269d67"))

    assert (told.verdict, told.level) == (Outcome.UNKNOWN, None)


@pytest.mark.parametrize(
    ("writer", "verdict"), [("backfill-abcde", "matched"), ("phase2-00002-abc", "contradicted"), (None, "contradicted")]
)
def test_documents_that_another_revision_wrote_are_no_effect_of_this_one(writer: str | None, verdict: str) -> None:
    snapshot = seen(
        service(), tags=[tag()], pipeline=PROBED, inspected=[inspected()], documents=[document("Active"), BAD]
    )

    assert ladder(_written_by(snapshot, writer), service()).verdict is Outcome(verdict)


@pytest.mark.parametrize(
    ("writer", "last", "verdict"),
    [
        ("backfill-x7k2p", None, "contradicted"),
        ("backfill-props-x7k2p", None, "unknown"),
        ("backfill-props", None, "contradicted"),  # an execution may end so
        ("backfill-x7k2", None, "unknown"),
        ("backfill-x7k2pq", None, "unknown"),
        ("backfill", None, "unknown"),
        ("the-backfill-x7k2p", None, "unknown"),
        ("backfill-of-another-kind", "backfill-of-another-kind", "contradicted"),
        ("backfill-of-another-kind", "backfill-x7k2p", "unknown"),
        (None, None, "contradicted"),
    ],
)
def test_an_execution_is_of_the_job_whose_name_it_bears(writer: str | None, last: str | None, verdict: str) -> None:
    own = settings(processors=[{"name": "Active", "service": "backfill"}], jobs=[{"name": "backfill"}])
    one = job(ran=DAY, last_execution=last)
    snapshot = seen(jobs=[one], pipeline=own, documents=[document("Active"), BAD])

    assert ladder(_written_by(snapshot, writer), one).verdict is Outcome(verdict)


def test_what_the_old_revision_wrote_while_it_drained_is_no_effect_of_the_new_one() -> None:
    began = NOW - revision(2).created_at
    for after, verdict in ((10 * MINUTE, "matched"), (10 * MINUTE + timedelta(microseconds=1), "contradicted")):
        drained = document("Active_None_1", age=MINUTE, created=began - after)
        snapshot = seen(
            service(), tags=[tag()], pipeline=PROBED, inspected=[inspected()], documents=[document("Active"), drained]
        )
        assert ladder(snapshot, service()).verdict is Outcome(verdict)


@pytest.mark.parametrize(
    ("trouble", "of", "age", "verdict"),
    [
        (Trouble.PERMISSION_DENIED, "phase2-00002-abc", DAY, "contradicted"),
        (Trouble.IMPORT_ERROR, None, DAY, "contradicted"),
        (Trouble.WRITE_ERROR, "phase2-00001-abc", DAY, "matched"),  # of a revision that serves no more
        (Trouble.STARTUP, "phase2-00002-abc", DAY, "matched"),
        (Trouble.PERMISSION_DENIED, "phase2-00002-abc", MINUTE, "matched"),  # they have beaten since
    ],
)
def test_log_lines_that_say_why_heartbeats_are_not_written_are_an_effect(
    trouble: Trouble, of: str | None, age: timedelta, verdict: str
) -> None:
    witnessed = logs(run(), bursts=[burst(trouble, of=of)])
    snapshot = seen(
        service(), tags=[tag()], told=witnessed, pipeline=PROBED, inspected=[inspected()],
        documents=[document("Active", age=age)],
    )  # fmt: skip

    told = ladder(snapshot, service())

    assert told.verdict is Outcome(verdict)
    assert told.contradictions == ()


def test_documents_that_were_counted_and_not_read_prove_no_good_effect() -> None:
    old = document("Active_None_1", age=9 * DAY, created=9 * DAY)
    snapshot = seen(
        service(), tags=[tag()], pipeline=PROBED, inspected=[inspected()], documents=[document("Active"), old]
    )
    assert snapshot.census is not None
    families = tuple(family.model_copy(update={"malformed_last_hour": None}) for family in snapshot.census.families)
    counted = snapshot.model_copy(update={"census": snapshot.census.model_copy(update={"families": families})})

    assert ladder(snapshot, service()).level is Level.RUNTIME
    assert (ladder(counted, service()).verdict, ladder(counted, service()).level) == (Outcome.MATCHED, Level.BYTES)


def _written_by(snapshot: Snapshot, writer: str | None) -> Snapshot:
    """The same, but every newest malformed document says that this revision or execution wrote it."""
    assert snapshot.census is not None
    families = tuple(
        family.model_copy(
            update={
                "newest_malformed": family.newest_malformed
                and family.newest_malformed.model_copy(update={"revision": writer})
            }
        )
        for family in snapshot.census.families
    )
    return snapshot.model_copy(update={"census": snapshot.census.model_copy(update={"families": families})})


def test_a_share_whose_image_was_not_read_leaves_it_unknown() -> None:
    split = service((1, 30), (2, 70))
    told = ladder(seen(split, pipeline=PROBED, inspected=[inspected()], documents=[]), split)

    assert (told.verdict, told.level) == (Outcome.UNKNOWN, Level.BYTES)


def test_a_good_effect_proves_nothing_about_a_file_that_nobody_read() -> None:
    told = ladder(seen(service(), tags=[tag()], pipeline=PROBED, inspected=[inspected(unread="no answer")]), service())

    assert rungs(told)["runtime"] == "matched"
    assert (told.verdict, told.level) == (Outcome.UNKNOWN, Level.BYTES)


def test_a_revision_without_a_digest_is_not_taken_for_what_its_tag_points_at_now() -> None:
    by_tag = service(revisions=[revision(2, image=image(tag="latest"))])
    snapshot = seen(by_tag, tags=[tag()], pipeline=PROBED, inspected=[inspected(text=b"bad")])

    told = ladder(snapshot, by_tag)

    assert (told.verdict, told.level) == (Outcome.UNKNOWN, Level.BYTES)
    assert found(snapshot, "fix-not-deployed") == []


def test_an_effect_is_measured_from_no_revision_that_could_not_be_read() -> None:
    split = service((1, 30), (2, 70), revisions=[revision(2)])

    told = ladder(seen(split, tags=[tag()], inspected=[inspected()]), split)

    assert rungs(told)["runtime"] is None


def test_a_change_in_progress_is_not_held_against_its_tag() -> None:
    moving = service(reconciling=True, state=State.PENDING)

    told = ladder(seen(moving, tags=[tag(OLD)], pipeline=PROBED, inspected=[inspected()]), moving)

    assert rungs(told)["digest"] is None
    assert "is in progress" in next(rung.says for rung in told.rungs if rung.level is Level.EXIT_CODE)


def test_a_job_is_held_against_the_service_that_it_follows() -> None:
    old, home = job("one", image(OLD), ran=DAY), REPOSITORY
    snapshot = seen(service(), jobs=[old], tags=[tag()], pipeline=FOLLOWS, inspected=[inspected(OLD, repository=home)])

    told = ladder(snapshot, old)

    assert (told.kind, told.verdict, told.level) == ("job", Outcome.CONTRADICTED, Level.DIGEST)
