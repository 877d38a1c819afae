"""Heartbeats on the wire: Google's real clients against the official emulator, a refusing server and a dead port."""

import asyncio
import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.cloud.firestore import Client

import heartbeat
from heartbeat import AsyncFirestoreStore, AsyncProcessorHeartbeat, ProcessorHeartbeat

NAME = "PlayerGameSummaryProcessor"
WRITTEN = b"\x0a\x00"  # a CommitResponse with one empty WriteResult

Beat = Callable[..., bool]
Connect = Callable[..., Beat]


class Front(grpc.GenericRpcHandler):
    """A Firestore that answers each commit with the next status of its script, and accepts all after its end."""

    def __init__(self) -> None:
        self.script: list[grpc.StatusCode] = []
        self.commits = 0
        self.asked = threading.Event()
        self.hold = threading.Event()
        self.hold.set()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        if handler_call_details.method == "/google.firestore.v1.Firestore/Commit":
            return grpc.unary_unary_rpc_method_handler(self._commit)
        return None

    def _commit(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        assert NAME.encode() in request
        self.commits += 1
        self.asked.set()
        self.hold.wait(30)
        if self.script:
            context.abort(self.script.pop(0), "as the script says")
        return WRITTEN


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    front = Front()
    server = grpc.server(ThreadPoolExecutor(2), handlers=[front])
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    server.start()
    yield front
    server.stop(None).wait()


@pytest.fixture
def dead_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{bound.getsockname()[1]}")
        yield


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> str:
    project = f"demo-{uuid4().hex[:12]}"
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
    return project


@pytest.fixture(params=["threads", "asyncio"])
def connect(request: pytest.FixtureRequest, said: io.StringIO, project: str) -> Iterator[Connect]:
    """Makes heartbeats with the stores that they use by default, in ``project``."""
    assert os.environ["GOOGLE_CLOUD_PROJECT"] == project
    with asyncio.Runner() as runner:

        def connect(budget: float = 5.0) -> Beat:
            if request.param == "threads":
                return ProcessorHeartbeat(NAME, stream=said, first_pause=0.001, budget=budget).beat
            heartbeat = AsyncProcessorHeartbeat(NAME, stream=said, first_pause=0.001, budget=budget)
            return lambda *args, **kwargs: runner.run(heartbeat.beat(*args, **kwargs))

        yield connect


def lines(said: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.getvalue().splitlines()]


def test_a_passing_failure_on_the_wire_is_retried_by_us_and_not_by_google(connect: Connect, front: Front) -> None:
    front.script = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED]

    assert connect()()
    assert front.commits == 3


def test_a_refusal_on_the_wire_is_told_once_and_so_is_the_recovery(
    connect: Connect, front: Front, said: io.StringIO
) -> None:
    front.script = [grpc.StatusCode.PERMISSION_DENIED] * 2
    beat = connect()

    assert [beat() for _ in range(4)] == [False, False, True, True]

    assert front.commits == 4
    failing, working = lines(said)
    assert failing["severity"] == "ERROR"
    assert failing["heartbeat"]["status_code"] == "PERMISSION_DENIED"
    assert "as the script says" in failing["heartbeat"]["detail"]
    assert "roles/datastore.user" in failing["message"]
    assert (working["severity"], working["heartbeat"]["missed"]) == ("NOTICE", 2)


@pytest.mark.usefixtures("dead_port")
def test_a_dead_port_is_given_up_when_the_budget_is_spent_and_told_once(connect: Connect, said: io.StringIO) -> None:
    beat, started = connect(budget=0.3), time.monotonic()

    assert [beat(), beat()] == [False, False]

    assert time.monotonic() - started < 3
    (line,) = lines(said)
    assert (line["heartbeat"]["reason"], line["heartbeat"]["status_code"]) == ("unreachable", "UNAVAILABLE")
    assert "FIRESTORE_EMULATOR_HOST" in line["heartbeat"]["next_step"]


def test_an_asynchronous_heartbeat_outlives_its_event_loop(front: Front, said: io.StringIO) -> None:
    store = AsyncFirestoreStore(project="demo-loops")
    heartbeat = AsyncProcessorHeartbeat(NAME, store=store, stream=said)

    assert [asyncio.run(heartbeat.beat()) for _ in range(2)] == [True, True]
    assert front.commits == 2
    assert said.getvalue() == ""


class BusyExecutor:
    """The application's default executor, all of whose threads are busy until the block ends."""

    def __init__(self, threads: int = 2) -> None:
        self._executor = ThreadPoolExecutor(threads)
        self._over = threading.Event()

    def __enter__(self) -> ThreadPoolExecutor:
        for _ in range(4):
            self._executor.submit(self._over.wait, 60)
        return self._executor

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._executor.shutdown()


@pytest.mark.parametrize("before", [0, 1], ids=["first beat", "after a beat"])
async def test_an_asynchronous_beat_does_not_wait_for_the_applications_executor(
    front: Front, project: str, said: io.StringIO, before: int
) -> None:
    heartbeat = AsyncProcessorHeartbeat(NAME, store=AsyncFirestoreStore(project=project), stream=said, budget=3)
    assert [await heartbeat.beat() for _ in range(before)] == [True] * before

    with BusyExecutor() as executor:
        asyncio.get_running_loop().set_default_executor(executor)
        started = time.monotonic()
        assert await heartbeat.beat()
        async with heartbeat.run() as run:
            assert await run.beat(progress=1)
        assert time.monotonic() - started < 3

    assert front.commits == before + 4
    assert said.getvalue() == ""


