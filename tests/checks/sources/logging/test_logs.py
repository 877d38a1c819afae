import asyncio
import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud.audit.audit_log_pb2 import AuditLog
from google.cloud.logging_v2.types import LogEntry
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.struct_pb2 import Struct

from checks.evidence.logs import LogBurst, Logs, Operation, Run, Trouble
from checks.evidence.snapshot import Gap, Target
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget
from checks.sources.logging.logs import read_logs
from checks.sources.logging.quota import RateLimit
from checks.sources.logging.search import MAX_PAGES
from checks.sources.progress import quiet

from support.log_world import LIST, QUESTIONS, UNTIL, LogWorld, entry, job_entry, page, question, read
from support.run_world import settings
from support.stand_in import STATUSES, Answer, StatusError, fails, garbage, hangs, stand_in

Looked = tuple[Logs | None, tuple[Gap, ...]]
MINUTE = timedelta(minutes=1)
ASKED = {"runs": "lines of runs", "trouble": "lines of trouble", "operations": "lines of operations"}


async def look(
    answer: Answer, *, pipeline: Pipeline | None = None, seconds: float = 20.0, limit: RateLimit | None = None
) -> Looked:
    async with stand_in({LIST: answer}) as address:
        target = Target(source="logging", address=address, resource="projects/demo-nba", practice=True)
        return await read_logs(pipeline or settings(), target, UNTIL, Budget(seconds), quiet, limit=limit)


async def told(
    *, runs: Sequence[LogEntry] = (), trouble: Sequence[LogEntry] = (), operations: Sequence[LogEntry] = ()
) -> Logs:
    logs, gaps = await look(LogWorld(runs, trouble, operations))
    assert gaps == ()
    assert logs is not None
    assert logs.complete
    return logs


async def test_three_calls_ask_for_everything_within_the_window() -> None:
    world = LogWorld()

    logs, gaps = await look(world, pipeline=settings("us-west2", services=[{"name": "x", "project": "other"}]))

    assert gaps == ()
    assert logs == Logs(since=UNTIL - timedelta(hours=24), until=UNTIL)
    assert sorted(map(question, world.asked)) == sorted(QUESTIONS)
    for request in world.asked:
        assert list(request.resource_names) == ["projects/demo-nba", "projects/other"]
        assert (request.page_size, request.order_by) == (1_000, "timestamp desc")
        assert request.filter.startswith('timestamp>="2026-01-31T22:00:00.000000Z" AND timestamp<="2026-02-01T22')


async def test_the_newest_run_of_each_processor_is_told() -> None:
    def ran(name: str, minutes: int) -> LogEntry:
        return entry(f"INFO Processor run completed: {name} in 3 s", at=UNTIL - minutes * MINUTE)

    logs = await told(runs=[ran("p2_nba_raw.x", 5), ran("Other,", 9), ran("p2_nba_raw.x", 1), ran("p2_nba_raw.x", 7)])

    assert logs.runs == (
        Run(processor="Other", at=UNTIL - 9 * MINUTE, source="scrapers"),
        Run(processor="p2_nba_raw.x", at=UNTIL - MINUTE, source="scrapers"),
    )


@pytest.mark.parametrize("text", ["Processor run completed: ", "completed", "Processor run completed: " + "x" * 301])
async def test_a_line_that_names_no_processor_is_no_run(text: str) -> None:
    assert (await told(runs=[entry(text)])).runs == ()


DENIED = "heartbeats of A are NOT written: no-permission. Next: grant roles/datastore.user"
NOT_OF_THE_HEARTBEAT = "ImportError: cannot import name 'x'"
"""Beside a warning, a program goes on without it."""

