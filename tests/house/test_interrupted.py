"""No test leaves a process behind, however the tests are ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from support.commands import interruptible
from support.leftovers import VARIABLE, marked
from support.paths import ROOT

TESTS = """
import asyncio, os, subprocess, sys
from pathlib import Path
from support import prepared
from support.http_server import started
from support.paths import EXAMPLE

async def test_that_starts_processes_of_all_kinds_and_never_ends() -> None:
    here = Path(__file__).parent
    serve = ("sandbox", "serve")
    async with started(EXAMPLE):
        with (here / "out").open("w+") as out:
            prepared.start(serve, os.environ, (0, out.fileno(), out.fileno()))
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"], start_new_session=True)
            while not (here / "out").read_text():
                await asyncio.sleep(0.05)
            (here / "ready").touch()
            await asyncio.to_thread(prepared.run, *serve, seconds=3600)
"""


@pytest.mark.long
@pytest.mark.parametrize("workers", ["0", "1"])
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_tests_that_are_ended_leave_no_process_behind(sign: signal.Signals, workers: str, tmp_path: Path) -> None:
    (tmp_path / "test_endless.py").write_text(TESTS)
    mark = f"{os.environ[VARIABLE]}-{tmp_path.name}"
    command = (sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "conftest", "-n", workers, tmp_path)
    with interruptible():
        tests = subprocess.Popen(
            command,
            env=os.environ | {VARIABLE: mark, "PYTHONPATH": str(ROOT / "tests")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    while not (tmp_path / "ready").exists():
        assert tests.poll() is None, tests.communicate()[0]
        time.sleep(0.05)
    begun = [each for each in marked(mark) if each.pid != tests.pid]
    tests.send_signal(sign)
    tests.communicate(timeout=120)

    assert len(begun) >= 5
    _, alive = psutil.wait_procs(begun, timeout=120)
    assert alive == []
    assert list(marked(mark)) == []
