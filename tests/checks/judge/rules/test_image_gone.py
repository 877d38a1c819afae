from datetime import timedelta

import pytest

from checks import Verdict, judge
from checks.evidence.snapshot import Level

from support.deployed import FOLLOWS, NEW, OLD, image, job, seen, service, tag
from support.snapshots import found, only

DAY = timedelta(days=1)
HOME = "us-west2-docker.pkg.dev/demo-nba/nba/export"
BY_TAG, BY_DIGEST = image(tag="v3", repository=HOME), image(OLD, repository=HOME)


@pytest.mark.parametrize(
    ("ran", "severity"), [(30 * DAY, "P1"), (30 * DAY + timedelta(microseconds=1), "P2"), (None, "P2")]
)
@pytest.mark.parametrize("runs", [BY_TAG, BY_DIGEST])
def test_a_job_whose_image_is_gone_cannot_start(ran: timedelta | None, severity: str, runs: object) -> None:
    wanted = BY_TAG if runs is BY_TAG else BY_DIGEST
    snapshot = seen(
        service(), jobs=[job("export", wanted, ran=ran)], tags=[tag(), tag(None, wanted.digest or "v3", HOME)]
    )

    finding = only(snapshot, "image-gone")

    assert (finding.severity, finding.subject, finding.level) == (severity, "export", Level.DIGEST)
    assert [(fact.subject, fact.detail) for fact in finding.evidence] == [(wanted.reference, "is needed by export")]


def test_an_image_that_is_there_or_was_not_asked_for_is_nobodys_fault() -> None:
    there = seen(service(), jobs=[job("export", BY_TAG, ran=DAY)], tags=[tag(), tag(OLD, "v3", HOME)])
    unasked = seen(service(), jobs=[job("export", BY_DIGEST, ran=DAY)], tags=[tag()])

    assert [judge(each).verdict for each in (there, unasked)] == [Verdict.HEALTHY, Verdict.HEALTHY]


def test_a_tag_beside_a_digest_decides_nothing() -> None:
    both = image(OLD, tag="v3", repository=HOME)
    tags = [tag(), tag(None, "v3", HOME), tag(OLD, OLD, HOME)]

    assert judge(seen(service(), jobs=[job("export", both, ran=DAY)], tags=tags)).verdict is Verdict.HEALTHY


def test_what_a_service_serves_and_the_registry_lost_is_p2() -> None:
    finding = only(seen(service(), tags=[tag(), tag(None, NEW)]), "image-gone")

    assert (finding.severity, finding.subject) == ("P2", "phase2")
    assert "rolled back" in finding.next_step


def test_jobs_of_one_service_are_one_finding_which_explains_that_they_differ() -> None:
    gone = image(tag="gone")
    snapshot = seen(
        service(), jobs=[job(name, gone, ran=DAY) for name in ("one", "two")], tags=[tag(), tag(None, "gone")],
        pipeline=FOLLOWS.model_copy(update={"code_probes": ()}),
    )  # fmt: skip

    (finding,) = found(snapshot, "image-gone")
    (differs,) = found(snapshot, "job-image-differs")

    assert (finding.severity, finding.subject, finding.count) == ("P1", "phase2", 2)
    assert differs.cause == finding.key