TROUBLES = {
    "403 Missing or insufficient permissions.": Trouble.PERMISSION_DENIED,
    DENIED: Trouble.PERMISSION_DENIED,
    "Failed to write heartbeat: PERMISSION_DENIED on projects/x": Trouble.PERMISSION_DENIED,
    NOT_OF_THE_HEARTBEAT: Trouble.IMPORT_ERROR,
    "ModuleNotFoundError: No module named 'shared.monitoring'": Trouble.IMPORT_ERROR,
    "heartbeats of A are NOT written: package-missing. Next: add it": Trouble.IMPORT_ERROR,
    "ModuleNotFoundError: No module named 'gunicorn'": Trouble.STARTUP,
    "Default STARTUP TCP probe failed 1 time consecutively for container x on port 8080": Trouble.STARTUP,
    'failed to start: "gunicorn": executable file not found in $PATH': Trouble.STARTUP,
    'STARTUP TCP probe failed 3 times consecutively for container "app" on port 8080 path "".': Trouble.STARTUP,
    'STARTUP HTTP probe failed 1 time consecutively for container "app" on port 80 path "/up".': Trouble.STARTUP,
    'STARTUP GRPC probe failed 1 time consecutively for container "app" on port 50051.': Trouble.STARTUP,
    "Application failed to start: failed to load /bin/run.sh: exec format error": Trouble.STARTUP,
    "Memory limit of 512 MiB exceeded with 530 MiB used. Consider increasing the memory limit.": Trouble.STARTUP,
    "Failed to update heartbeat: 504 Deadline Exceeded": Trouble.WRITE_ERROR,
    "heartbeats of A are NOT written: over-quota. Next: beat less often": Trouble.WRITE_ERROR,
}
NO_TROUBLE = [
    "PERMISSION_DENIED: BigQuery table x",
    "HEARTBEAT END (ERROR): Loading failed after 30.0 min",
    "heartbeat thread started",
    "something else",
    "",
]


@pytest.mark.parametrize(("text", "trouble"), TROUBLES.items(), ids=TROUBLES)
@pytest.mark.parametrize("severity", ["DEFAULT", "WARNING", "ERROR"])
async def test_trouble_is_told_by_kind(text: str, trouble: Trouble, severity: str) -> None:
    logs = await told(trouble=[entry(text, severity=severity)])

    if (severity, text) == ("WARNING", NOT_OF_THE_HEARTBEAT):
        assert logs.bursts == ()
        return
    assert tuple(burst.model_copy(update={"processor": None}) for burst in logs.bursts) == (
        LogBurst(
            trouble=trouble,
            source="scrapers",
            revision="scrapers-00002",
            lines=1,
            first=UNTIL,
            last=UNTIL,
            sample=text,
        ),
    )


@pytest.mark.parametrize(("severity", "told_of"), [("ERROR", 1), ("WARNING", 0), ("DEFAULT", 0)])
async def test_every_error_of_the_platform_tells_of_a_start(severity: str, told_of: int) -> None:
    line = entry("The container could not be set up.", severity=severity)
    line.log_name = "projects/demo/logs/run.googleapis.com%2Fvarlog%2Fsystem"

    bursts = (await told(trouble=[line])).bursts

    assert [burst.trouble for burst in bursts] == [Trouble.STARTUP] * told_of


@pytest.mark.parametrize("text", NO_TROUBLE)
async def test_other_lines_are_no_trouble(text: str) -> None:
    assert (await told(trouble=[entry(text, severity="ERROR")])).bursts == ()


@pytest.mark.parametrize("severity", ["DEBUG", "INFO", "NOTICE"])
async def test_a_line_that_calls_itself_harmless_is_no_trouble(severity: str) -> None:
    assert (await told(trouble=[entry(DENIED, severity=severity)])).bursts == ()


async def test_lines_of_one_trouble_are_one_burst_per_service_and_revision() -> None:
    lines = [entry(f"{DENIED} {n}", at=UNTIL - n * MINUTE) for n in (3, 1, 2)]

    logs = await told(trouble=[*lines, job_entry(DENIED), entry(DENIED, source="other")])

    assert [(burst.source, burst.revision, burst.lines) for burst in logs.bursts] == [
        ("backfill", "backfill-x1", 1),
        ("other", "other-00002", 1),
        ("scrapers", "scrapers-00002", 3),
    ]
    newest = logs.bursts[2]
    assert (newest.first, newest.last, newest.sample) == (UNTIL - 3 * MINUTE, UNTIL - MINUTE, f"{DENIED} 1")


async def test_a_sample_is_the_telling_line_redacted_and_bounded() -> None:
    frames = "".join(f'  File "/app/{n}.py", line {n}, in run\n' for n in range(2_000))
    text = f"Traceback (most recent call last):\n{frames}ImportError: token=hunter2 {'x' * 900}\n"

    sample = (await told(trouble=[entry(text)])).bursts[0].sample

    assert sample.startswith("ImportError: token=[redacted: secret] xxx")
    assert len(sample) == 300


