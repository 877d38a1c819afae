"""Runs whose process ends: real processes, real signals, the official emulator."""

import signal
import socket
import time

import pytest
from google.cloud.firestore import Client

from support.heartbeat_program import COLLECTION, NAME, Program, Start

pytestmark = pytest.mark.emulator

IN_A_THREAD = """
started = threading.Event()
def work():
    with heartbeat.run(run_id="r1"):
        started.set()
        threading.Event().wait()
threading.Thread(target=work, daemon=True).start()
started.wait()
"""
A_THREADS_EXCEPTION = """
heartbeat.start(run_id="r1")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
"""
ASYNC_START = """
heartbeat = AsyncProcessorHeartbeat(heartbeat.processor_name)
asyncio.run(heartbeat.start(run_id="r1"))
sys.exit(3)
"""
ENDINGS = {
    "an exception": ('heartbeat.start(run_id="r1")\n1 / 0', 1),
    "the end of the program": ('heartbeat.start(run_id="r1")', 0),
    "a clean exit": ('heartbeat.start(run_id="r1")\nsys.exit(0)', 0),
    "an exception in a thread": (A_THREADS_EXCEPTION, 0),
    "a run in a daemon thread": (IN_A_THREAD, 0),
    "asyncio": (ASYNC_START, 3),
}


@pytest.mark.parametrize(("code", "exit_code"), ENDINGS.values(), ids=ENDINGS)
def test_a_program_that_ends_before_its_run_leaves_it_failed(run: Start, code: str, exit_code: int) -> None:
    program = run(code)

    assert program.end()[0] == exit_code

    fields = program.document
    assert (fields["status"], fields["run_id"]) == ("failed", "r1")
    assert "exited before the run ended" in fields["status_message"]
    assert fields["completed_at"] >= fields["started_at"]


def test_an_exception_that_leaves_a_block_is_what_the_document_says(run: Start) -> None:
    program = run('with heartbeat.run(run_id="r1"):\n    {}["games"]')

    assert program.end()[0] == 1

    assert (program.document["status"], program.document["status_message"]) == ("failed", "KeyError: 'games'")


WAIT = """
with heartbeat.run(run_id="r1"):
    print("started", flush=True)
    threading.Event().wait()
"""
ASYNC_WAIT = """
heartbeat = AsyncProcessorHeartbeat(heartbeat.processor_name)
async def main(wait):
    async with heartbeat.run(run_id="r1"):
        print("started", flush=True)
        await wait()
async def block():
    threading.Event().wait()
"""
THREAD_WAIT = """
end_runs_on_sigterm()
def work():
    with heartbeat.run(run_id="r1"):
        print("started", flush=True)
        threading.Event().wait()
threading.Thread(target=work, daemon=True).start()
threading.Event().wait()
"""
CANCELLED = """
async def host():
    task = asyncio.create_task(main(asyncio.Event().wait))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        sys.exit(5)
asyncio.run(host())
"""
SIGTERMS = {
    "no handler": (WAIT, -signal.SIGTERM),
    "a handler that exits": ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))" + WAIT, 7),
    "a handler that exits cleanly": ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))" + WAIT, 0),
    "a run without a block": (WAIT.replace("with heartbeat.run", "if heartbeat.start"), -signal.SIGTERM),
    "a run in another thread": (THREAD_WAIT, -signal.SIGTERM),
    "asyncio": (ASYNC_WAIT + "asyncio.run(main(asyncio.Event().wait))", -signal.SIGTERM),
    "asyncio with a blocked event loop": (ASYNC_WAIT + "asyncio.run(main(block))", -signal.SIGTERM),
    "asyncio with a handler that cancels": (ASYNC_WAIT + CANCELLED, 5),
}