async def test_an_asynchronous_beat_that_cannot_be_written_in_time_says_so_in_time(
    project: str, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as silent, BusyExecutor() as executor:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # takes the connection, and never answers
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        asyncio.get_running_loop().set_default_executor(executor)
        heartbeat = AsyncProcessorHeartbeat(NAME, store=AsyncFirestoreStore(project=project), stream=said, budget=1)
        started = time.monotonic()
        assert await heartbeat.beat() is False
        assert time.monotonic() - started < 2

    (line,) = lines(said)
    assert line["heartbeat"]["reason"] == "unreachable"


class ThreadedStore:
    """A store of the application's own, which uses the event loop's executor and keeps no deadline."""

    async def write(self, document_id: str, fields: Mapping[str, object], *, timeout: float) -> None:  # noqa: ASYNC109 - the protocol's own
        assert (document_id, timeout) == (NAME, pytest.approx(0.5, abs=0.5))
        await asyncio.to_thread(dict, fields)


async def test_a_beat_ends_in_time_even_where_its_store_waits_for_the_executor(said: io.StringIO) -> None:
    heartbeat = AsyncProcessorHeartbeat(NAME, store=ThreadedStore(), stream=said, budget=1)

    with BusyExecutor() as executor:
        asyncio.get_running_loop().set_default_executor(executor)
        started = time.monotonic()
        assert await heartbeat.beat() is False
        assert time.monotonic() - started < 2
        async with heartbeat.run() as run:  # has an event loop of its own
            assert await run.beat()

    failing, working = lines(said)
    assert "not done within" in failing["heartbeat"]["detail"]
    assert working["heartbeat"]["missed"] == 1


async def test_the_event_loop_is_free_while_a_beat_is_written(front: Front, project: str) -> None:
    heartbeat = AsyncProcessorHeartbeat(NAME, store=AsyncFirestoreStore(project=project))
    front.hold.clear()

    beat = asyncio.create_task(heartbeat.beat())
    assert await asyncio.to_thread(front.asked.wait, 30)
    assert not beat.done()
    front.hold.set()

    assert await beat


@pytest.mark.emulator
def test_a_run_writes_what_the_field_writes(project: str, emulator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
    heartbeat = ProcessorHeartbeat(NAME, budget=60.0)
    collection = Client(project=project).collection("processor_heartbeats")
    with heartbeat.run(run_id="r1", data_date="2026-01-31", total=450) as run:
        assert run.beat(progress=120, status_message="loading")
        (running,) = [document.to_dict() or {} for document in collection.stream()]
    (ended,) = [document.to_dict() or {} for document in collection.stream()]

    times = {"last_heartbeat", "updated_at", "started_at"}
    assert {name: value for name, value in running.items() if name not in times} == {
        "processor_name": NAME,
        "run_id": "r1",
        "data_date": "2026-01-31",
        "status": "running",
        "progress": 120,
        "total": 450,
        "status_message": "loading",
        "beats_every": 60,
        "commit": None,
        "revision": None,
    }
    assert set(ended) - set(running) == {"completed_at", "duration_seconds"}
    assert ended["status"] == "completed"
    assert ended["duration_seconds"] == (ended["completed_at"] - ended["started_at"]).total_seconds()


@pytest.mark.emulator
def test_a_heartbeat_replaces_the_one_document_of_its_processor(
    connect: Connect, project: str, emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
    monkeypatch.setenv("ENABLE_HEARTBEATS", "true")
    collection = Client(project=project).collection("processor_heartbeats")
    progress = {"": 1, "__id__": "\ud800", "a.b`": 10**30, "share": 0.5}
    beat = connect(budget=60.0)  # an emulator that has just started is slow

    assert beat("running", run_id="r1", progress=progress)
    assert beat("success", run_id="r2", progress=progress)

    documents = {document.id: document.to_dict() for document in collection.stream()}
    assert list(documents) == [NAME]
    fields = documents[NAME]
    assert fields is not None
    age = datetime.now(UTC) - fields.pop("last_heartbeat")
    assert timedelta(0) <= age < timedelta(minutes=1)
    assert fields == {
        "processor_name": NAME,
        "status": "success",
        "run_id": "r2",
        "progress": {"()": 1, "(__id__)": r"\ud800", "a.b`": str(10**30), "share": 0.5},
        "commit": None,
        "revision": None,
    }


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={"PYTHONPATH": str(Path(heartbeat.__file__).parents[1]), "PATH": os.defpath} | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


def test_importing_the_library_loads_nothing_but_the_standard_library() -> None:
    code = "import sys; before = set(sys.modules); import heartbeat; print(*set(sys.modules) - before)"

    loaded = {module.split(".")[0] for module in python("-c", code).stdout.split()}

    assert "heartbeat" in loaded
    assert loaded - {"heartbeat"} <= sys.stdlib_module_names - {"asyncio", "ssl", "sqlite3", "multiprocessing"}


def test_a_processor_whose_image_lacks_firestore_runs_on_and_says_what_to_add() -> None:
    code = f"from heartbeat import ProcessorHeartbeat; print(ProcessorHeartbeat({NAME!r}).beat())"

    without_site_packages = python("-S", "-c", code)

    assert without_site_packages.stdout == "False\n"
    line = json.loads(without_site_packages.stderr)
    assert line["heartbeat"]["reason"] == "package-missing"
    assert "add google-cloud-firestore to the requirements" in line["message"]


def test_a_processor_without_credentials_runs_on_and_says_so() -> None:
    code = f"from heartbeat import ProcessorHeartbeat; print(ProcessorHeartbeat({NAME!r}).beat())"

    anonymous = python("-c", code, GOOGLE_APPLICATION_CREDENTIALS="/nowhere/key.json", HOME="/nowhere")

    assert anonymous.stdout == "False\n"
    assert json.loads(anonymous.stderr)["heartbeat"]["reason"] == "no-credentials"