def beat(text: str, minutes: float, *, source: str = "scrapers") -> LogEntry:
    return entry(text, at=UNTIL - minutes * MINUTE, source=source)


def operation(started: float, last_sign: float, *, ended: bool, name: str = "Loading") -> Operation:
    return Operation(
        name=name,
        source="scrapers",
        revision="scrapers-00002",
        started=UNTIL - started * MINUTE,
        last_sign=UNTIL - last_sign * MINUTE,
        ended=ended,
    )


START = "HEARTBEAT START: Loading"
END_12 = "HEARTBEAT END: Loading completed in 12.3 min"
OPERATIONS: dict[str, tuple[list[LogEntry], list[Operation]]] = {
    "ended": ([beat(START, 20), beat(END_12, 7.7)], [operation(20, 20, ended=True)]),
    "failed": (
        [beat(START, 20), beat("HEARTBEAT END (ERROR): Loading failed after 12.0 min", 8)],
        [operation(20, 20, ended=True)],
    ),
    "never ended": ([beat(START, 45)], [operation(45, 45, ended=False)]),
    "silent since": (
        [beat(START, 45), beat("HEARTBEAT: Loading still running (5.0 min elapsed)", 40)],
        [operation(45, 40, ended=False)],
    ),
    "as the old code prints": (
        [beat(f"\U0001f493 {START}", 45), beat("\U0001f493 HEARTBEAT: Loading still running (10.0 min elapsed)", 35)],
        [operation(45, 35, ended=False)],
    ),
    "killed, and tried again": (
        [beat(START, 60), beat(START, 20), beat(END_12, 7.7)],
        [operation(60, 60, ended=False), operation(20, 20, ended=True)],
    ),
    "two at once, the older ends": (
        [beat(START, 20), beat(START, 15), beat(END_12, 7.7)],
        [operation(20, 20, ended=True), operation(15, 15, ended=False)],
    ),
    "an end whose start is before the window": (
        [beat(START, 1_400), beat("HEARTBEAT END: Loading completed in 100.0 min", 1_390)],
        [operation(1_400, 1_400, ended=False)],
    ),
    "an end of another": (
        [beat(START, 20), beat("HEARTBEAT END: Saving completed in 12.3 min", 7.7)],
        [operation(20, 20, ended=False)],
    ),
    "an end in another service": ([beat(START, 20), beat(END_12, 7.7, source="x")], [operation(20, 20, ended=False)]),
    "an end alone": ([beat(END_12, 7.7)], []),
}


