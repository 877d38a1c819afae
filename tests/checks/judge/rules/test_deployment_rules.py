from datetime import timedelta

import pytest

from checks import Verdict, judge
from checks.evidence.deployments import State, Tag
from checks.evidence.logs import Trouble
from checks.evidence.snapshot import Snapshot, Target
from checks.judge.finding import Finding

from support.deployed import (
    NEW,
    OLD,
    burst,
    by_revision,
    image,
    job,
    logs,
    operation,
    revision,
    run,
    seen,
    service,
    settings,
    tag,
)
from support.snapshots import told

DAY, MICRO, MINUTE = timedelta(days=1), timedelta(microseconds=1), timedelta(minutes=1)
OLD_HOME = "gcr.io/demo-nba/backfill"
FOLLOWS = settings(jobs=[{"name": f"backfill{n}", "follows": "phase2"} for n in range(3)])


def only(snapshot: Snapshot, rule: str) -> Finding:
    (finding,) = judge(snapshot).findings
    assert finding.rule == rule
    return finding


def test_a_settled_service_that_serves_its_newest_revision_is_healthy() -> None:
    assert judge(seen(service(), tags=[tag()])).verdict is Verdict.HEALTHY


# --- revision-not-serving


def test_a_revision_that_never_became_ready_is_named_with_its_reason_and_its_log_lines() -> None:
    failed = revision(
        3, ready=State.FAILED, reason="HEALTH_CHECK_CONTAINER_ERROR", message="failed to listen on PORT=8080"
    )
    broken = service((2, 100), created=3, state=State.FAILED, revisions=[revision(2), failed])
    witnessed = logs(run(), bursts=[burst(Trouble.STARTUP, of="phase2-00003-abc"), burst(Trouble.STARTUP, of="other")])

    finding = only(seen(broken, tags=[tag()], told=witnessed), "revision-not-serving")

    assert (finding.severity, finding.subject) == ("P1", "phase2")
    assert "phase2-00003-abc never became ready (HEALTH_CHECK_CONTAINER_ERROR); phase2-00002-abc" in finding.summary
    assert [fact.subject for fact in finding.evidence] == ["failed to listen on PORT=8080", "the line"]
    assert finding.next_step.startswith("NOT DEPLOYED")


def test_a_change_in_progress_is_unknown() -> None:
    finding = only(seen(service((1, 100), reconciling=True), tags=[tag(OLD)]), "revision-not-serving")

    assert finding.severity == "unknown"


def test_pinned_traffic_leaves_the_newest_revision_without_any() -> None:
    finding = only(seen(service((1, 100), pinned=True), tags=[tag(OLD)]), "revision-not-serving")

    assert finding.severity == "P1"
    assert finding.summary == "phase2-00002-abc gets no traffic: traffic is pinned to phase2-00001-abc"


def test_traffic_that_is_pinned_to_the_newest_revision_is_fine() -> None:
    assert judge(seen(service((2, 100), pinned=True), tags=[tag()])).verdict is Verdict.HEALTHY


def test_a_share_of_an_old_revision_is_p2() -> None:
    finding = only(seen(service((2, 70), (1, 30)), tags=[tag()]), "revision-not-serving")

    assert finding.severity == "P2"
    assert finding.summary.startswith("30 % of the traffic")


def test_a_service_without_traffic_is_p1() -> None:
    silent = service().model_copy(update={"shares": ()})

    assert only(seen(silent, tags=[tag()]), "revision-not-serving").summary == "no revision gets traffic"


def test_a_retired_revision_is_no_error() -> None:
    retired = revision(1, OLD, retired=True, reason="RETIRED")

    assert judge(seen(service(revisions=[retired, revision(2)]), tags=[tag()])).verdict is Verdict.HEALTHY


# --- serving-digest-not-tag


