"""fix-not-deployed, job-image-stale, image-drift, and the ladder that they stand on."""

from datetime import timedelta

import pytest

from checks import Verdict, judge
from checks.evidence.deployments import State
from checks.evidence.logs import Trouble
from checks.evidence.snapshot import Level, Snapshot
from checks.judge.deployed.levels import Ladder, ladder
from checks.judge.deployed.proofs import Outcome
from checks.judge.finding import Finding
from checks.sources.firestore.tally import HeartbeatDocument

from support.deployed import (
    NEW,
    OLD,
    PROBE,
    REPOSITORY,
    burst,
    image,
    inspected,
    job,
    logs,
    revision,
    run,
    seen,
    service,
    settings,
    tag,
)
from support.snapshots import NOW, document

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
PROBED = settings(code_probes=[PROBE])
FOLLOWS = settings(
    code_probes=[PROBE],
    jobs=[{"name": name, "follows": "phase2"} for name in ("one", "two")] + [{"name": "alone"}],
)
BAD = document("Active_None_097ffc9c", age=MINUTE, created=MINUTE)


def found(snapshot: Snapshot, rule: str) -> list[Finding]:
    return [each for each in judge(snapshot).findings if each.rule == rule]


def rungs(of: Ladder) -> dict[str, str | None]:
    return {rung.level.value: rung.result.value if rung.result else None for rung in of.rungs}


# --- fix-not-deployed


def test_bytes_that_hold_the_fix_are_healthy() -> None:
    whole = seen(service(), tags=[tag()], pipeline=PROBED, inspected=[inspected()])

    assert judge(whole).verdict is Verdict.HEALTHY


@pytest.mark.parametrize("text", [b"bad", None, b""])
def test_bytes_that_lack_the_fix_are_p1_whatever_label_and_tag_say(text: bytes | None) -> None:
    labelled = service(commit="ce269d67", revisions=[revision(2, NEW, commit="ce269d67")])

    (finding,) = found(
        seen(labelled, tags=[tag()], pipeline=PROBED, inspected=[inspected(text=text, commit="ce269d67")]),
        "fix-not-deployed",
    )

    assert (finding.severity, finding.subject, finding.level) == ("P1", "phase2", Level.BYTES)
    assert finding.summary == "100 % of its traffic meets code without fix"
    assert finding.next_step.startswith("NOT DEPLOYED: build phase2 without a cache from a commit that has fix")


def test_of_split_traffic_the_share_that_lacks_the_fix_is_named() -> None:
    split = service((1, 30), (2, 70))
    snapshot = seen(split, tags=[tag()], pipeline=PROBED, inspected=[inspected(OLD, b"bad"), inspected()])

    (finding,) = found(snapshot, "fix-not-deployed")

    assert finding.summary == "30 % of its traffic meets code without fix"
    assert [fact.detail for fact in finding.evidence] == [
        f"in phase2-00001-abc (30 %), image {OLD[:19]}, layer sha256:ffffffffffff"
    ]


def test_what_could_not_be_read_is_no_finding_about_the_fix() -> None:
    snapshot = seen(service(), tags=[tag()], pipeline=PROBED, inspected=[inspected(unread="no answer")], documents=[])

    assert found(snapshot, "fix-not-deployed") == []
    assert ladder(snapshot, service()).verdict is Outcome.UNKNOWN


def test_a_probe_about_another_service_accuses_nobody() -> None:
    others = settings(services=[{"name": "phase2"}, {"name": "phase3"}], code_probes=[PROBE | {"subjects": ["phase3"]}])

    assert (
        found(seen(service(), tags=[tag()], pipeline=others, inspected=[inspected(text=b"bad")]), "fix-not-deployed")
        == []
    )


def test_silence_and_growth_follow_from_code_without_the_fix() -> None:
    grows = [document("Active", age=2 * DAY), document("Active_None_1", age=2 * DAY, created=MINUTE)]
    findings = judge(
        seen(service(), tags=[tag()], pipeline=PROBED, inspected=[inspected(text=b"bad")], documents=grows)
    ).findings

    causes = {each.rule: each.cause for each in findings}
    assert causes["fix-not-deployed"] is None
    assert causes["regrowth"] == causes["two-witnesses"] == "fix-not-deployed: phase2"