@pytest.mark.parametrize(("lines", "operations"), OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("newest_first", [True, False], ids=["newest first", "oldest first"])
async def test_a_start_without_its_end_stays_open(
    lines: list[LogEntry],
    operations: list[Operation],
    newest_first: bool,  # noqa: FBT001 - a column of the table
) -> None:
    logs = await told(operations=lines[::-1] if newest_first else lines)

    assert list(logs.operations) == operations


def _structured(**fields: str | float | dict[str, str]) -> LogEntry:
    payload = Struct()
    payload.update({**fields})
    made = entry("", severity="ERROR")
    made.json_payload = payload
    return made


def _audit(message: AnyMessage) -> LogEntry:
    raw = LogEntry.pb(entry("", severity="ERROR"))
    raw.proto_payload.CopyFrom(message)
    return LogEntry.wrap(raw)


def _packed() -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(AuditLog(status={"code": 13, "message": "the container failed to start and listen on the port 8080"}))
    return packed


ODD = {
    "structured": (_structured(message=DENIED, heartbeat={"reason": "no-permission"}), Trouble.PERMISSION_DENIED),
    "structured without a message": (_structured(other=1), None),
    "structured with a number for a message": (_structured(message=5), None),
    "an audit log": (_audit(_packed()), Trouble.STARTUP),
    "an audit log of garbage": (_audit(AnyMessage(type_url=_packed().type_url, value=b"\xff\xff")), None),
    "a type that nobody knows": (_audit(AnyMessage(type_url="type.googleapis.com/no.such.Type", value=b"x")), None),
    "a type without a name": (_audit(AnyMessage(value=b"x")), None),
    "no payload, no resource": (LogEntry(timestamp=UNTIL, severity="ERROR"), None),
    "no time": (LogEntry(text_payload=DENIED, severity="ERROR"), None),
    "a time that no calendar holds": (LogEntry({"text_payload": DENIED, "timestamp": {"seconds": 2**60}}), None),
    "a time beyond the window": (entry(DENIED, at=datetime(2030, 1, 1, tzinfo=UTC)), None),
}


@pytest.mark.parametrize(("odd", "trouble"), ODD.values(), ids=ODD)
async def test_every_kind_of_entry_is_survived(odd: LogEntry, trouble: Trouble | None) -> None:
    logs = await told(trouble=[odd, entry("ImportError: x")], runs=[odd], operations=[odd])

    assert {burst.trouble for burst in logs.bursts} == {Trouble.IMPORT_ERROR} | ({trouble} if trouble else set())


async def test_a_line_without_labels_is_of_an_unknown_source() -> None:
    bare = LogEntry(text_payload=DENIED, receive_timestamp=UNTIL)

    logs = await told(trouble=[bare])

    assert [(burst.source, burst.revision) for burst in logs.bursts] == [("(unknown)", None)]


async def test_all_pages_are_read() -> None:
    world = LogWorld(trouble=[entry(DENIED)] * 10, per_page=3)

    logs, gaps = await look(world)

    assert gaps == ()
    assert logs is not None
    assert logs.bursts[0].lines == 10
    assert len(world.asked) == 6


def _one_fails(name: str, instead: Answer) -> Answer:
    world = LogWorld(runs=[entry("Processor run completed: A")], trouble=[entry(DENIED)])

    async def answer(request: bytes) -> bytes:
        asked = question(read(request))
        return await (instead if asked == name else world)(request)

    return answer


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("status", STATUSES)
async def test_a_search_that_keeps_failing_is_a_gap_and_the_others_are_kept(name: str, status: str) -> None:
    logs, gaps = await look(_one_fails(name, fails(status)))

    assert logs is not None
    assert not logs.complete
    assert [gap.source for gap in gaps] == ["logging"]
    assert gaps[0].reason.startswith(f"{ASKED[name]}: {status}")
    assert gaps[0].next_step
    assert len(logs.runs) == (name != "runs")
    assert len(logs.bursts) == (name != "trouble")


@pytest.mark.parametrize("status", STATUSES)
async def test_searches_that_fail_alike_are_one_gap_and_nothing_was_seen(status: str) -> None:
    logs, gaps = await look(fails(status))

    assert logs is None
    assert [gap.reason.partition(": ")[0] for gap in gaps] == [
        "lines of operations, lines of runs and lines of trouble"
    ]


@pytest.mark.parametrize("name", ASKED)
async def test_a_search_that_hangs_is_a_gap_within_the_budget(name: str) -> None:
    started = asyncio.get_running_loop().time()

    logs, gaps = await look(_one_fails(name, hangs), seconds=1.5)

    assert asyncio.get_running_loop().time() - started < 4
    assert logs is not None
    assert "no answer within the time given" in gaps[0].reason


@pytest.mark.parametrize("name", ASKED)
async def test_an_answer_that_is_no_message_is_a_gap(name: str) -> None:
    logs, gaps = await look(_one_fails(name, garbage))

    assert logs is not None
    assert [gap.source for gap in gaps] == ["logging"]


async def test_a_passing_fault_is_retried_and_leaves_no_gap() -> None:
    left = [2]

    async def unsteady(request: bytes) -> bytes:
        left[0] -= 1
        if left[0] >= 0:
            raise StatusError("UNAVAILABLE")
        return page([entry("Processor run completed: A")])

    logs, gaps = await look(_one_fails("runs", unsteady))

    assert gaps == ()
    assert logs is not None
    assert len(logs.runs) == 1


@pytest.mark.parametrize(("tokens", "why"), [("same", "circle"), ("new", f"more than {MAX_PAGES} pages")])
async def test_empty_pages_without_end_are_inconclusive_and_not_no_logs(tokens: str, why: str) -> None:
    pages = [0]

    async def endless(request: bytes) -> bytes:
        pages[0] += 1
        return page(token="same" if tokens == "same" else f"t{pages[0]}")

    logs, gaps = await look(_one_fails("runs", endless))

    assert logs is not None
    assert not logs.complete
    assert gaps[0].reason.startswith("lines of runs: inconclusive: ")
    assert why in gaps[0].reason
    assert pages[0] <= MAX_PAGES


async def test_an_empty_page_with_a_token_is_followed() -> None:
    async def late(request: bytes) -> bytes:
        followed = read(request).page_token
        return page([entry("Processor run completed: A")]) if followed else page((), "more")

    logs, gaps = await look(_one_fails("runs", late))

    assert gaps == ()
    assert logs is not None
    assert [run.processor for run in logs.runs] == ["A"]


async def test_a_quota_that_is_used_up_is_inconclusive_at_once() -> None:
    world = LogWorld()

    logs, gaps = await look(world, limit=RateLimit(2))

    assert logs is not None
    assert not logs.complete
    assert len(world.asked) == 2
    assert [gap.reason.partition(": ")[2] for gap in gaps] == [
        "inconclusive: the project's quota of 60 reads a minute is used up"
    ]


async def test_what_was_seen_before_a_failure_is_kept_and_counted() -> None:
    async def breaks(request: bytes) -> bytes:
        if read(request).page_token:
            raise StatusError("PERMISSION_DENIED")
        return page([entry("Processor run completed: A")], "more")

    logs, gaps = await look(_one_fails("runs", breaks))

    assert logs is not None
    assert len(logs.runs) == 1
    assert gaps[0].reason.endswith(", after 1 line")
    assert "roles/logging.viewer" in gaps[0].next_step


async def test_a_dead_endpoint_is_a_gap_at_once() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        target = Target(source="logging", address=address, resource="x", practice=True)
        logs, gaps = await read_logs(settings(), target, UNTIL, Budget(10.0), quiet)

    assert logs is None
    assert "UNAVAILABLE" in gaps[0].reason


async def test_a_marker_that_cannot_be_searched_for_is_a_gap() -> None:
    logs, gaps = await look(LogWorld(), pipeline=settings(sources={"run_marker": "ran\n: "}))

    assert logs is None
    assert gaps[0].reason.startswith("run_marker: ")


async def test_hostile_lines_cost_no_time() -> None:
    lines = [entry(unit * (60_000 // len(unit))) for unit in ("HEARTBEAT: ", "HEARTBEAT END: x completed in ", "a")]
    started = asyncio.get_running_loop().time()

    await told(runs=lines, trouble=lines, operations=lines * 50)

    assert asyncio.get_running_loop().time() - started < 5


async def test_run_lines_in_a_log_that_is_not_searched_are_told_as_that() -> None:
    asked: list[str] = []

    async def answer(request: bytes) -> bytes:
        asked.append(read(request).filter)
        if "NOT (" not in asked[-1]:
            return page()
        return page([entry("INFO Processor run completed: A", source="loader")])

    logs, gaps = await look(answer, pipeline=settings(heartbeats={"processors": ["A"]}, sources={"logs": ["mine"]}))

    assert gaps == ()
    assert logs is not None
    assert [(each.processor, each.source) for each in logs.elsewhere] == [("A", "loader")]
    assert len(asked) == 4
    assert all('logName="projects/demo-nba/logs/run.googleapis.com%2Fstdout"' in each for each in asked)
    assert all('logName="projects/demo-nba/logs/mine"' in each for each in asked)


async def test_the_newer_half_is_searched_where_there_was_no_time_for_the_whole_window() -> None:
    windows: list[str] = []

    async def slow(request: bytes) -> bytes:
        asked = read(request).filter
        windows.append(asked[: asked.index(" AND")])
        if "2026-01-31T22" in windows[-1]:
            raise StatusError("DEADLINE_EXCEEDED")
        return page([entry("Processor run completed: A")])

    logs, gaps = await look(_one_fails("runs", slow))

    assert logs is not None
    assert not logs.complete
    assert [each.processor for each in logs.runs] == ["A"]
    assert "searched only since 2026-02-01 10:07 UTC" in gaps[0].reason
    assert len(set(windows)) == 2


async def test_a_run_line_from_a_clock_that_is_ahead_is_a_run() -> None:
    ahead = UNTIL + 10 * MINUTE

    assert [each.at for each in (await told(runs=[entry("Processor run completed: A", at=ahead)])).runs] == [ahead]