@pytest.mark.parametrize(("code", "exit_code"), SIGTERMS.values(), ids=SIGTERMS)
def test_a_program_that_is_asked_to_end_leaves_its_run_failed(run: Start, code: str, exit_code: int) -> None:
    program = run(code)
    program.wait_for_line("started")

    program.process.send_signal(signal.SIGTERM)

    assert program.end()[0] == exit_code
    assert (program.document["status"], program.document["run_id"]) == ("failed", "r1")
    if exit_code == -signal.SIGTERM:
        assert "SIGTERM" in program.document["status_message"]


GRACEFUL = """
told = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: told.set())
with heartbeat.run(run_id="r1"):
    print("started", flush=True)
    told.wait()
    heartbeat.beat(progress=1)
"""


def test_a_host_that_lets_its_run_finish_after_sigterm_leaves_it_completed(run: Start) -> None:
    program = run(GRACEFUL)
    program.wait_for_line("started")

    program.process.terminate()

    assert program.end()[0] == 0
    fields = program.document
    assert (fields["status"], fields["progress"], fields["status_message"]) == ("completed", 1, None)


IGNORED = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with heartbeat.run(run_id="r1"):
    os.kill(os.getpid(), signal.SIGTERM)
    print(heartbeat.beat(), end_runs_on_sigterm())
"""


def test_a_host_that_ignores_sigterm_is_not_asked_to_end(run: Start) -> None:
    program = run(IGNORED)

    assert program.end()[:2] == (0, "True False\n")
    assert program.document["status"] == "completed"


KILLED_LATER = """
signal.signal(signal.SIGTERM, lambda *_: None)
heartbeat = ProcessorHeartbeat(heartbeat.processor_name, beats_every=0.05)
heartbeat.start(run_id="r1")
os.kill(os.getpid(), signal.SIGTERM)
heartbeat.beat(progress=2)
os._exit(9)
"""


def test_between_sigterm_and_its_end_a_run_never_says_that_it_is_running(run: Start) -> None:
    program = run(KILLED_LATER)

    assert program.end()[0] == 9
    assert (program.document["status"], program.document["progress"]) == ("failed", 2)


TWO_RUNS = """
other = ProcessorHeartbeat("OtherProcessor")
heartbeat.start(run_id="r1")
other.start(run_id="r2")
print("started", flush=True)
threading.Event().wait()
"""


def test_all_open_runs_are_ended(run: Start, project: str) -> None:
    program = run(TWO_RUNS)
    program.wait_for_line("started")

    program.process.terminate()

    assert program.end()[0] == -signal.SIGTERM
    documents = Client(project=project).collection(COLLECTION).stream()
    assert [(document.id, document.get("status")) for document in documents] == [
        ("OtherProcessor", "failed"),
        (NAME, "failed"),
    ]


AGAIN = """
with heartbeat.run(run_id="r1"):
    pass
heartbeat.start(run_id="r2")
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_second_run_after_the_first_is_ended_as_well(run: Start) -> None:
    program = run(AGAIN)

    assert program.end()[0] == -signal.SIGTERM
    assert (program.document["status"], program.document["run_id"]) == ("failed", "r2")


def test_an_ended_run_stays_as_it_ended(run: Start) -> None:
    program = run("heartbeat.start()\nheartbeat.stop()\nos.kill(os.getpid(), signal.SIGTERM)")

    assert program.end()[0] == -signal.SIGTERM
    assert program.document["status"] == "completed"


SILENT = """
heartbeat.start()
print("started", flush=True)
"""


@pytest.mark.parametrize("ending", ["sys.exit(0)", "os.kill(os.getpid(), signal.SIGTERM)"])
def test_a_process_ends_soon_although_nobody_can_be_told(project: str, ending: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # takes the connection, and never answers
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        program = Program(SILENT + ending, project=project, emulator=address, BUDGET="1")
        program.wait_for_line("started")
        began = time.monotonic()
        code, _, err = program.end()

    assert time.monotonic() - began < 15
    assert code in {0, -signal.SIGTERM}
    assert "are NOT written: unreachable" in err