def test_a_tag_that_moved_and_was_not_deployed_is_p1_with_both_digests() -> None:
    moved = "sha256:" + "2" * 64

    finding = only(seen(service(), tags=[tag(moved)]), "serving-digest-not-tag")

    assert (finding.severity, finding.subject) == ("P1", "phase2")
    assert [fact.subject for fact in finding.evidence] == [moved, NEW]
    assert finding.next_step.startswith("NOT DEPLOYED")


def test_a_service_that_was_deployed_by_digest_is_held_to_the_tag_that_the_settings_name() -> None:
    pinned, moved = service(image=image(NEW)), "sha256:" + "2" * 64
    wanted = settings(services=[{"name": "phase2", "tag": "stable"}])

    report = judge(seen(pinned, tags=[tag(moved, "stable")], pipeline=wanted))

    assert told(report) == [("serving-digest-not-tag", "P1", "phase2")]
    assert told(judge(seen(pinned, tags=[tag(moved, "stable")]))) == []


def test_an_index_whose_child_serves_is_what_serves() -> None:
    index = Tag(repository=image().repository, tag="latest", digest="sha256:" + "9" * 64, children=(NEW,))

    assert judge(seen(service(), tags=[index])).verdict is Verdict.HEALTHY


def test_a_tag_that_is_gone_is_p2() -> None:
    assert only(seen(service(), tags=[tag(None)]), "serving-digest-not-tag").severity == "P2"


# --- job-image-differs


@pytest.mark.parametrize(
    ("ran", "severity"), [(None, "P2"), (30 * DAY, "P1"), (30 * DAY + MICRO, "P2")], ids=["never", "30 days", "longer"]
)
def test_jobs_on_another_image_are_one_finding_as_severe_as_their_last_run_is_recent(
    ran: timedelta | None, severity: str
) -> None:
    jobs = [job(f"backfill{n}", image(OLD, repository=OLD_HOME)) for n in range(2)]
    jobs.append(job("backfill2", image(tag="latest", repository=OLD_HOME), ran=ran))

    snapshot = seen(service(), jobs=jobs, tags=[tag(), tag(OLD, repository=OLD_HOME)], pipeline=FOLLOWS)
    finding = only(snapshot, "job-image-differs")

    assert (finding.severity, finding.subject, finding.count) == (severity, "phase2", 3)
    assert [fact.subject for fact in finding.evidence] == ["backfill0", "backfill1", "backfill2"]


def test_jobs_that_run_what_their_service_serves_are_fine_by_digest_or_by_tag() -> None:
    jobs = [job("backfill0", image(NEW)), job("backfill1", image(tag="latest"), ran=DAY), job("backfill2")]

    assert judge(seen(service(), jobs=jobs, tags=[tag()], pipeline=FOLLOWS)).verdict is Verdict.HEALTHY


def test_a_job_that_follows_nobody_may_run_what_it_likes() -> None:
    jobs = [job("free", image(OLD, repository=OLD_HOME), ran=DAY)]

    assert judge(seen(service(), jobs=jobs, tags=[tag()])).verdict is Verdict.HEALTHY


# --- commit-label-contradicted


def test_a_label_that_the_serving_revision_contradicts_is_p2() -> None:
    labelled = service(commit="ce269d67", revisions=[revision(1, OLD), revision(2, commit="075fab1e")])

    finding = only(seen(labelled, tags=[tag()]), "commit-label-contradicted")

    assert (finding.severity, finding.level) == ("P2", "label")


def test_heartbeats_that_another_commit_wrote_contradict_at_runtime() -> None:
    labelled = service(commit="ce269d67")

    snapshot = by_revision(seen(labelled, tags=[tag()]), "phase2-00002-abc", "075fab1e")

    assert only(snapshot, "commit-label-contradicted").level == "runtime"


@pytest.mark.parametrize("commit", ["ce269d67", "ce269d67aa", "not-a-commit"])
def test_a_label_that_agrees_as_far_as_it_goes_or_claims_no_commit_is_fine(commit: str) -> None:
    labelled = service(commit=commit, revisions=[revision(2, commit="ce269d67aabb" if commit[0] == "c" else "abc")])

    assert judge(seen(labelled, tags=[tag()])).verdict is Verdict.HEALTHY


