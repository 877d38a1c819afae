"""Ends what a test process leaves behind, however it ends: by itself, by Ctrl-C, or killed.

A process that was started by a test, or by one of those, has the mark of the test process in its environment. A guard
waits until the test process is gone, and then kills all that bear its mark.
"""

import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import psutil

VARIABLE = "VALIDATE_DAILY_TEST_PROCESS"


@contextmanager
def guarded() -> Generator[None]:
    """Let nothing outlive this process that it starts from now on."""
    before, mark = os.environ.get(VARIABLE, ""), uuid4().hex
    guard = subprocess.Popen([sys.executable, "-I", __file__, mark], stdin=subprocess.PIPE, start_new_session=True)
    os.environ[VARIABLE] = before + mark
    try:
        yield
    finally:
        os.environ[VARIABLE] = before
        guard.communicate()


def marked(mark: str) -> Iterator[psutil.Process]:
    """The processes that bear a mark."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if mark in process.environ().get(VARIABLE, ""):
                yield process


def _kill(mark: str) -> None:
    while found := [each for each in marked(mark) if each.status() != psutil.STATUS_ZOMBIE]:
        for each in found:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(found, timeout=1)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    _kill(sys.argv[1])
