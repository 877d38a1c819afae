from checks import judge

from support.deployed import seen, service, settings, tag
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
