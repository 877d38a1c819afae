import pytest

from checks import Verdict, judge

from support.deployed import OLD, by_revision, revision, seen, service, tag
from support.snapshots import only, told


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


def test_a_deploy_that_does_not_serve_is_the_cause_of_a_label_that_is_ahead_of_it() -> None:
    failed = service((1, 100), pinned=True, commit="ce269d67")
    taken = by_revision(seen(failed, tags=[tag()]), "phase2-00001-abc", "075fab1e")

    report = judge(taken)

    assert [rule for rule, _, _ in told(report)] == ["revision-not-serving", "commit-label-contradicted"]
    assert report.findings[1].cause == report.findings[0].key
