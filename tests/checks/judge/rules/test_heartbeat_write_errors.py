from collections.abc import Sequence
from datetime import timedelta

from checks import judge
from checks.evidence.logs import Logs, Trouble
from checks.sources.firestore.tally import HeartbeatDocument

from support.deployed import burst, logs, run, seen, service, settings
from support.snapshots import document, told

STALE = timedelta(days=5)


def test_a_write_error_in_the_logs_is_the_root_of_the_broken_path_and_of_the_channel() -> None:
    names = [f"Processor{number}" for number in range(5)]
    documents = [document(name, STALE) for name in names]
    pipeline = settings([{"name": name, "service": "phase2"} for name in names])
    witnessed = logs(*(run(name) for name in names), bursts=[burst(Trouble.PERMISSION_DENIED)])

    report = judge(seen(service(), documents=documents, told=witnessed, pipeline=pipeline))

    assert [rule for rule, _, _ in told(report)] == [
        "heartbeat-write-errors",
        "two-witnesses",
        "heartbeat-channel-down",
    ]
    root = report.findings[0]
    assert {finding.cause for finding in report.findings[1:]} == {root.key}
    assert root.next_step == "grant roles/datastore.user to the service account of phase2"
    assert report.score == 65


def test_write_errors_that_every_processor_of_the_service_has_outlived_are_over() -> None:
    witnessed = logs(run(), bursts=[burst(Trouble.PERMISSION_DENIED)])

    assert told(judge(seen(service(), told=witnessed))) == []


def test_trouble_is_over_for_the_processor_that_the_lines_name() -> None:
    names = ["A", "B"]
    documents = [document("A"), document("B", STALE)]
    of = [burst(Trouble.WRITE_ERROR).model_copy(update={"processor": name}) for name in names]
    witnessed = logs(*(run(name) for name in names), bursts=of[:1])

    assert "heartbeat-write-errors" not in rules(documents, names, witnessed)
    assert "heartbeat-write-errors" in rules(documents, names, witnessed.model_copy(update={"bursts": tuple(of)}))
    over = of[1].model_copy(update={"written_again": of[1].last})
    assert "heartbeat-write-errors" not in rules(documents, names, witnessed.model_copy(update={"bursts": (over,)}))


def rules(documents: Sequence[HeartbeatDocument], names: Sequence[str], witnessed: Logs) -> list[str]:
    report = judge(seen(service(), documents=documents, told=witnessed, pipeline=settings(list(names))))
    return [rule for rule, _, _ in told(report)]


def test_a_service_that_the_settings_do_not_name_concerns_others_unless_its_lines_name_ours() -> None:
    foreign = burst(Trouble.WRITE_ERROR, "web")

    assert told(judge(seen(service(), told=logs(run(), bursts=[foreign])))) == []
    ours = foreign.model_copy(update={"named": True})
    report = judge(seen(service(), told=logs(run(), bursts=[ours])))
    assert told(report) == [("heartbeat-write-errors", "P1", "web")]
