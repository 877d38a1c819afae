"""The command as a person or a script runs it: in a process of its own, and at a terminal of its own."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from checks.settings.template import settings_text
from validate_daily.sandbox import Sandbox

from support import prepared

COMMAND = str(Path(sys.executable).parent / "validate-daily")


def settings(folder: Path, more: str = "") -> str:
    path = folder / "settings.toml"
    path.write_text(settings_text("example") + f"\n[writes]\nenabled = true\n{more}\n")
    return str(path)


def example(folder: Path) -> str:
    """The shipped example settings as a file; they change nothing."""
    path = folder / "validate-daily.toml"
    path.write_text(settings_text("example"))
    return str(path)


def told(sandbox: Sandbox, *command: str, code: int) -> dict[str, Any]:
    """What a command says in JSON, and that it exits so."""
    done = run(sandbox, *command, "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def run(sandbox: Sandbox, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return prepared.run(*command, environment=os.environ | sandbox.environment() | variables)


def typed(sandbox: Sandbox, answer: str, *command: str) -> tuple[int, str]:
    """Run a command at a terminal of its own, and type an answer when it asks."""
    with at_terminal(os.environ | sandbox.environment(), *command) as (done, terminal):
        said = _talk(terminal, answer)
        return done.wait(120), said


@contextmanager
def interruptible() -> Generator[None]:
    """Let processes that start in here hear Ctrl-C, even where the tests must ignore it (nohup, background jobs)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def at_terminal(environment: Mapping[str, str], *command: str) -> Generator[tuple[prepared.Running, int]]:
    """The command at a terminal of its own: its process, and this side of the terminal."""
    mine, its = pty.openpty()
    done = prepared.start(command, environment, (its, its, its), terminal=True)
    os.close(its)
    try:
        yield done, mine
    finally:
        os.close(mine)
        done.kill()
        done.wait(60)


def _talk(terminal: int, answer: str) -> str:
    said, asked = b"", False
    while select.select([terminal], [], [], 120)[0]:
        try:
            said += os.read(terminal, 65_536)
        except OSError:
            break
        if not asked and b"anything else to stop:" in said:
            os.write(terminal, answer.encode() + b"\n")
            asked = True
    return said.decode(errors="replace")
