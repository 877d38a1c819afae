from checks import Verdict, judge
from checks.evidence.deployments import State
from checks.evidence.logs import Trouble

from support.deployed import OLD, burst, logs, revision, run, seen, service, tag
from support.snapshots import only


def test_a_settled_service_that_serves_its_newest_revision_is_healthy() -> None:
    assert judge(seen(service(), tags=[tag()])).verdict is Verdict.HEALTHY


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
