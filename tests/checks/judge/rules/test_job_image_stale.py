from datetime import timedelta

import pytest

from checks.evidence.snapshot import Level

from support.deployed import FOLLOWS, OLD, image, inspected, job, seen, service, tag
from support.snapshots import found

DAY = timedelta(days=1)


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