# --- heartbeats-switched-off


@pytest.mark.parametrize("value", ["false", "False", " 0 ", "no", "off"])
def test_a_serving_revision_whose_flag_is_off_is_p1(value: str) -> None:
    off = service(revisions=[revision(2, flags={"ENABLE_HEARTBEATS": value})])

    finding = only(seen(off, tags=[tag()]), "heartbeats-switched-off")

    assert (finding.severity, finding.subject) == ("P1", "phase2")


def test_a_flag_that_is_on_or_off_in_a_revision_that_does_not_serve_is_fine() -> None:
    on = service(revisions=[revision(1, flags={"ENABLE_HEARTBEATS": "false"}), revision(2, flags={"ENABLE": "true"})])

    assert judge(seen(on, tags=[tag()])).verdict is Verdict.HEALTHY


# --- stuck-operation


@pytest.mark.parametrize(("started", "stuck"), [(30 * MINUTE, False), (30 * MINUTE + MICRO, True)])
def test_an_operation_without_end_is_stuck_exactly_after_its_limit(started: timedelta, *, stuck: bool) -> None:
    report = judge(seen(service(), tags=[tag()], told=logs(run(), operations=[operation(started)])))

    assert told(report) == ([("stuck-operation", "P1", "coordinator")] if stuck else [])


@pytest.mark.parametrize("how", [{"ended": True}, {"complete": False}], ids=["ended", "the search was cut short"])
def test_an_operation_that_ended_or_may_have_is_not_stuck(how: dict[str, bool]) -> None:
    told_of = operation(50 * MINUTE, ended=how.get("ended", False))
    witnessed = logs(run(), operations=[told_of], complete=how.get("complete", True))

    assert told(judge(seen(service(), tags=[tag()], told=witnessed))) == []


def test_an_operation_that_was_tried_again_and_ended_is_over() -> None:
    witnessed = logs(run(), operations=[operation(5 * MINUTE * 60), operation(4 * MINUTE * 60, ended=True)])

    assert told(judge(seen(service(), tags=[tag()], told=witnessed))) == []


# --- mixed-practice


def test_practice_beside_production_is_unknown() -> None:
    taken = seen(service(), tags=[tag()])
    real = Target(source="cloud-run", address="run.googleapis.com", resource="projects/demo-nba", practice=False)

    report = judge(taken.model_copy(update={"targets": (*taken.targets, real)}))

    assert told(report) == [("mixed-practice", "unknown", "nba")]


# --- missing-deployments


def test_a_service_or_job_that_only_the_settings_know_is_named() -> None:
    report = judge(seen(service(), tags=[tag()], pipeline=settings(jobs=[{"name": "backfill"}])))

    assert told(report) == [("missing-deployments", "P2", "backfill")]
    assert told(judge(seen(jobs=[], tags=[tag()]))) == [("missing-deployments", "P1", "phase2")]


def test_a_listing_that_is_not_complete_proves_nothing_missing() -> None:
    taken = seen()
    assert taken.deployments is not None
    part = taken.model_copy(update={"deployments": taken.deployments.model_copy(update={"complete": False})})

    assert told(judge(part)) == []


def test_a_deploy_that_does_not_serve_is_the_cause_of_a_label_that_is_ahead_of_it() -> None:
    failed = service((1, 100), pinned=True, commit="ce269d67")
    taken = by_revision(seen(failed, tags=[tag()]), "phase2-00001-abc", "075fab1e")

    report = judge(taken)

    assert [rule for rule, _, _ in told(report)] == ["revision-not-serving", "commit-label-contradicted"]
    assert report.findings[1].cause == report.findings[0].key


def test_a_place_that_holds_nothing_is_said_and_not_silently_healthy() -> None:
    report = judge(seen(pipeline=settings(services=[])))

    assert [(each.what, each.reason) for each in report.not_checked] == [
        ("cloud-run", "no service and no job in demo-nba/us-west2: is the region right?")
    ]
