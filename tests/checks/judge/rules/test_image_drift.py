import pytest

from checks.evidence.snapshot import Level

from support.deployed import FOLLOWS, NEW, PROBED, image, inspected, job, revision, seen, service, tag
from support.snapshots import found


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
