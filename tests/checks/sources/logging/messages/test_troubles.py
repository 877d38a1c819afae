import pytest

from checks.evidence.logs import Trouble
from checks.sources.logging.bursts import fold_bursts
from checks.sources.logging.lines import Facts, LogLine
from checks.sources.logging.messages.troubles import Told, reader, trouble_of

DEFAULT, INFO, NOTICE, WARNING, ERROR = 0, 200, 300, 400, 500


def line(text: str, severity: int = DEFAULT, *, logger: str | None = None, facts: Facts | None = None) -> LogLine:
    return LogLine(0, "loader", "loader-00001", severity, text, logger=logger, facts=facts or Facts())


NO_TROUBLE = [
    ("WARNING kafka.coordinator Heartbeat session expired, marking coordinator dead: heartbeat failed", WARNING),
    (
        (
            "pika.exceptions.AMQPHeartbeatTimeout: no activity or too many missed heartbeats in the last 60 "
            "seconds; connection error"
        ),
        DEFAULT,
    ),
    ("[WARNING/MainProcess] missed heartbeat from celery@worker-2", DEFAULT),
    (
        (
            "[WARNING/MainProcess] consumer: Connection to broker lost. Trying to re-establish; error: Too many "
            "heartbeats missed"
        ),
        WARNING,
    ),
    ("firestore sync done: 0 errors, 120 documents", DEFAULT),
    ("heartbeat ok; failures since start: 0", DEFAULT),
    ("heartbeat ok: 12 games, 0 failed", DEFAULT),
    ("ImportError: optional dependency 'uvloop' not installed, using asyncio", WARNING),
    ("ImportError: optional dependency 'uvloop' not installed, using asyncio", DEFAULT),
    ("GET /docs/ImportError-handling.html 404", WARNING),
    ("GET /x?q=heartbeat failed 403 Missing or insufficient permissions", WARNING),
    ('unexpected page title "could not write heartbeat: PERMISSION_DENIED"', WARNING),
    ("Heartbeat failed for group my-group because it is rebalancing", WARNING),
    ("[kafka] heartbeat failed", ERROR),
    ("airflow.jobs.scheduler_job: heartbeat got an exception", ERROR),
    ("redis.exceptions.ConnectionError: heartbeat failed", ERROR),
    ("websocket heartbeat timed out", WARNING),
    ("Shard ID None heartbeat blocked for more than 10 seconds. error", WARNING),
    ("heartbeat written (errors=0)", DEFAULT),
    ("heartbeats: 30 ok / 0 failed", DEFAULT),
    ("no heartbeat failures", DEFAULT),
    ("heartbeat healthy, error count: 0", DEFAULT),
    ("0 of 30 heartbeats failed", DEFAULT),
    ("heartbeat of Unit00Processor written after 2 failed attempts", DEFAULT),
    ("Firestore: no errors", DEFAULT),
    ("firestore client: errors=[] ok", DEFAULT),
    ("zookeeper: session heartbeat error", WARNING),
    ("dask worker heartbeat failed", WARNING),
    ("consul heartbeat check failed", WARNING),
    ("Ray node heartbeat missed, error", WARNING),
    ("heartbeat failures: 0, last error: none", DEFAULT),
    ("https://docs.example/heartbeat/failed not cached", WARNING),
    ("heartbeat: success (failed=0, total=30)", DEFAULT),
    ("processor_heartbeats: 0 failures", DEFAULT),
    ("Celery worker heartbeat: connection error", WARNING),
    ("sent heartbeat to broker failed", WARNING),
    ("rabbitmq closed connection: missed heartbeats from client, timeout: 60s error", DEFAULT),
    ("No errors while writing heartbeat", DEFAULT),
    ("wrote heartbeat without errors", DEFAULT),
    ("Worker heartbeat failed: timeout", WARNING),
    ("ModuleNotFoundError: No module named 'orjson', falling back to json", WARNING),
    ("line one\nImportError: x", DEFAULT),
    ("INFO:app:heartbeat failure callback registered", DEFAULT),
    ("DEBUG: heartbeat failed once, trying again", DEFAULT),
    ("heartbeat config: timeout=5 on_error=ignore", DEFAULT),
    ("heartbeat interval 60s, error threshold 3", DEFAULT),
    ("Scheduler heartbeat got an exception: database is locked", WARNING),
    ("Heartbeat failed: local member_id was not recognized; resetting and re-joining group", ERROR),
    ("DataNode: IOException in offerService heartbeat failed", WARNING),
    ("Pub/Sub streaming pull: heartbeat failed, terminating stream", WARNING),
    ("upstream heartbeat check failed for 10.0.0.3", WARNING),
    ("kafka: could not write heartbeat", WARNING),
    (
        (
            'Traceback (most recent call last):\n  File "/app/kafka/heartbeat.py", line 12, in beat\n    x\n'
            "kafka.errors.KafkaError: failed"
        ),
        DEFAULT,
    ),
]

