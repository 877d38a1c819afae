from checks import judge
from checks.evidence.snapshot import Target

from support.deployed import seen, service, tag
from support.snapshots import told


def test_practice_beside_production_is_unknown() -> None:
    taken = seen(service(), tags=[tag()])
    real = Target(source="cloud-run", address="run.googleapis.com", resource="projects/demo-nba", practice=False)

    report = judge(taken.model_copy(update={"targets": (*taken.targets, real)}))

    assert told(report) == [("mixed-practice", "unknown", "nba")]