def test_a_tag_that_moved_explains_that_the_fix_does_not_serve() -> None:
    snapshot = seen(service(), tags=[tag("sha256:" + "2" * 64)], pipeline=PROBED, inspected=[inspected(text=b"bad")])

    (finding,) = found(snapshot, "fix-not-deployed")

    assert finding.cause == "serving-digest-not-tag: phase2"


def test_without_code_probes_the_report_says_that_nobody_looked_inside() -> None:
    report = judge(seen(service(), tags=[tag()]))

    assert [each.what for each in report.not_checked] == ["code probes"]
    assert report.not_checked[0].rules == ("fix-not-deployed", "job-image-stale")


# --- job-image-stale


@pytest.mark.parametrize(
    ("ran", "severity"), [(30 * DAY, "P1"), (30 * DAY + timedelta(microseconds=1), "P2"), (None, "P2")]
)
def test_a_job_whose_image_lacks_the_fix_is_stale(ran: timedelta | None, severity: str) -> None:
    snapshot = seen(
        service(), jobs=[job("alone", image(OLD), ran=ran)], tags=[tag()], pipeline=FOLLOWS,
        inspected=[inspected(), inspected(OLD, b"bad")],
    )  # fmt: skip

    (finding,) = found(snapshot, "job-image-stale")

    assert (finding.severity, finding.subject, finding.level, finding.count) == (severity, "alone", Level.BYTES, 1)


def test_jobs_of_one_service_are_one_finding_and_those_of_none_their_own() -> None:
    jobs = [job(name, image(OLD)) for name in ("one", "two", "alone")]
    snapshot = seen(
        service(), jobs=jobs, tags=[tag()], pipeline=FOLLOWS, inspected=[inspected(), inspected(OLD, b"bad")]
    )

    told = {each.subject: each.count for each in found(snapshot, "job-image-stale")}

    assert told == {"phase2": 2, "alone": 1}


def test_a_job_by_tag_is_looked_into_where_its_tag_points_now() -> None:
    home = "gcr.io/demo-nba/one"
    snapshot = seen(
        service(),
        jobs=[job("one", image(tag="latest", repository=home))],
        tags=[tag(), tag(OLD, "latest", home)],
        pipeline=FOLLOWS,
        inspected=[inspected(), inspected(OLD, b"bad", repository=home)],
    )

    (finding,) = found(snapshot, "job-image-stale")

    assert finding.cause == "job-image-differs: one"
    assert finding.evidence[0].detail == f"in {home}:latest, job one"


# --- image-drift


def test_a_label_that_names_the_fix_over_bytes_that_lack_it_is_drift() -> None:
    labelled = service(commit="ce269d67", revisions=[revision(2, NEW, commit="ce269d67")])
    snapshot = seen(labelled, tags=[tag()], pipeline=PROBED, inspected=[inspected(text=b"bad", commit="ce269d67")])

    (finding,) = found(snapshot, "image-drift")

    assert (finding.severity, finding.cause, finding.level) == ("P2", "fix-not-deployed: phase2", Level.BYTES)
    assert "says ce269d67, which is fix; its bytes lack that" in finding.evidence[0].subject


def test_a_label_of_the_revision_against_the_images_own_is_drift() -> None:
    labelled = service(revisions=[revision(2, NEW, commit="ce269d67")])
    snapshot = seen(labelled, tags=[tag()], pipeline=PROBED, inspected=[inspected(commit="075fab1e")])

    (finding,) = found(snapshot, "image-drift")

    assert (
        finding.evidence[0].subject
        == "the label of phase2-00002-abc (100 %) says ce269d67, its image's own says 075fab1e"
    )


@pytest.mark.parametrize("own", ["ce269d67", "ce269d67aa", "ce269d6", None])
def test_commits_that_agree_as_far_as_the_shorter_goes_are_no_drift(own: str | None) -> None:
    labelled = service(revisions=[revision(2, NEW, commit="ce269d67")])

    assert found(seen(labelled, tags=[tag()], pipeline=PROBED, inspected=[inspected(commit=own)]), "image-drift") == []


def test_the_label_of_a_job_is_not_held_against_the_image_of_today() -> None:
    by_tag = job("one", image(tag="latest"), commit="075fab1e")
    snapshot = seen(service(), jobs=[by_tag], tags=[tag()], pipeline=FOLLOWS, inspected=[inspected(commit="ce269d67")])

    assert found(snapshot, "image-drift") == []


# --- the ladder


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
