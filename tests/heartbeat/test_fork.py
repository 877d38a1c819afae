"""Heartbeats in programs that fork: real processes, the official emulator, a metadata server that is slow."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.heartbeat_program import Start

pytestmark = pytest.mark.emulator

REAP = """
def reap(*children):
    codes = []
    for child in children:
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print("children ended with", *codes, flush=True)
"""


class SilentMetadata(BaseHTTPRequestHandler):
    """A metadata server that takes every question, and answers when the test is over."""

    asked = threading.Event()
    over = threading.Event()

    def do_GET(self) -> None:
        self.asked.set()
        self.over.wait(60)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        pass


@pytest.fixture
def metadata_address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), SilentMetadata)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    SilentMetadata.over.set()
    server.shutdown()
    server.server_close()


WHILE_CONNECTING = (
    REAP
    + """
thread = threading.Thread(target=lambda: print("parent", heartbeat.beat(), flush=True))
thread.start()
sys.stdin.readline()
child = os.fork()
if child == 0:
    began = time.monotonic()
    print("child", heartbeat.beat(), heartbeat.beat(), time.monotonic() - began < 8, flush=True)
    sys.exit(0)
thread.join()
reap(child)
"""
)


def test_a_child_that_is_forked_while_a_thread_connects_ends_within_its_budget_and_says_so(
    run: Start, metadata_address: str
) -> None:
    program = run(
        WHILE_CONNECTING,
        FIRESTORE_EMULATOR_HOST="",
        GOOGLE_CLOUD_PROJECT="",
        GCE_METADATA_HOST=metadata_address,
        GCE_METADATA_IP=metadata_address,
        GCE_METADATA_TIMEOUT="60",
        HOME="/nowhere",
        BUDGET="3",
    )
    assert SilentMetadata.asked.wait(60)

    program.tell("fork")

    code, out, err = program.end()
    assert (code, sorted(out.splitlines())) == (0, ["child False False True", "children ended with 0", "parent False"])
    assert err.count("NOT written: unreachable") == 2
    assert err.count("it is still being made") == 2


WHILE_IMPORTING = (
    REAP
    + """
importing = threading.Event()
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "google.cloud.firestore_v1":
            importing.set()
sys.meta_path.insert(0, Finder())
thread = threading.Thread(target=heartbeat.beat)
thread.start()
importing.wait()
child = os.fork()
if child == 0:
    print("child", heartbeat.beat(), flush=True)
    sys.exit(0)
reap(child)
thread.join()
"""
)


def test_a_child_that_is_forked_during_the_first_import_beats(run: Start) -> None:
    program = run(WHILE_IMPORTING)

    assert program.end()[:2] == (0, "child True\nchildren ended with 0\n")


PRELOADED = (
    REAP
    + """
print("parent", heartbeat.beat(), flush=True)
workers = []
for number in range(2):
    if not (worker := os.fork()):
        with heartbeat.run(run_id=f"worker-{number}", total=2) as run:
            written = run.beat(progress=1), run.beat(progress=2)
        print("worker", *written, heartbeat.beat(), flush=True)
        sys.exit(0)
    workers.append(worker)
    reap(worker)
print("parent", heartbeat.beat("success"))
"""
)


@pytest.mark.parametrize("kind", ["ProcessorHeartbeat", "AsyncProcessorHeartbeat"])
def test_parent_and_workers_beat_after_a_preload(run: Start, kind: str) -> None:
    code = PRELOADED
    if kind == "AsyncProcessorHeartbeat":
        code = f"heartbeat = {kind}(heartbeat.processor_name)\n" + ASYNC_PRELOADED
    program = run(code)

    worker = "worker True True True\nchildren ended with 0\n"
    assert program.end() == (0, f"parent True\n{worker}{worker}parent True\n", "")
    assert program.document["status"] == "success"


ASYNC_PRELOADED = (
    REAP
    + """
print("parent", asyncio.run(heartbeat.beat()), flush=True)
async def work():
    async with heartbeat.run(total=2) as run:
        written = await run.beat(progress=1), await run.beat(progress=2)
    print("worker", *written, await heartbeat.beat(), flush=True)
for number in range(2):
    if not (worker := os.fork()):
        asyncio.run(work())
        sys.exit(0)
    reap(worker)
print("parent", asyncio.run(heartbeat.beat("success")))
"""
)

WITHIN_A_RUN = (
    REAP
    + """
with heartbeat.run(run_id="r1") as run:
    child = os.fork()
    if child == 0:
        print("child", run.beat(progress=7), threading.active_count() <= 2, flush=True)
        CHILD_ENDS
    reap(child)
    print("waiting", flush=True)
    sys.stdin.readline()
"""
)


@pytest.mark.parametrize(
    ("ending", "code"),
    {
        "sys.exit(0)": 0,
        "1 / 0": 1,
        "os.kill(os.getpid(), signal.SIGTERM)": -15,
        "del run, heartbeat; sys.exit(0)": 0,
    }.items(),
)
def test_a_forked_child_ends_no_run_of_its_parent(run: Start, ending: str, code: int) -> None:
    program = run(WITHIN_A_RUN.replace("CHILD_ENDS", ending))
    program.wait_for_line("child True True")
    program.wait_for_line(f"children ended with {code}")
    program.wait_for_line("waiting")

    assert (program.document["status"], program.document["progress"]) == ("running", 7)

    program.tell("end")
    assert program.end()[0] == 0
    assert (program.document["status"], program.document["run_id"]) == ("completed", "r1")


OWN_RUN = """
heartbeat.beat()
if not (child := os.fork()):
    heartbeat.start()
    1 / 0
reap(child)
"""


def test_a_child_has_runs_of_its_own_and_they_end_with_it(run: Start) -> None:
    program = run(
        REAP + "heartbeat.beat()\nif not (child := os.fork()):\n    heartbeat.start()\n    1 / 0\nreap(child)"
    )

    assert program.end()[:2] == (0, "children ended with 1\n")
    assert program.document["status"] == "failed"


BUSY = (
    REAP
    + """
heartbeat = ProcessorHeartbeat(heartbeat.processor_name, beats_every=0.01)
heartbeat.start()
ended = threading.Event()
def beat():
    while not ended.is_set():
        heartbeat.beat()
threads = [threading.Thread(target=beat) for _ in range(2)]
for thread in threads:
    thread.start()
for number in range(8):
    if not (child := os.fork()):
        own = ProcessorHeartbeat("ForkedProcessor")
        print(own.start(), own.stop(), heartbeat.beat(), flush=True)
        os._exit(0)
    reap(child)
ended.set()
for thread in threads:
    thread.join()
print(heartbeat.stop())
"""
)


def test_forks_while_other_threads_beat_break_neither_side(run: Start) -> None:
    program = run(BUSY)

    assert program.end()[:2] == (0, "True True True\nchildren ended with 0\n" * 8 + "True\n")


POOL = """
import multiprocessing
context = multiprocessing.get_context("fork")
with heartbeat.run(run_id="r1", total=4) as run:
    def work(number):
        return run.beat(progress=number)
    with context.Pool(2) as pool:
        print(*pool.map(work, range(4)))
"""


def test_the_processes_of_a_pool_beat_for_the_run_that_made_them(run: Start) -> None:
    program = run(POOL)

    assert program.end()[:2] == (0, "True True True True\n")
    assert program.document["status"] == "completed"
