import pytest

from checks import judge
from checks.settings.pipeline import Pipeline

from support.deployed import job, seen, service, settings, tag
from support.snapshots import told


def test_a_service_or_job_that_only_the_settings_know_is_named() -> None:
    report = judge(seen(service(), tags=[tag()], pipeline=settings(jobs=[{"name": "backfill"}])))

    assert told(report) == [("missing-deployments", "P2", "backfill")]
    assert told(judge(seen(jobs=[], tags=[tag()]))) == [("missing-deployments", "P1", "phase2")]


def test_a_listing_that_is_not_complete_proves_nothing_missing() -> None:
    taken = seen()
    assert taken.deployments is not None
    part = taken.model_copy(update={"deployments": taken.deployments.model_copy(update={"complete": False})})

    assert told(judge(part)) == []


def test_a_place_that_holds_nothing_is_said_and_not_silently_healthy() -> None:
    report = judge(seen(pipeline=settings(services=[])))

    assert [(each.what, each.reason) for each in report.not_checked] == [
        ("cloud-run", "no service and no job in demo-nba/us-west2: is the region right?")
    ]


def test_what_is_gone_in_one_of_two_regions_is_missing_there() -> None:
    twice = settings(
        services=[{"name": "phase2"}, {"name": "phase2", "region": "us-east1"}],
        jobs=[{"name": "sweep"}, {"name": "sweep", "region": "us-east1"}],
    )
    far = service(region="us-east1")
    jobs = [job("sweep"), job("sweep", region="us-east1")]

    gone = judge(seen(service(), jobs=jobs[:1], tags=[tag()], pipeline=twice))
    fine = judge(seen(service(), far, jobs=jobs, tags=[tag()], pipeline=twice))

    assert told(gone) == [
        ("missing-deployments", "P1", "phase2@us-east1"),
        ("missing-deployments", "P2", "sweep@us-east1"),
    ]
    assert [each.region for each in gone.findings] == ["us-east1", "us-east1"]
    assert told(fine) == []


def test_a_service_of_the_same_name_elsewhere_is_not_the_one_that_is_wanted() -> None:
    report = judge(seen(service(region="us-east1"), tags=[tag()]))

    assert told(report) == [("missing-deployments", "P1", "phase2")]


@pytest.mark.parametrize("section", ["services", "jobs"])
def test_the_same_name_in_the_same_place_twice_is_an_error_of_the_settings(section: str) -> None:
    twice: object = [{"name": "phase2"}, {"name": "phase2", "region": "us-west2", "project": "demo-nba"}]
    pipeline = {"name": "nba", "project": "demo-nba", "region": "us-west2"}
    told: dict[str, object] = {"pipeline": pipeline, section: twice}

    with pytest.raises(ValueError, match=r"'phase2' is there twice in \[\[" + section):
        Pipeline.model_validate(told)
