from datetime import timedelta

import pytest

from checks import Verdict, judge

from support.deployed import NEW, OLD, image, job, seen, service, settings, tag
from support.snapshots import only

DAY, MICRO = timedelta(days=1), timedelta(microseconds=1)
OLD_HOME = "gcr.io/demo-nba/backfill"
FOLLOWS = settings(jobs=[{"name": f"backfill{n}", "follows": "phase2"} for n in range(3)])


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
