from datetime import timedelta

from checks import judge
from checks.evidence.logs import Trouble

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
