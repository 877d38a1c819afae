"""Ends what a test process leaves behind, however it ends: by itself, by Ctrl-C, or killed.

A process that was started by a test, or by one of those, has the mark of the test process in its environment. A guard
waits until the test process is gone, and then kills all that bear its mark. Ctrl-C kills them at once: no thread of the
test process waits for them any longer.
"""

import os
import signal
import subprocess
import sys
import time
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

    def interrupt(*_: object) -> None:
        _kill(mark)
        raise KeyboardInterrupt

    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        os.environ[VARIABLE] = before
        guard.communicate()


def marked(mark: str) -> Iterator[psutil.Process]:
    """The processes that bear a mark."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if mark in process.environ().get(VARIABLE, ""):
                yield process


def _kill(mark: str) -> int:
    """Kill those that bear a mark, and say how many there were."""
    found = list(marked(mark))
    for each in found:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    return len(found)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    while _kill(sys.argv[1]):
        time.sleep(0.1)
