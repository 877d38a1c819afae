"""What runs now is judged by what it wrote itself, since its traffic began; advice ends when it has been followed."""

from datetime import timedelta

import pytest

from checks.evidence.deployments import Service, Share
from checks.evidence.snapshot import Snapshot
from checks.judge.deployed.beginnings import DRAINS, began
from checks.judge.deployed.effects import effect_of
from checks.judge.deployed.proofs import Outcome
from checks.judge.processors import standings
from checks.judge.report import judge
from checks.sources.firestore.tally import HeartbeatDocument

from support.deployed import NEW, OLD, PROBED, inspected, job, revision, seen, service, settings, tag
from support.snapshots import NOW, document

HOUR, MINUTE, MICRO = timedelta(hours=1), timedelta(minutes=1), timedelta(microseconds=1)
FAMILY = "Active_None_"


def rolled_back(ago: timedelta) -> Service:
    """Revision 1 serves again, by its name, since that long ago; revision 2 is newer and bad."""
    share = Share(revision="phase2-00001-abc", percent=100, latest=False)
    return service(shares=[share], updated_at=NOW - ago)


def redeployed(ago: timedelta) -> Service:
    """Revision 2 was made that long ago, and serves."""
    return service(revisions=[revision(1, OLD), revision(2, NEW, created_at=NOW - ago)], updated_at=NOW - ago)


def bad(created: timedelta, writer: str | None = None) -> HeartbeatDocument:
    return document(f"{FAMILY}{int(created.total_seconds()):08x}", age=created, created=created)._replace(
        revision=writer
    )


def effect(one: Service, *documents: HeartbeatDocument) -> Outcome | None:
    taken = seen(one, tags=[tag()], pipeline=PROBED, inspected=[inspected()], documents=documents)
    return effect_of(taken, standings(taken), one).result


def beat(writer: str | None = None) -> HeartbeatDocument:
    return document("Active")._replace(revision=writer)


def test_after_a_rollback_the_bad_revisions_documents_do_not_speak_against_the_good_one() -> None:
    good = rolled_back(30 * MINUTE)

    assert effect(good, beat(), bad(2 * HOUR)) is Outcome.MATCHED
    assert effect(good, beat(), bad(29 * MINUTE)) is None  # it drained
    assert effect(good, beat(), bad(5 * MINUTE, "phase2-00002-abc")) is None
    assert effect(good, beat(), bad(5 * MINUTE)) is Outcome.CONTRADICTED
    assert effect(good, beat(), bad(5 * MINUTE, "phase2-00001-abc")) is Outcome.CONTRADICTED


def test_traffic_that_follows_the_latest_began_with_the_revision_and_by_name_with_the_last_change() -> None:
    assert began(redeployed(HOUR)) == NOW - HOUR
    assert began(rolled_back(HOUR)) == NOW - HOUR
    assert began(service(updated_at=NOW)) == revision(2).created_at
    assert began(job(ran=HOUR)) == NOW - HOUR
    assert began(job()) is None


@pytest.mark.parametrize("writer", ["backfill-x7k2p", "phase2-00001-abc"])
def test_where_another_wrote_the_newest_whether_this_one_wrote_others_is_not_known(writer: str) -> None:
    assert effect(service(), beat(), bad(MINUTE, writer)) is None


def test_the_heartbeat_of_another_writer_is_none_of_its_own() -> None:
    assert effect(service(), beat("phase2-00002-abc")) is Outcome.MATCHED
    assert effect(service(), beat()) is Outcome.MATCHED
    assert effect(service(), beat("phase2-00001-abc")) is None
    assert effect(service(), beat("backfill-x7k2p")) is None


def rules(taken: Snapshot) -> set[str]:
    return {each.rule for each in judge(taken).findings}


@pytest.mark.parametrize(
    ("document", "grows"),
    [
        (bad(20 * MINUTE), False),
        (bad(15 * MINUTE - DRAINS), False),
        (bad(15 * MINUTE - DRAINS - MICRO), True),
        (bad(15 * MINUTE - DRAINS, "phase2-00002-abc"), True),
        (bad(15 * MINUTE - DRAINS - MICRO, "phase2-00001-abc"), True),
        (bad(MINUTE), True),
    ],
    ids=["before", "drained", "after", "it says so", "the old one goes on", "now"],
)
def test_growth_counts_from_when_what_serves_now_began(document: HeartbeatDocument, *, grows: bool) -> None:
    taken = seen(
        redeployed(15 * MINUTE), tags=[tag()], pipeline=PROBED, inspected=[inspected()], documents=[beat(), document]
    )

    assert ("regrowth" in rules(taken)) is grows
    assert "malformed-ids" in rules(taken)


@pytest.mark.parametrize(
    "taken",
    [
        seen(service(reconciling=True), documents=[beat(), bad(20 * MINUTE)]),
        seen(redeployed(15 * MINUTE), pipeline=settings(["Active"]), documents=[beat(), bad(20 * MINUTE)]),
        seen(
            redeployed(15 * MINUTE), pipeline=PROBED, inspected=[inspected(text=b"bad")],
            documents=[beat(), bad(20 * MINUTE)],
        ),
        seen(service((1, 50), (2, 50), revisions=[revision(1, OLD)]), documents=[beat(), bad(20 * MINUTE)]),
    ],
    ids=["in progress", "nobody knows who runs it", "it lacks the fix", "a share was not read"],
)  # fmt: skip
def test_a_deed_that_is_not_proved_ends_no_advice(taken: Snapshot) -> None:
    assert "regrowth" in rules(taken)


def test_many_documents_are_to_be_cleaned_up_once_what_wrote_them_is_gone() -> None:
    documents = [bad(20 * MINUTE + n * MICRO) for n in range(1)] + [
        document(f"{FAMILY}{n:08x}", age=HOUR, created=HOUR) for n in range(600)
    ]
    one = redeployed(15 * MINUTE)

    def step(*more: HeartbeatDocument) -> str:
        report = judge(seen(one, tags=[tag()], documents=[beat(), *documents, *more]))
        return next(each.next_step for each in report.findings if each.rule == "heartbeat-proliferation")

    assert step().startswith("clean up: no malformed document was created since")
    assert step(bad(MINUTE)).startswith("clean up at once, and fix the writing service first (phase2)")
    assert step(document("Stranger_None_00c0ffee", age=MINUTE, created=MINUTE)).startswith("clean up at once")