TROUBLE = [
    (
        "Failed to write heartbeat: 403 Missing or insufficient permissions. PERMISSION_DENIED on processor_heartbeats",
        ERROR,
    ),
    ("could not write heartbeat of Unit00Processor to Firestore: 503 unavailable", WARNING),
    (
        (
            'Traceback (most recent call last):\n  File "/app/main.py", line 3, in <module>\n    from '
            "shared.monitoring.processor_heartbeat import ProcessorHeartbeat\nModuleNotFoundError: No module "
            "named 'shared.monitoring'"
        ),
        DEFAULT,
    ),
    ("ERROR HEARTBEAT: could not write processor_heartbeats: 403 Missing or insufficient permissions", ERROR),
    ("Heartbeat write failed for NbacProcessor: 403 Missing or insufficient permissions.", WARNING),
    ("heartbeat not written: PERMISSION_DENIED. Assistant: the person", ERROR),
    ("Error saving heartbeat: Deadline Exceeded", WARNING),
    ("heartbeat error: 503", DEFAULT),
    ("Failed to update heartbeat: 504 Deadline Exceeded", DEFAULT),
    ("Unable to send heartbeat: timed out", WARNING),
    ("2026-11-29 11:00:00 ERROR monitoring: heartbeat failed: permission denied", DEFAULT),
    ("Heartbeat thread crashed with exception: RpcError", ERROR),
    ("WARNING: could not import heartbeat: ImportError: No module named 'x'", WARNING),
    ("ImportError: cannot import ProcessorHeartbeat, using a no-op heartbeat", WARNING),
    ("Failed to write heartbeat None: 403 PERMISSION_DENIED", WARNING),
    ("firestore write failed: 503", WARNING),
    ("heartbeat write failed (attempt 0): 503", WARNING),
    ("Couldn't write heartbeat: connection reset by peer", WARNING),
    ("heartbeat not written", WARNING),
    ("google.api_core.exceptions.PermissionDenied: 403 Missing or insufficient permissions.", DEFAULT),
    (
        (
            "Exception in heartbeat thread: <_InactiveRpcError of RPC that terminated with:\n\tstatus = "
            'StatusCode.PERMISSION_DENIED\n\tdetails = "Missing or insufficient permissions."'
        ),
        DEFAULT,
    ),
    ("Failed to write heartbeat for worker: 403", WARNING),
    ("Failed to write heartbeat of Unit00Processor; service ok", WARNING),
    ("Unit00Processor missed writing its heartbeat: DeadlineExceeded", ERROR),
    ("heartbeat_write_failed", ERROR),
    ("writing heartbeat raised google.api_core.exceptions.Unknown: None Stream removed", ERROR),
    ("Failed to write heartbeat of RedisLoader: deadline exceeded", ERROR),
    ("could not write heartbeat after kafka broker restart: 503 unavailable", WARNING),
    ("Heartbeat update failed while handling a Pub/Sub message: 503", WARNING),
    ("WARNING:root:could not update heartbeat: 503", DEFAULT),
    (
        (
            'Traceback (most recent call last):\n  File "/app/shared/monitoring/processor_heartbeat.py", line 12, in '
            "beat\n    doc.set(x)\ngoogle.api_core.exceptions.DeadlineExceeded: 504 Deadline Exceeded"
        ),
        DEFAULT,
    ),
]

READ = reader(["Unit00Processor", "p2_nba_raw.schedule"], "processor_heartbeats")


@pytest.mark.parametrize(("text", "severity"), NO_TROUBLE)
def test_a_line_about_something_else_or_about_success_is_no_trouble(text: str, severity: int) -> None:
    assert trouble_of(line(text, severity)) is None


@pytest.mark.parametrize(("text", "severity"), TROUBLE)
def test_a_heartbeat_that_is_not_written_is_trouble(text: str, severity: int) -> None:
    assert trouble_of(line(text, severity)) is not None


@pytest.mark.parametrize("logger", ["kafka.coordinator", "pika.connection", "celery.worker", "aiokafka.consumer"])
def test_a_logger_of_another_system_writes_of_its_own_heartbeats(logger: str) -> None:
    assert trouble_of(line("heartbeat failed: timed out", WARNING, logger=logger)) is None
    assert trouble_of(line("heartbeat failed: timed out", WARNING, logger="loader.beats")) is Trouble.WRITE_ERROR


def test_the_librarys_own_fields_speak_first() -> None:
    failing, working = (Facts(processor="A", state=state) for state in ("failing", "working"))

    assert trouble_of(line("anything", ERROR, facts=failing)) is Trouble.WRITE_ERROR
    assert READ(line("heartbeats of A are NOT written: x", ERROR, facts=working)) == Told(None, "A")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("heartbeats of A are NOT written: unreachable. Next: x", Told(Trouble.WRITE_ERROR, "A")),
        ("heartbeats of A are written again, 1 were missed: unreachable", Told(None, "A")),
        ("could not write heartbeat of Unit00Processor", Told(Trouble.WRITE_ERROR, "Unit00Processor", named=True)),
        ("Heartbeat write failed for OldName: 403", Told(Trouble.WRITE_ERROR, "OldName")),
        ("p2_nba_raw.schedule: heartbeat failed", Told(Trouble.WRITE_ERROR, "p2_nba_raw.schedule", named=True)),
        ("could not write to processor_heartbeats", Told(Trouble.WRITE_ERROR, None, named=True)),
        ("heartbeat of Unit00Processor written, 0 failed", Told(None, "Unit00Processor", named=True)),
        ("nothing of that kind", None),
    ],
)
def test_a_line_says_whose_heartbeat_it_is_about(text: str, told: Told | None) -> None:
    assert READ(line(text)) == told


def test_trouble_is_told_for_each_processor_and_when_its_writer_says_that_it_is_over() -> None:
    def at(minute: int, text: str, severity: int = ERROR) -> LogLine:
        return line(text, severity)._replace(at=minute * 60_000_000)

    lines = [
        at(1, "heartbeats of A are NOT written: unreachable"),
        at(2, "heartbeats of A are written again, 1 were missed: unreachable", NOTICE),
        at(3, "heartbeats of B are NOT written: unreachable"),
    ]

    bursts = {burst.processor: burst for burst in fold_bursts(lines, (), "processor_heartbeats")}

    assert bursts["A"].written_again is not None
    assert bursts["B"].written_again is None
    again = fold_bursts([*lines, at(4, "heartbeats of A are NOT written: unreachable")], (), "processor_heartbeats")
    assert all(burst.written_again is None for burst in again)
